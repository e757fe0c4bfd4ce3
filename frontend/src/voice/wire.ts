/** Reads what the server sends. Everything that crosses the wire is checked before it is typed. */
import type { ServerMessage } from './protocol.gen';

type Check = (value: unknown) => boolean;
type Shapes = {
  readonly [T in ServerMessage['type']]: {
    readonly [F in keyof Omit<Extract<ServerMessage, { type: T }>, 'type'>]: Check;
  };
};

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const flag: Check = (value) => typeof value === 'boolean';
const anything: Check = () => true;
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && words.includes(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || value === undefined || check(value);

const SHAPES: Shapes = {
  ready: { call: text, resume: text, reattachSeconds: number, resumed: flag },
  audio: { item: text, audio: text },
  flush: {},
  floor: { floor: oneOf('nobody', 'caller', 'agent', 'thinking') },
  line: {
    id: text,
    speaker: oneOf('caller', 'agent'),
    text,
    state: oneOf('partial', 'final', 'cut'),
    beganMs: number,
    heardChars: orNull(number),
    typed: orNull(flag),
  },
  tool: {
    id: text,
    name: text,
    title: text,
    state: oneOf('running', 'asking', 'done', 'failed', 'declined', 'abandoned'),
    beganMs: number,
    arguments: anything,
    result: anything,
    durationMs: orNull(number),
    question: orNull(text),
  },
  interruption: { item: text, heardMs: number, atMs: number },
  latency: { reply: text, firstAudioMs: number, firstHeardMs: orNull(number) },
  notice: { code: text, text },
  recording: { state: oneOf('told', 'asked', 'running', 'paused', 'off'), notice: text },
  reoffer: {},
  ended: { reason: text, text },
  refused: { code: text, text, fatal: flag },
  pong: { at: number },
  tokenWanted: {},
  tokenTaken: { until: number },
};

/** Fields the server may leave out, and what their absence means. */
const ABSENT = {
  line: { heardChars: null, typed: false },
  tool: { result: null, durationMs: null, question: null },
  latency: { firstHeardMs: null },
} as const;

/** The message in `frame`, or `null` where it is none of ours: a newer server may say more. */
export function read(frame: unknown): ServerMessage | null {
  const value = parse(frame);
  if (!isRecord(value) || !isKind(value['type'])) return null;
  const kind = value['type'];
  const shape: Readonly<Record<string, Check>> = SHAPES[kind];
  const fits = Object.entries(shape).every(([field, check]) => check(value[field]));
  if (!fits) return null;
  const absent = kind in ABSENT ? ABSENT[kind as keyof typeof ABSENT] : {};
  // Checked field by field just above, which the compiler cannot follow.
  return { ...absent, ...value } as unknown as ServerMessage;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKind(value: unknown): value is ServerMessage['type'] {
  return typeof value === 'string' && Object.hasOwn(SHAPES, value);
}

function parse(frame: unknown): unknown {
  if (typeof frame !== 'string') return null;
  try {
    return JSON.parse(frame);
  } catch {
    return null;
  }
}
