/**
 * A call laid out in time. Pure. When speech began is known; how long it lasted is known where it
 * was cut in on, or from who had the floor while the call lives; else it is told from the words.
 */
import type { Answer, CallDetail, FloorAt, Line, Tool } from './protocol.gen';

export type Side = 'caller' | 'agent';

export interface Stretch {
  readonly id: string;
  readonly side: Side;
  readonly fromMs: number;
  readonly toMs: number;
  readonly text: string;
  readonly typed: boolean;
  /** The caller spoke over it. */
  readonly cut: boolean;
}

export interface ToolSpan {
  readonly tool: Tool;
  readonly fromMs: number;
  readonly toMs: number;
  /** Tools at the same time stand below one another. */
  readonly row: number;
}

export interface Wait {
  readonly answer: Answer;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DeskSpan {
  readonly by: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Layout {
  readonly lengthMs: number;
  readonly stretches: readonly Stretch[];
  readonly tools: readonly ToolSpan[];
  readonly toolRows: number;
  readonly waits: readonly Wait[];
  /** When an operator had the call. */
  readonly desks: readonly DeskSpan[];
  /** Where the caller cut in. */
  readonly cutsMs: readonly number[];
}

const MS_PER_CHARACTER = 62;
const SHORTEST_MS = 500;
const MOST_TOOL_ROWS = 3;
/** A tool keeps its row to itself for so long, for its label to be read. */
const LABEL_MS = 10_000;
const LEAST_LENGTH_MS = 10_000;

/** `nowMs` is how long a live call has lasted. */
export function layOut(detail: CallDetail, nowMs: number): Layout {
  const stretches = stretchesOf(detail, nowMs);
  const tools = spansOf(detail.tools, nowMs);
  const ends = [
    ...stretches.map((stretch) => stretch.toMs),
    ...tools.map((span) => span.toMs),
    ...detail.answers.map((answer) => answer.atMs ?? 0),
  ];
  return {
    lengthMs: Math.max(LEAST_LENGTH_MS, nowMs, ...ends),
    stretches,
    tools,
    toolRows: Math.max(1, ...tools.map((span) => span.row + 1)),
    waits: detail.answers.flatMap((answer) =>
      answer.atMs === null
        ? []
        : [
            {
              answer,
              fromMs: Math.max(0, answer.atMs - answer.firstAudioMs),
              toMs: answer.atMs,
            },
          ],
    ),
    desks: desksOf(detail, nowMs),
    cutsMs: detail.interruptions.map(({ atMs }) => atMs),
  };
}

/** From each take-over to what ended it, or to now. */
function desksOf({ actions }: CallDetail, nowMs: number): readonly DeskSpan[] {
  return actions.flatMap((action, at) => {
    if (action.kind !== 'take_over' || action.outcome !== 'taken') return [];
    const over = actions.slice(at).find(({ kind }) => kind === 'hand_back' || kind === 'desk_lost');
    return [{ by: action.by, fromMs: action.atMs, toMs: over?.atMs ?? nowMs }];
  });
}

function stretchesOf(detail: CallDetail, nowMs: number): readonly Stretch[] {
  const lines = [...detail.lines].sort((one, other) => one.beganMs - other.beganMs);
  const cuts = new Map(detail.interruptions.map((cut) => [cut.item, cut.atMs]));
  const until: Record<Side, number> = { caller: 0, agent: 0 };
  return lines.flatMap((line) => {
    if (line.text === '' && line.state !== 'partial') return [];
    const fromMs = Math.max(line.beganMs, until[line.speaker]);
    const toMs = Math.min(
      endOf(line, { fromMs, cutMs: cuts.get(line.id) ?? null, floors: detail.floors, nowMs }),
      limitOf(line, lines, fromMs),
    );
    until[line.speaker] = toMs;
    const { id, speaker, text, typed } = line;
    return [{ id, side: speaker, fromMs, toMs, text, typed, cut: line.state === 'cut' }];
  });
}

interface Known {
  readonly fromMs: number;
  readonly cutMs: number | null;
  readonly floors: readonly FloorAt[];
  readonly nowMs: number;
}

function endOf(line: Line, { fromMs, cutMs, floors, nowMs }: Known): number {
  if (cutMs !== null && cutMs > fromMs) return cutMs;
  const guessed = fromMs + Math.max(SHORTEST_MS, line.text.length * MS_PER_CHARACTER);
  if (line.typed) return fromMs + SHORTEST_MS;
  const left = floors.find(({ atMs, floor }) => atMs > fromMs + 200 && floor !== line.speaker);
  const begun = floors.some(
    ({ atMs, floor }) => atMs <= (left?.atMs ?? nowMs) && floor === line.speaker,
  );
  if (begun && left !== undefined) return Math.max(left.atMs, fromMs + SHORTEST_MS);
  return line.state === 'partial' ? Math.max(nowMs, fromMs + SHORTEST_MS) : guessed;
}

/** Nobody goes on speaking once the same side has begun something new. */
function limitOf(line: Line, lines: readonly Line[], fromMs: number): number {
  const next = lines.find((other) => other.speaker === line.speaker && other.beganMs > fromMs);
  return next === undefined ? Number.POSITIVE_INFINITY : Math.max(next.beganMs, fromMs + 100);
}

function spansOf(tools: readonly Tool[], nowMs: number): readonly ToolSpan[] {
  const free: number[] = [];
  return tools.map((tool) => {
    const fromMs = tool.beganMs;
    const open = tool.state === 'running' || tool.state === 'asking';
    const toMs = open ? Math.max(nowMs, fromMs) : fromMs + (tool.durationMs ?? 0);
    const found = free.findIndex((until) => until <= fromMs);
    const row = Math.min(found < 0 ? free.length : found, MOST_TOOL_ROWS - 1);
    free[row] = Math.max(toMs, fromMs + LABEL_MS);
    return { tool, fromMs, toMs, row };
  });
}

/** Heights between 0 and 1 along a stretch: loud on vowels, low between words. The same words give
 * the same shape; it is drawn from them and is no recording. */
export function voiceOf(text: string, points: number): readonly number[] {
  const letters = text === '' ? '…' : text.toLowerCase();
  return Array.from({ length: points }, (_, index) => {
    const letter = letters[Math.floor((index / points) * letters.length)] ?? ' ';
    const swing = 0.78 + 0.22 * Math.sin(index * 1.7 + letters.length);
    return loudness(letter) * swing;
  });
}

function loudness(letter: string): number {
  if (/[\s.,;:!?…–-]/.test(letter)) return 0.12;
  return /[aeiouyäöüáéíóúàèìòùâêîôûãõ]/.test(letter) ? 1 : 0.55;
}

/** Moments to mark on the axis: about `most` of them, at round distances. */
export function ticksOf(lengthMs: number, most: number): readonly number[] {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];
  const step = (steps.find((s) => lengthMs / (s * 1_000) <= most) ?? 3_600) * 1_000;
  return Array.from({ length: Math.floor(lengthMs / step) + 1 }, (_, index) => index * step);
}
