// Generated from src/switchboard/console/protocol.py by
// `python -m switchboard.console.typescript`. Edit that file, not this one.

/** The WebSocket subprotocol of whoever listens in. */
export const LISTEN_PROTOCOL = 'switchboard.listen.v1';
/** The WebSocket subprotocol of whoever takes a call over. */
export const DESK_PROTOCOL = 'switchboard.desk.v1';
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

/**
 * Have a telephone call handed to one of the humans whom the agent's profile names; without a
 * name, to whom the agent chooses.
 */
export interface Human {
  readonly type: 'human';
  readonly to?: string | null;
}

/** Say that nobody comes to a caller who waits for a human. */
export interface Decline {
  readonly type: 'decline';
}

/** End the call once the agent has said goodbye. */
export interface End {
  readonly type: 'end';
}

/** End the call at once. */
export interface Cut {
  readonly type: 'cut';
}

/** The voice of the operator who has the call: base64 PCM 24 kHz mono, 20 ms or so. */
export interface Mic {
  readonly type: 'mic';
  readonly audio: string;
}

/** The agent is to go on. `summary`: what was said meanwhile, for it to know. */
export interface HandBack {
  readonly type: 'handBack';
  readonly summary?: string | null;
}

/** Still there, every 5 s. */
export interface DeskPing {
  readonly type: 'ping';
}

/**
 * A fresh token of the same operator's, on the socket of whoever listens in: the answer to
 * `tokenWanted`.
 */
