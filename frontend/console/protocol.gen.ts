// Generated from src/switchboard/console/protocol.py by
// `python -m switchboard.console.typescript`. Edit that file, not this one.

/** The WebSocket subprotocol of whoever listens in. */
export const LISTEN_PROTOCOL = 'switchboard.listen.v1';
/** A second subprotocol, `ticket.<ticket>`, is the right to open it: kept out of URLs. */
export const LISTEN_TICKET = 'ticket.';
/** Characters of a whisper or a sentence. */
export const MAX_WORDS = 1000;
/** Characters of what is searched for. */
export const MAX_SEARCH = 100;

/** Tell the agent something that the caller does not hear. */
export interface Whisper {
  readonly type: 'whisper';
  readonly text: string;
}

/** Have the agent say this sentence. */
export interface Say {
  readonly type: 'say';
  readonly text: string;
}

/** Agree to a tool that asks, in the caller's place. */
export interface Approve {
  readonly type: 'approve';
  readonly tool: string;
}

/** Decline a tool that asks. */
export interface Refuse {
  readonly type: 'refuse';
  readonly tool: string;
}

/** Have the agent hand a telephone call to a human. */
export interface Human {
  readonly type: 'human';
}

/** End the call once the agent has said goodbye. */
export interface End {
  readonly type: 'end';
}

/** End the call at once. */
export interface Cut {
  readonly type: 'cut';
}

export interface AgentName {
  readonly id: string;
  readonly title: string;
  readonly accent: string;
  readonly accentDark: string;
}

/** `GET /api/console/me`: who looks, and what they must know to look. */
export interface Me {
  readonly name: string;
  readonly agents: readonly AgentName[];
  readonly version: string;
}

/** What does not change while a call lasts, and how it ended. */
export interface CallFacts {
  readonly id: string;
  readonly agent: string;
  readonly channel: 'browser' | 'phone' | 'webrtc';
  readonly direction: 'in' | 'out';
  /** Who it is, as the records name them. */
  readonly caller: string;
  readonly model: string;
  readonly voice: string;
  readonly beganAt: number;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  readonly outcome: string;
}

/** A row of the live calls. */
export interface LiveCall {
  readonly call: CallFacts;
  readonly floor: 'agent' | 'caller' | 'nobody' | 'thinking';
  readonly lastLine: string;
  readonly lastSpeaker: 'agent' | 'caller' | null;
  /** Of the latest answer. */
  readonly latencyMs: number | null;
  /** `None` where the model has no price. */
  readonly costUsd: number | null;
  /** Tools that wait for somebody's consent. */
  readonly asking: number;
  /** What went wrong within the last minute, in words. */
  readonly trouble: string | null;
}

/** A line of the transcript, whole each time it changes; keyed by `id`. */
export interface Line {
  readonly id: string;
  readonly speaker: 'agent' | 'caller';
  readonly text: string;
  readonly state: 'cut' | 'final' | 'partial';
  readonly beganMs: number;
  readonly heardChars: number | null;
  readonly typed: boolean;
}

/** A tool call, whole each time it changes; keyed by `id`. */
export interface Tool {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly state: 'abandoned' | 'asking' | 'declined' | 'done' | 'failed' | 'running';
  readonly beganMs: number;
  readonly arguments: unknown;
  readonly result: unknown;
  readonly durationMs: number | null;
  readonly question: string | null;
}

export interface Interruption {
  readonly item: string;
  readonly heardMs: number;
  readonly receivedMs: number;
  readonly atMs: number;
}

/** One answered turn: how long the caller waited, and when the answer began. */
export interface Answer {
  readonly reply: string;
  /** `None` for calls of older versions. */
  readonly atMs: number | null;
  readonly firstAudioMs: number;
  readonly firstHeardMs: number | null;
}

/** Who had the floor from then on. Live calls only: it is not recorded. */
export interface FloorAt {
  readonly floor: 'agent' | 'caller' | 'nobody' | 'thinking';
  readonly atMs: number;
}

/** Something that the caller or an operator should know. Live calls only. */
export interface NoticeAt {
  readonly code: string;
  readonly text: string;
  readonly atMs: number;
}

/** Tokens of all replies so far. Cached ones are among those of the input. */
export interface Usage {
  readonly inputText: number;
  readonly inputAudio: number;
  readonly cachedText: number;
  readonly cachedAudio: number;
  readonly outputText: number;
  readonly outputAudio: number;
  readonly costUsd: number | null;
  /** Replies without a price. */
  readonly unpriced: number;
}

/** What an operator did. */
export interface Acted {
  readonly id: string;
  readonly kind: 'approve' | 'cut' | 'end' | 'human' | 'listen' | 'refuse' | 'say' | 'whisper';
  /** Their name. */
  readonly by: string;
  readonly atMs: number;
  readonly text: string | null;
  readonly tool: string | null;
  readonly outcome: 'asked' | 'refused' | 'taken';
}

/** Whether something can be done to this call; if not, why. */
export interface Can {
  readonly ok: boolean;
  readonly why: string | null;
}

