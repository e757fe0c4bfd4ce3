/**
 * What the screen knows of the call. `reduce` is pure and holds every rule; the store around it
 * only remembers and tells.
 *
 *   idle ──dialling──▶ dialling ──ready──▶ live ◀──ready── away
 *     ▲                   │                 │ ──away──▶     │
 *     └──────failed───────┘                 └──ended, gone──┴──▶ ended ──dialling──▶ …
 */
import type { MicrophoneFault } from './devices';
import type { Because, Way } from './plan';
import type {
  Interruption,
  Latency,
  Line,
  Notice,
  Recording,
  ServerMessage,
  Tool,
} from './protocol.gen';

export type Phase = 'idle' | 'dialling' | 'live' | 'away' | 'ended';
export type FloorState = 'nobody' | 'caller' | 'agent' | 'thinking';
export type MicrophoneState = 'off' | 'opening' | 'on' | 'lost' | MicrophoneFault;

export interface LineEntry extends Omit<Line, 'type'> {
  readonly kind: 'line';
  /** Typed here, and not yet confirmed by the server. */
  readonly sending: boolean;
}

export interface ToolEntry extends Omit<Tool, 'type'> {
  readonly kind: 'tool';
  /** What the caller answered here, until the server says what came of it. */
  readonly decided: boolean | null;
}

export interface NoticeEntry extends Omit<Notice, 'type'> {
  readonly kind: 'notice';
  readonly id: string;
  readonly beganMs: number;
}

/** Whether the call is recorded, and what the caller answered here until the server says more. */
export interface RecordingNow extends Omit<Recording, 'type'> {
  readonly decided: boolean | null;
}

export type Entry = LineEntry | ToolEntry | NoticeEntry;

/** Why there is no call, in one word and, where the server had some, in its words. */
export interface Trouble {
  readonly code:
    | 'unreachable'
    | 'busy'
    | 'stopping'
    | 'often'
    | 'spent'
    | 'model'
    | 'stale'
    | 'refused'
    | 'ticket'
    | 'lost'
    | 'sound'
    | 'blocked'
    | 'unsupported'
    | 'declined';
  readonly text: string | null;
}

export interface Snapshot {
  readonly phase: Phase;
  readonly call: string | null;
  /** How the call is carried, and why not as it was wished. */
  readonly way: Way | null;
  readonly because: Because | null;
  readonly floor: FloorState;
  /** Lines, tools and notices in the order of when they began. */
  readonly entries: readonly Entry[];
  /** How fast a turn was answered, by the item that answered it. */
  readonly answers: Readonly<Record<string, Latency>>;
  /** Where the caller cut in, by the item that was cut. */
  readonly interruptions: Readonly<Record<string, Interruption>>;
  /** The item under the play head, and the share of its audio that was heard, 0 to 1. */
  readonly spoken: { readonly item: string; readonly share: number } | null;
  /** The item whose audio came last in this turn; a latency belongs to it, or to the next one. */
  readonly sounded: string | null;
  readonly unplaced: Latency | null;
  readonly microphone: MicrophoneState;
  readonly muted: boolean;
  readonly sounding: boolean;
  /** The caller has asked for a human by the button, and nothing has been answered yet. */
  readonly humanAsked: boolean;
  /** `null` where calls with this agent are not recorded. */
  readonly recording: RecordingNow | null;
  /** A person is being called to this call, or speaks in the agent's place. */
  readonly person: 'none' | 'ringing' | 'here';
  /** To the server and back; over WebRTC, to the voice service. */
  readonly roundTripMs: number | null;
  readonly trouble: Trouble | null;
  readonly ended: { readonly reason: string; readonly text: string } | null;
}

export type PageEvent =
  | { readonly type: 'dialling' }
  | { readonly type: 'failed'; readonly trouble: Trouble }
  | { readonly type: 'way'; readonly way: Way; readonly because: Because | null }
  | { readonly type: 'away' }
  | { readonly type: 'back' }
  | { readonly type: 'gone'; readonly trouble: Trouble | null }
  | { readonly type: 'hungUp' }
  | { readonly type: 'typed'; readonly id: string; readonly text: string }
  | { readonly type: 'decided'; readonly call: string; readonly agreed: boolean }
  | { readonly type: 'humanAsked' }
  | { readonly type: 'microphone'; readonly microphone: MicrophoneState }
  | { readonly type: 'muted'; readonly muted: boolean }
  | { readonly type: 'spoken'; readonly item: string; readonly share: number }
  | { readonly type: 'sounding'; readonly sounding: boolean }
  | { readonly type: 'roundTrip'; readonly ms: number };

export type SessionEvent = ServerMessage | PageEvent;

export const IDLE: Snapshot = {
  phase: 'idle',
  call: null,
  way: null,
  because: null,
  floor: 'nobody',
  entries: [],
  answers: {},
  interruptions: {},
  spoken: null,
  sounded: null,
  unplaced: null,
  microphone: 'off',
  muted: false,
  sounding: false,
  humanAsked: false,
  recording: null,
  person: 'none',
  roundTripMs: null,
  trouble: null,
  ended: null,
};