export interface Renew {
  readonly type: 'renew';
  readonly token: string;
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

export interface AgentTool {
  readonly name: string;
  readonly title: string;
  /** For the model. */
  readonly description: string;
  /** JSON Schema. */
  readonly parameters: unknown;
  /** The question that is asked before it runs. */
  readonly confirm: string | null;
  /** It has this tool there only. */
  readonly onTelephone: boolean;
}

/** Somebody a caller is handed to. Their number is not told. */
export interface AgentHuman {
  readonly name: string;
  readonly about: string;
}

export interface AgentLimits {
  readonly maxCallS: number;
  readonly budgetUsd: number | null;
  readonly silenceMs: number;
  readonly reprompts: number;
  readonly slowToolMs: number;
  readonly confirmWindowS: number;
}

/** What is kept of its calls. */
export interface AgentPrivacy {
  /** Kinds of text that are taken out, and the names of its own patterns. */
  readonly redacted: readonly string[];
  readonly countries: readonly string[];
  readonly retentionDays: number;
  readonly recorded: 'always' | 'maybe' | 'never';
  /** What whoever is recorded is told. */
  readonly notice: string | null;
  readonly recordedOnTelephone: boolean;
}

/** `GET /api/console/agents/{id}`: an agent as it is configured at this moment. */
export interface AgentSheet {
  readonly agent: AgentName;
  readonly tagline: string;
  /** Its prompt; empty where a Foundry agent brings its own. */
  readonly instructions: string;
  readonly greeting: string | null;
  readonly model: string;
  /** In words. */
  readonly voice: string;
  readonly language: string;
  readonly tools: readonly AgentTool[];
  readonly humans: readonly AgentHuman[];
  /** Telephone numbers that it answers, E.164. */
  readonly numbers: readonly string[];
  readonly limits: AgentLimits;
  readonly privacy: AgentPrivacy;
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
  /** Which server carries it, by a short name, where several share the database. */
  readonly server: string | null;
}

/** A caller who waits for a human. */
export interface Wish {
  /** Which of the profile's, by name. */
  readonly human: string;
  /** Why, in the agent's words; empty where it did not say. */
  readonly reason: string;
  /** Epoch seconds. */
  readonly since: number;
  /** The last lines of the call, who said it before each. */
  readonly said: readonly string[];
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
  readonly wish: Wish | null;
  /** The operator who has the call. */
  readonly takenBy: string | null;
  /** Its server cannot be reached: this is what is written down of it. */
  readonly written: boolean;
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
  readonly kind: 'approve' | 'cut' | 'decline' | 'deliver' | 'desk_lost' | 'end' | 'hand_back' | 'human' | 'listen' | 'refuse' | 'replay' | 'say' | 'take_over' | 'whisper';
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
  /** Whom a telephone call can be handed to, by name. */
  readonly humans: readonly string[];
}

/** Whether a call is recorded, or was. */
export interface Recording {
  /** Of a live call as its caller is told; of a past one, what became of it. */
  readonly state: 'asked' | 'failed' | 'filed' | 'off' | 'paused' | 'running' | 'stopped' | 'told';
  readonly kept: 'carrier' | 'here';
  /** Where in the call it begins. */
  readonly atMs: number;
  readonly durationMs: number | null;
  /**
   * `GET /api/console/calls/{id}/recording` has its sound: WAV, the caller left, the agent
   * right.
   */
  readonly audio: boolean;
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
  readonly wish: Wish | null;
  readonly takenBy: string | null;
  readonly recording: Recording | null;
}

/** What a call should have come to, and whether it did. */
export interface Goal {
  readonly id: string;
  readonly outcome: 'achieved' | 'not_achieved' | 'partly' | 'unknown';
  readonly reason: string;
}

/** Something that the agent's profile wants to be taken from a call; `null`: it was not said. */
export interface Field {
  readonly name: string;
  readonly value: unknown;
}

/** A message to the agent's webhook. */
export interface Delivery {
  readonly id: string;
  readonly event: 'after.done' | 'after.failed';
  readonly state: 'delivered' | 'given_up' | 'sending' | 'stopped' | 'waiting';
  readonly attempts: number;
  /** Where it was sent to last. */
  readonly host: string | null;
  readonly status: number | null;
  /** Why the last attempt came to nothing. */
  readonly error: string | null;
  /** While it waits, when it is sent. */
  readonly dueAt: number;
  readonly lastAt: number | null;
}

/** `GET /api/console/calls/{id}/after`: what a call came to, once it is over. */
export interface After {
  /** `none`: the agent asks for nothing, or there is nothing in the call to be read. */
  readonly state: 'done' | 'failed' | 'none' | 'waiting' | 'working';
  readonly summary: string | null;
  /** All goals together. */
  readonly outcome: 'achieved' | 'not_achieved' | 'partly' | 'unknown' | null;
  readonly goals: readonly Goal[];
  readonly fields: readonly Field[];
  /** Why there is nothing, or not yet. */
  readonly error: string | null;
  readonly model: string | null;
  /** Of text, both ways. Neither these nor what they cost are in the call's own. */
  readonly tokens: number;
  readonly costUsd: number | null;
  readonly deliveries: readonly Delivery[];
}

/** `POST /api/console/calls/{id}/listeners`: open `socket` with it, once, and soon. */
export interface ListenTicket {
  readonly socket: string;
  readonly ticket: string;
}

/** `POST /api/console/calls/{id}/desk`: open `socket` with it, once, and soon. */
export interface DeskTicket {
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
  /** What it came to, once that is found out. */
  readonly goals: 'achieved' | 'not_achieved' | 'partly' | 'unknown' | null;
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
  /** Calls whose goals were judged to be more than unknown. */
  readonly judged: number;
  /** Of these, those that achieved all of them. */
  readonly achieved: number;
  /** What it cost to find that out. Not in `costUsd`. */
  readonly afterUsd: number;
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

/** A run of `switchboard eval --store`. */
export interface EvalRun {
  readonly id: string;
  readonly beganAt: number;
  /** The channel: `text`, `voice`, `socket`, `phone`. */
  readonly by: string;
  readonly seed: number;
  readonly repeat: number;
  readonly tookS: number;
  readonly conversations: number;
  readonly passed: number;
  /** `GET /api/console/evals/{id}/page` has its HTML, with sound where there is some. */
  readonly hasPage: boolean;
}

/** `GET /api/console/evals`: those that are kept, the newest first. */
export interface EvalRuns {
  readonly runs: readonly EvalRun[];
}

/** A figure over all conversations of a run, and its 95 % interval. */
export interface EvalFigure {
  readonly name: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly count: number;
  readonly unit: 'count' | 'ms' | 's' | 'share' | 'usd';
}

export interface EvalVerdict {
  readonly judge: string;
  readonly passed: boolean;
  /** What was expected, and what was seen. */
  readonly text: string;
}

export interface EvalLine {
  readonly speaker: string;
  readonly text: string;
  readonly atMs: number;
  readonly cut: boolean;
}

export interface EvalTool {
  readonly name: string;
  readonly arguments: unknown;
  readonly state: string;
  readonly atMs: number;
}

/** One conversation. */
export interface EvalResult {
  readonly id: string;
  readonly scenario: string;
  readonly agent: string;
  readonly repetition: number;
  readonly passed: boolean;
  readonly ended: string | null;
  readonly seconds: number;
  readonly turns: number;
  readonly verdicts: readonly EvalVerdict[];
  /** Of those that failed; empty for the others. */
  readonly lines: readonly EvalLine[];
  /** Likewise. */
  readonly tools: readonly EvalTool[];
}

/** `GET /api/console/evals/{id}`: one run. */
export interface EvalDetail {
  readonly run: EvalRun;
  readonly figures: readonly EvalFigure[];
  readonly results: readonly EvalResult[];
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

export interface RecordingNow {
  readonly type: 'recording';
  readonly recording: Recording;
}

export interface UsageNow {
  readonly type: 'usage';
  readonly usage: Usage;
}

export interface ActedNow {
  readonly type: 'acted';
  readonly action: Acted;
}

export interface WishNow {
  readonly type: 'wish';
  readonly wish: Wish | null;
}

/** Who has the call; the agent, where nobody is named. */
export interface TakenNow {
  readonly type: 'taken';
  readonly by: string | null;
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

/** The last event of a stream whose operator's token has run out: ask anew, with a fresh one. */
export interface ComeBack {
  readonly type: 'comeBack';
}

/** Base64 PCM 24 kHz mono of one side; the agent's comes faster than it is spoken. */
export interface Voice {
  readonly type: 'voice';
  readonly side: 'agent' | 'caller' | 'operator';
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

/** The operator's token runs out soon: answer with `renew`, or lose this a minute after. */
export interface TokenWanted {
  readonly type: 'tokenWanted';
}

/** The answer to a good `renew`. */
export interface TokenTaken {
  readonly type: 'tokenTaken';
  /** Epoch seconds. */
  readonly until: number;
}

/** The answer to any other. */
export interface TokenRefused {
  readonly type: 'tokenRefused';
  readonly text: string;
}

export type Deed =
  Whisper | Say | Approve | Refuse | Human | Decline | End | Cut;

export type DeskMessage =
  Mic | HandBack | DeskPing | Renew;

export type StreamMessage =
  LiveNow | Row | Gone | DetailNow | LineNow | ToolNow | InterruptionNow | AnswerNow |
  FloorNow | NoticeNow | RecordingNow | UsageNow | ActedNow | WishNow | TakenNow | Ended
  | Dropped | ComeBack;

export type EarMessage =
  Voice | Hush | Muted | Over | TokenWanted | TokenTaken | TokenRefused;
