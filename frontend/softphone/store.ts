/** What the softphone shows, and how each message changes it. Pure, but for the small store. */
import type { CloudMessage, LineNow, Passage } from './protocol.gen';

export const MAX_PASSAGES = 500;
export const MAX_HEARD = 50;

export type Link = 'connecting' | 'open' | 'lost';
export type Microphone = 'off' | 'asking' | 'on' | 'denied';

/** One telephone of the page. */
export interface Telephone {
  readonly now: LineNow;
  /** When its state began: milliseconds since 1970. */
  readonly since: number;
  readonly heard: readonly Heard[];
  readonly trouble: string | null;
}

/** Something the ear caught: words, or a key. */
export interface Heard {
  readonly id: number;
  readonly who: 'other' | 'you';
  readonly text: string;
}

export interface Snapshot {
  readonly link: Link;
  readonly agentNumber: string;
  readonly lines: readonly Telephone[];
  readonly selected: number;
  readonly muted: boolean;
  readonly microphone: Microphone;
  readonly passages: readonly Passage[];
}

export const FIRST: Snapshot = {
  link: 'connecting',
  agentNumber: '',
  lines: [],
  selected: 0,
  muted: false,
  microphone: 'off',
  passages: [],
};

export function unplugged(line: number): Telephone {
  return {
    now: {
      ...{ type: 'line', line, number: '', state: 'unplugged', other: '' },
      ...{ held: false, speaking: false, text: '' },
    },
    since: 0,
    heard: [],
    trouble: null,
  };
}

/** What the screen shows after `message`, which came at `at`. */
export function reduce(now: Snapshot, message: CloudMessage, at: number): Snapshot {
  switch (message.type) {
    case 'welcome':
      return { ...now, link: 'open', agentNumber: message.agent_number, passages: [] };
    case 'line':
      return choose(
        onLine(now, message.line, (line) => changed(line, message, at)),
        message,
      );
    case 'words':
      return onLine(now, message.line, (line) => hear(line, 'other', message.text));
    case 'key':
      return onLine(now, message.line, (line) => hear(line, 'other', `Key ${message.key}`));
    case 'trouble':
      return onLine(now, message.line, (line) => ({ ...line, trouble: message.text }));
    case 'flow':
      return { ...now, passages: merge(now.passages, message.passages) };
    default:
      return message satisfies never;
  }
}

export function onLine(
  now: Snapshot,
  index: number,
  change: (line: Telephone) => Telephone,
): Snapshot {
  const lines = [...now.lines];
  while (lines.length <= index) lines.push(unplugged(lines.length));
  lines[index] = change(lines[index] ?? unplugged(index));
  return { ...now, lines };
}

export function hear(line: Telephone, who: Heard['who'], text: string): Telephone {
  const id = (line.heard.at(-1)?.id ?? 0) + 1;
  return { ...line, heard: [...line.heard, { id, who, text }].slice(-MAX_HEARD) };
}

export function inUse(line: Telephone | undefined): boolean {
  const state = line?.now.state;
  return state === 'calling' || state === 'ringing' || state === 'talking';
}

function changed(line: Telephone, message: LineNow, at: number): Telephone {
  const same = line.now.state === message.state;
  const begins = !same && (message.state === 'calling' || message.state === 'ringing');
  return {
    now: message,
    since: same ? line.since : at,
    heard: begins ? [] : line.heard,
    trouble: same ? line.trouble : null,
  };
}

/** A line that rings comes to the hand, unless the hand is busy. */
function choose(now: Snapshot, message: LineNow): Snapshot {
  if (message.state !== 'ringing' || inUse(now.lines[now.selected])) return now;
  return { ...now, selected: message.line };
}

/** Passages told again take their old place with their new note. */
function merge(kept: readonly Passage[], told: readonly Passage[]): readonly Passage[] {
  const known = new Map(kept.map((passage) => [passage.id, passage]));
  for (const passage of told) known.set(passage.id, passage);
  return [...known.values()].sort(byTime).slice(-MAX_PASSAGES);
}

/** What began first is first, though its answer may have come later. */
function byTime(one: Passage, other: Passage): number {
  return one.at_ms - other.at_ms || one.id - other.id;
}

export interface Store {
  snapshot(): Snapshot;
  subscribe(listener: () => void): () => void;
  set(change: (now: Snapshot) => Snapshot): void;
}

export function createStore(): Store {
  let now = FIRST;
  const listeners = new Set<() => void>();
  return {
    snapshot: () => now,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set: (change) => {
      now = change(now);
      for (const listener of listeners) listener();
    },
  };
}