/** What the server calls the question whether the call may be recorded. */
export const RECORDING = 'recording';

/** Entries the screen keeps; a call that says more loses its oldest ones from view. */
const ENTRY_LIMIT = 2_000;

/** What the screen shows after `event`. Returns `now` itself where nothing changed. */
export function reduce(now: Snapshot, event: SessionEvent): Snapshot {
  switch (event.type) {
    case 'dialling':
      return { ...IDLE, phase: 'dialling', muted: now.muted };
    case 'failed':
      return over(now, 'idle', event.trouble);
    case 'ready':
      return ready(now, event.call);
    case 'away':
      // The wish may have been lost with the link, so it may be said again.
      return answered(turned(now, 'live', 'away'));
    case 'back':
      return turned(now, 'away', 'live');
    case 'way':
      return { ...now, way: event.way, because: event.because };
    case 'gone':
      return now.phase === 'dialling'
        ? over(now, 'idle', event.trouble)
        : closed(now, event.trouble);
    case 'hungUp':
      return now.phase === 'dialling' ? over(now, 'idle', null) : closed(now, null);
    case 'ended':
      return { ...closed(now, null), ended: { reason: event.reason, text: event.text } };
    case 'refused':
      return refused(now, event);
    case 'floor':
      return floor(now, event.floor);
    case 'line':
      return line(isAnswer(now, event) ? answered(now) : now, event);
    case 'tool':
      return tool(now, event);
    case 'notice':
      return notice(personNow(event.code === 'unsent' ? answered(now) : now, event.code), event);
    case 'recording':
      return { ...now, recording: { state: event.state, notice: event.notice, decided: null } };
    case 'audio':
      return sounded(now, event.item);
    case 'latency':
      return latency(now, event);
    case 'interruption':
      return { ...now, interruptions: { ...now.interruptions, [event.item]: event } };
    case 'typed':
      return typed(now, event.id, event.text);
    case 'decided':
      return decided(now, event.call, event.agreed);
    case 'humanAsked':
      return { ...now, humanAsked: true };
    case 'microphone':
      return { ...now, microphone: event.microphone };
    case 'muted':
      return { ...now, muted: event.muted };
    case 'spoken':
      return { ...now, spoken: { item: event.item, share: event.share } };
    case 'sounding':
      return now.sounding === event.sounding ? now : { ...now, sounding: event.sounding };
    case 'roundTrip':
      return { ...now, roundTripMs: event.ms };
    case 'flush':
    case 'pong':
    case 'reoffer':
    case 'tokenWanted':
    case 'tokenTaken':
      return now;
    default:
      return event satisfies never;
  }
}

function ready(now: Snapshot, call: string): Snapshot {
  if (now.phase === 'ended' || now.phase === 'idle') return now;
  return { ...now, phase: 'live', call, trouble: null };
}

function turned(now: Snapshot, from: Phase, to: Phase): Snapshot {
  return now.phase === from ? { ...now, phase: to } : now;
}

/** The wish for a human is no longer on its way: it may be said again. */
function answered(now: Snapshot): Snapshot {
  return now.humanAsked ? { ...now, humanAsked: false } : now;
}

const PERSON: Readonly<Record<string, Snapshot['person']>> = {
  ringing: 'ringing',
  wish_withdrawn: 'none',
  nobody_came: 'none',
  taken_over: 'here',
  handed_back: 'none',
};

function personNow(now: Snapshot, code: string): Snapshot {
  const person = PERSON[code];
  return person === undefined || person === now.person ? now : { ...now, person };
}

function over(now: Snapshot, phase: Phase, trouble: Trouble | null): Snapshot {
  const quiet = { floor: 'nobody', microphone: 'off', sounding: false, spoken: null } as const;
  return { ...now, ...quiet, phase, trouble };
}

function closed(now: Snapshot, trouble: Trouble | null): Snapshot {
  if (now.phase === 'ended' || now.phase === 'idle') return now;
  const entries = now.entries.map(settle);
  return { ...over(now, 'ended', trouble), entries };
}

/** Nothing goes on happening in a call that is over. */
function settle(entry: Entry): Entry {
  if (entry.kind === 'line' && entry.state === 'partial') return { ...entry, state: 'final' };
  if (entry.kind === 'tool' && (entry.state === 'running' || entry.state === 'asking'))
    return { ...entry, state: 'abandoned' };
  return entry;
}

/** What it means to be turned away, by what one was about to do. */
const REFUSED: Partial<Record<Phase, Trouble['code']>> = { dialling: 'ticket', away: 'lost' };