/** What can be done to a live call. */
export interface Abilities {
  readonly listen: Can;
  readonly human: Can;
  readonly takeOver: Can;
}

/** `GET /api/console/calls/{id}`: one call, live or past. */
export interface CallDetail {
  readonly call: CallFacts;
  readonly live: boolean;
  readonly floor: 'agent' | 'caller' | 'nobody' | 'thinking';
  readonly lines: readonly Line[];
  readonly tools: readonly Tool[];
  readonly interruptions: readonly Interruption[];
  readonly answers: readonly Answer[];
  readonly floors: readonly FloorAt[];
  readonly notices: readonly NoticeAt[];
  readonly actions: readonly Acted[];
  readonly usage: Usage;
  /** Only of a live call. */
  readonly can: Abilities | null;
}

/** `POST /api/console/calls/{id}/listeners`: open `socket` with it, once, and soon. */
export interface ListenTicket {
  readonly socket: string;
  readonly ticket: string;
}

export interface PastCall {
  readonly call: CallFacts;
  readonly lines: number;
  readonly tools: number;
  readonly toolsFailed: number;
  readonly interruptions: number;
  /** The median of its answers. */
  readonly latencyMs: number | null;
  readonly costUsd: number | null;
  /** Where what was searched for was said first. */
  readonly snippet: string | null;
}

/** `GET /api/console/history` */
export interface History {
  readonly calls: readonly PastCall[];
  /** What to name as `before` for the calls before these. */
  readonly next: string | null;
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Some calls together: all, one day's, one agent's. */
export interface Sum {
  readonly key: string;
  readonly calls: number;
  readonly minutes: number;
  readonly costUsd: number;
  readonly failed: number;
  readonly interrupted: number;
  readonly latency: Percentiles;
}

export interface ToolSum {
  readonly name: string;
  readonly title: string;
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number | null;
}

export interface Count {
  readonly key: string;
  readonly count: number;
}

/** `GET /api/console/overview` */
export interface Overview {
  readonly total: Sum;
  /** Each day asked for, `2026-03-04`, calls or none. */
  readonly days: readonly Sum[];
  readonly agents: readonly Sum[];
  readonly channels: readonly Count[];
  readonly outcomes: readonly Count[];
  readonly tools: readonly ToolSum[];
  /** Answers by how long they took, in steps of `latencyStepMs`; the last takes all above. */
  readonly latencies: readonly number[];
  readonly latencyStepMs: number;
  readonly unpriced: number;
  /** False where there were more calls than are counted. */
  readonly whole: boolean;
}

/** All live calls: the first event of the stream, and of each that is opened again. */
export interface LiveNow {
  readonly type: 'live';
  readonly calls: readonly LiveCall[];
  /** The server's clock, by which lengths are told. */
  readonly at: number;
}

/** One live call, new or changed. */
export interface Row {
  readonly type: 'row';
  readonly row: LiveCall;
}

/** It has ended. */
export interface Gone {
  readonly type: 'gone';
  readonly id: string;
}

/** One call as it stands: the first event of its stream. */
export interface DetailNow {
  readonly type: 'detail';
  readonly detail: CallDetail;
  readonly at: number;
}

export interface LineNow {
  readonly type: 'line';
  readonly line: Line;
}

export interface ToolNow {
  readonly type: 'tool';
  readonly tool: Tool;
}

export interface InterruptionNow {
  readonly type: 'interruption';
  readonly interruption: Interruption;
}

export interface AnswerNow {
  readonly type: 'answer';
  readonly answer: Answer;
}

export interface FloorNow {
  readonly type: 'floor';
  readonly floor: FloorAt;
}

export interface NoticeNow {
  readonly type: 'notice';
  readonly notice: NoticeAt;
}

export interface UsageNow {
  readonly type: 'usage';
  readonly usage: Usage;
}

export interface ActedNow {
  readonly type: 'acted';
  readonly action: Acted;
}

/** The last event of a call. */
export interface Ended {
  readonly type: 'ended';
  readonly call: CallFacts;
}

/** The last event of a stream that was not read fast enough, or of one too many. */
export interface Dropped {
  readonly type: 'dropped';
  readonly text: string;
}

/** Base64 PCM 24 kHz mono of one side; the agent's comes faster than it is spoken. */
export interface Voice {
  readonly type: 'voice';
  readonly side: 'agent' | 'caller';
  readonly audio: string;
}

/** The agent was silenced: drop what is queued of it. */
export interface Hush {
  readonly type: 'hush';
}

/** The caller keys something private: there is nothing to hear until that is over. */
export interface Muted {
  readonly type: 'muted';
  readonly muted: boolean;
}

/** The call has ended. */
export interface Over {
  readonly type: 'over';
}

export type Deed =
  Whisper | Say | Approve | Refuse | Human | End | Cut;

export type StreamMessage =
  LiveNow | Row | Gone | DetailNow | LineNow | ToolNow | InterruptionNow | AnswerNow |
  FloorNow | NoticeNow | UsageNow | ActedNow | Ended | Dropped;

export type EarMessage =
  Voice | Hush | Muted | Over;
