/** What the console shows of live calls, and how each message changes it. Pure. */
import type { Acted, CallDetail, LiveCall, StreamMessage, Wish } from './protocol.gen';

export type Link = 'connecting' | 'open' | 'lost';

export interface LiveState {
  readonly link: Link;
  readonly rows: readonly LiveCall[];
  /** How far the server's clock is ahead of this one, milliseconds. */
  readonly skewMs: number;
}

export const NO_CALLS: LiveState = { link: 'connecting', rows: [], skewMs: 0 };

/** What the list shows after `message`, which came at `now`, epoch milliseconds. */
export function reduceLive(state: LiveState, message: StreamMessage, now: number): LiveState {
  switch (message.type) {
    case 'live':
      return { link: 'open', rows: message.calls, skewMs: message.at * 1_000 - now };
    case 'row':
      return { ...state, rows: placed(state.rows, message.row) };
    case 'gone':
      return { ...state, rows: state.rows.filter((row) => row.call.id !== message.id) };
    default:
      return state;
  }
}

function placed(rows: readonly LiveCall[], row: LiveCall): readonly LiveCall[] {
  const at = rows.findIndex((other) => other.call.id === row.call.id);
  return at < 0 ? [...rows, row] : rows.with(at, row);
}

export type Need = 'wish' | 'asking' | 'trouble' | 'slow' | 'none';

const SLOW_MS = 1_500;
const ORDER: Readonly<Record<Need, number>> = {
  wish: 0,
  asking: 1,
  trouble: 2,
  slow: 3,
  none: 4,
};

/** What a call wants of an operator. */
export function needOf(row: LiveCall): Need {
  if (row.wish !== null) return 'wish';
  if (row.asking > 0) return 'asking';
  if (row.trouble !== null) return 'trouble';
  return row.latencyMs !== null && row.latencyMs >= SLOW_MS ? 'slow' : 'none';
}

/** Those that need somebody first, then as they began. */
export function inOrder(rows: readonly LiveCall[]): readonly LiveCall[] {
  return [...rows].sort(
    (one, other) =>
      ORDER[needOf(one)] - ORDER[needOf(other)] || one.call.beganAt - other.call.beganAt,
  );
}

/** Callers who wait for a human, the longest first. */
export function wishing(
  rows: readonly LiveCall[],
): readonly { readonly row: LiveCall; readonly wish: Wish }[] {
  const waiting = rows.flatMap((row) => (row.wish === null ? [] : [{ row, wish: row.wish }]));
  return waiting.sort((one, other) => one.wish.since - other.wish.since);
}

/** What all live calls come to, for the line above them. */
export interface LiveSum {
  readonly calls: number;
  readonly asking: number;
  readonly trouble: number;
  readonly p95Ms: number | null;
  readonly costUsd: number;
}

export function summed(rows: readonly LiveCall[]): LiveSum {
  const latencies = rows.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  latencies.sort((one, other) => one - other);
  return {
    calls: rows.length,
    asking: rows.filter((row) => row.asking > 0).length,
    trouble: rows.filter((row) => row.trouble !== null).length,
    p95Ms: latencies[Math.max(0, Math.ceil(latencies.length * 0.95) - 1)] ?? null,
    costUsd: rows.reduce((sum, row) => sum + (row.costUsd ?? 0), 0),
  };
}

/** One call: as it stood, then as it went on. */
export function reduceDetail(detail: CallDetail, message: StreamMessage): CallDetail {
  switch (message.type) {
    case 'detail':
      return message.detail;
    case 'line':
      return { ...detail, lines: kept(detail.lines, message.line, (line) => line.id) };
    case 'tool':
      return { ...detail, tools: kept(detail.tools, message.tool, (tool) => tool.id) };
    case 'interruption':
      return { ...detail, interruptions: [...detail.interruptions, message.interruption] };
    case 'answer':
      return { ...detail, answers: kept(detail.answers, message.answer, ({ reply }) => reply) };
    case 'floor':
      return {
        ...detail,
        floor: message.floor.floor,
        floors: [...detail.floors, message.floor],
      };
    case 'notice':
      return { ...detail, notices: [...detail.notices, message.notice] };
    case 'recording':
      return { ...detail, recording: message.recording };
    case 'usage':
      return { ...detail, usage: message.usage };
    case 'wish':
      return { ...detail, wish: message.wish };
    case 'taken':
      return { ...detail, takenBy: message.by };
    case 'acted':
      return withAction(detail, message.action);
    case 'ended':
      return { ...detail, live: false, floor: 'nobody', can: null, call: message.call };
    default:
      return detail;
  }
}

/** The answer to an action and the stream both tell of it. */
export function withAction(detail: CallDetail, action: Acted): CallDetail {
  return { ...detail, actions: kept(detail.actions, action, ({ id }) => id) };
}

/** With `value` in the place of the one of the same key, or behind all others. */
function kept<T>(values: readonly T[], value: T, keyOf: (value: T) => string): readonly T[] {
  const at = values.findIndex((other) => keyOf(other) === keyOf(value));
  return at < 0 ? [...values, value] : values.with(at, value);
}

export interface Store<T> {
  snapshot(): T;
  subscribe(listener: () => void): () => void;
  set(change: (now: T) => T): void;
}

export function createStore<T>(first: T): Store<T> {
  let now = first;
  const listeners = new Set<() => void>();
  return {
    snapshot: () => now,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set: (change) => {
      const next = change(now);
      if (next === now) return;
      now = next;
      for (const listener of listeners) listener();
    },
  };
}