function refused(now: Snapshot, event: { code: string; text: string; fatal: boolean }): Snapshot {
  if (!event.fatal)
    return notice(answered(now), { type: 'notice', code: event.code, text: event.text });
  const trouble: Trouble = { code: REFUSED[now.phase] ?? 'refused', text: event.text };
  return now.phase === 'dialling' ? over(now, 'idle', trouble) : closed(now, trouble);
}

/** When somebody else has the floor, the reply that sounded last is not the next answer. */
function floor(now: Snapshot, state: FloorState): Snapshot {
  if (now.phase === 'ended' || now.phase === 'idle') return now;
  const turned = state === 'caller' || state === 'thinking';
  return { ...now, floor: state, sounded: turned ? null : now.sounded };
}

function line(now: Snapshot, { type: _, ...event }: Line): Snapshot {
  const kept = now.entries.filter(
    (entry) => !(entry.kind === 'line' && entry.sending && isEcho(entry, event)),
  );
  const next = { ...now, entries: place(kept, { ...event, kind: 'line', sending: false }) };
  // Over WebRTC the page is sent no audio: a reply sounds once there are words of it.
  const sounds = now.way === 'webrtc' && isAnswer(now, event);
  return sounds ? sounded(next, event.id) : next;
}

function isAnswer(now: Snapshot, event: Omit<Line, 'type'>): boolean {
  return event.speaker === 'agent' && !isKnown(now, event.id);
}

function isKnown(now: Snapshot, id: string): boolean {
  return now.entries.some((entry) => entry.kind === 'line' && entry.id === id);
}

function isEcho(sent: LineEntry, event: Omit<Line, 'type'>): boolean {
  return sent.id === event.id || (event.typed && sent.text === event.text);
}

function tool(now: Snapshot, { type: _, ...event }: Tool): Snapshot {
  const before = now.entries.find((entry) => entry.kind === 'tool' && entry.id === event.id);
  const asked = before?.kind === 'tool' && before.state === 'asking' && event.state === 'asking';
  const entry: ToolEntry = { ...event, kind: 'tool', decided: asked ? before.decided : null };
  return { ...now, entries: place(now.entries, entry) };
}

function notice(now: Snapshot, { type: _, ...event }: Notice): Snapshot {
  const count = now.entries.filter((entry) => entry.kind === 'notice').length;
  const entry: NoticeEntry = {
    ...event,
    kind: 'notice',
    id: `notice-${count}`,
    beganMs: latest(now),
  };
  return { ...now, entries: place(now.entries, entry) };
}

function typed(now: Snapshot, id: string, text: string): Snapshot {
  const entry: LineEntry = {
    kind: 'line',
    id,
    speaker: 'caller',
    text,
    state: 'partial',
    beganMs: latest(now),
    heardChars: null,
    typed: true,
    sending: true,
  };
  return { ...now, entries: place(now.entries, entry) };
}

function decided(now: Snapshot, call: string, agreed: boolean): Snapshot {
  if (call === RECORDING && now.recording?.state === 'asked')
    return { ...now, recording: { ...now.recording, decided: agreed } };
  const entries = now.entries.map((entry) =>
    entry.kind === 'tool' && entry.id === call && entry.state === 'asking'
      ? { ...entry, decided: agreed }
      : entry,
  );
  return { ...now, entries };
}

function sounded(now: Snapshot, item: string): Snapshot {
  if (item === now.sounded) return now;
  if (now.unplaced === null) return { ...now, sounded: item };
  const answers = { ...now.answers, [item]: now.unplaced };
  return { ...now, sounded: item, unplaced: null, answers };
}

/** Its second report, once the reply is heard, replaces the first. */
function latency(now: Snapshot, event: Latency): Snapshot {
  const known = Object.entries(now.answers).find(([, answer]) => answer.reply === event.reply);
  const item = known?.[0] ?? now.sounded;
  if (item === null) return { ...now, unplaced: event };
  if (known === undefined && now.answers[item] !== undefined) return { ...now, unplaced: event };
  return { ...now, answers: { ...now.answers, [item]: event } };
}

function latest(now: Snapshot): number {
  return now.entries.at(-1)?.beganMs ?? 0;
}

/** Replace the entry of the same kind and id, or insert it after all that began no later. */
function place(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const same = entries.findIndex((other) => other.kind === entry.kind && other.id === entry.id);
  if (same >= 0 && entries[same]?.beganMs === entry.beganMs) return entries.with(same, entry);
  const others = same < 0 ? entries : entries.toSpliced(same, 1);
  const after = others.findLastIndex((other) => other.beganMs <= entry.beganMs);
  return others.toSpliced(after + 1, 0, entry).slice(-ENTRY_LIMIT);
}

export interface Session {
  snapshot(): Snapshot;
  subscribe(listener: () => void): () => void;
  apply(event: SessionEvent): void;
}

export function createSession(): Session {
  let now = IDLE;
  const listeners = new Set<() => void>();
  return {
    snapshot: () => now,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    apply(event) {
      const next = reduce(now, event);
      if (next === now) return;
      now = next;
      for (const listener of listeners) listener();
    },
  };
}
