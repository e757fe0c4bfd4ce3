// Generated from src/switchboard/browser/protocol.py by
// `python -m switchboard.browser.typescript`. Edit that file, not this one.

/** The WebSocket subprotocol both sides must name. */
export const SUBPROTOCOL = 'switchboard.v1';
/** A second subprotocol, `ticket.<ticket>`, is the right to open the socket: kept out of URLs. */
export const TICKET_PREFIX = 'ticket.';
/** Carries the right to a WebRTC call with each of its requests; good as long as the call. */
export const TICKET_HEADER = 'Switchboard-Ticket';
/** A larger frame from a page ends its socket (1009). */
export const MAX_FRAME_BYTES = 65536;
/** An SDP offer longer than this is refused. */
export const MAX_OFFER_CHARS = 65536;

/** 20 ms of the microphone. */
export interface AudioIn {
  readonly type: 'audio';
  readonly audio: string;
}

/** A typed turn. */
export interface TextIn {
  readonly type: 'text';
  readonly id: string;
  readonly text: string;
}

/**
 * How much of an item the speaker has played, in all. Sent while playing, every 100 ms or so,
 * at its end, and as the answer to `flush`.
 */
export interface Played {
  readonly type: 'played';
  readonly item: string;
  readonly ms: number;
}

/** A telephone key. */
export interface Key {
  readonly type: 'key';
  readonly key: string;
}

/** The caller's answer to a tool that asks for consent, or to being recorded: `recording`. */
export interface Decide {
  readonly type: 'decide';
  readonly call: string;
  readonly agreed: boolean;
}

/**
 * The caller asks by a button, not in words, to speak to a human. It becomes a typed turn.
 * `withdraw`: they no longer want one.
 */
export interface Human {
  readonly type: 'human';
  readonly withdraw?: boolean;
}

/** Goodbye. */
export interface End {
  readonly type: 'end';
}

/** Answered at once by `pong`. */
export interface Ping {
  readonly type: 'ping';
  readonly at: number;
}

/** A fresh token of the same person's: the answer to `tokenWanted`. */
export interface Renew {
  readonly type: 'renew';
  readonly token: string;
}

/** `POST /api/calls` */
export interface PlaceCall {
  readonly agent: string;
  readonly voice?: string | null;
  readonly model?: string | null;
  /** An SDP offer makes it a call over WebRTC, answered by `RtcPlaced`. */
  readonly offer?: string | null;
}

/** `POST /api/calls/{id}/offers` */
export interface NewOffer {
  readonly offer: string;
}

/**
 * The call is connected. `resume` opens one new socket, should this one be lost; it is empty
 * over WebRTC, where the call's ticket is good for every new stream.
 */
export interface Ready {
  readonly type: 'ready';
  readonly call: string;
  readonly resume: string;
  readonly reattachSeconds: number;
  readonly resumed: boolean;
}

/** Audio of a reply, faster than real time: the page queues it. */
export interface AudioOut {
  readonly type: 'audio';
  readonly item: string;
  readonly audio: string;
}

/** Silence now: drop what is queued; answer with `played` for the item under the play head. */
export interface Flush {
  readonly type: 'flush';
}

export interface Floor {
  readonly type: 'floor';
  readonly floor: 'agent' | 'caller' | 'nobody' | 'thinking';
}

/** A transcript line, whole each time it changes; keyed by `id`, placed by `beganMs`. */
export interface Line {
  readonly type: 'line';
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
  readonly type: 'tool';
  readonly id: string;
  readonly name: string;
  /** What the tool does, in words: "Check your balance". */
  readonly title: string;
  readonly state: 'abandoned' | 'asking' | 'declined' | 'done' | 'failed' | 'running';
  readonly beganMs: number;
  /** The JSON the model sent, parsed; the raw text where it did not parse. */
  readonly arguments: unknown;
  readonly result: unknown;
  readonly durationMs: number | null;
  readonly question: string | null;
}

export interface Interruption {
  readonly type: 'interruption';
  readonly item: string;
  readonly heardMs: number;
  readonly atMs: number;
}

/** End of speech to first audio, of one turn. */
export interface Latency {
  readonly type: 'latency';
  readonly reply: string;
  readonly firstAudioMs: number;
  readonly firstHeardMs: number | null;
}

/** Something to tell the caller, next to where it happened. */
export interface Notice {
  readonly type: 'notice';
  readonly code: string;
  readonly text: string;
}

/**
 * Whether the call is recorded. While `asked`, a `decide` that names the call `recording`
 * answers.
 */
export interface Recording {
  readonly type: 'recording';
  readonly state: 'asked' | 'off' | 'paused' | 'running' | 'told';
  /** What the caller is told, word for word. */
  readonly notice: string;
}

/**
 * WebRTC: the service has let the call's media go. Make a new connection and post its offer to
 * the call's `offers`.
 */
export interface Reoffer {
  readonly type: 'reoffer';
}

/** The last message of a call. */
export interface Ended {
  readonly type: 'ended';
  readonly reason: string;
  readonly text: string;
}

/** A message of the page was not understood or not allowed. `fatal` precedes a close. */
export interface Refused {
  readonly type: 'refused';
  readonly code: string;
  readonly text: string;
  readonly fatal: boolean;
}

export interface Pong {
  readonly type: 'pong';
  readonly at: number;
}

/** The caller's token runs out soon: answer with `renew`, or lose the line a minute after. */
export interface TokenWanted {
  readonly type: 'tokenWanted';
}

/** The answer to a good `renew`. */
export interface TokenTaken {
  readonly type: 'tokenTaken';
  /** Epoch seconds. */
  readonly until: number;
}

export interface VoiceChoice {
  readonly id: string;
  readonly title: string;
}

export interface ModelChoice {
  readonly id: string;
  readonly title: string;
  /** How it can be talked to here. */
  readonly connections: readonly ('webrtc' | 'websocket')[];
}

/** An agent as the page may know it: no prompt, no tool schema. */
export interface AgentChoice {
  readonly id: string;
  /** "Contoso Bank" */
  readonly title: string;
  readonly tagline: string;
  /** CSS colour, one that passes contrast on light; `accentDark` on dark. */
  readonly accent: string;
  readonly accentDark: string;
  readonly suggestions: readonly string[];
  readonly voice: string;
  readonly model: string;
  /**
   * Whether calls with it are, once the caller knows: over WebRTC none can be, and where all
   * must be, none is taken there.
   */
  readonly recorded: 'always' | 'maybe' | 'never';
}

/** The telephone, as this visitor may use it. */
export interface PhoneChoice {
  /** Rings an agent, written for people: "+44 20 7946 0018". */
  readonly number: string;
  /** Who answers there. */
  readonly agent: string;
  /** This visitor may have themselves rung: `POST /api/phone/calls`. */
  readonly callMe: boolean;
}

/** Somebody who has signed in. */
export interface You {
  readonly name: string;
  readonly operator: boolean;
  /** Where to go to sign out, if that is not the page's own business. */
  readonly signOut: string | null;
}

/** `GET /api/sign-in`: where a page gets the token that it shows as a bearer. */
export interface SignInChoice {
  readonly clientId: string;
  /** Of the tenant: `https://login.microsoftonline.com/<tenant>`. */
  readonly authority: string;
  readonly scope: string;
}

/** Answer to `GET /api/sign-in`, which anybody may ask. */
export interface SignInOffer {
  readonly signIn: SignInChoice | null;
}

/** `GET /api/config` */
export interface PageConfig {
  readonly version: string;
  readonly agents: readonly AgentChoice[];
  readonly defaultAgent: string;
  readonly models: readonly ModelChoice[];
  readonly voices: readonly VoiceChoice[];
  /** What this server offers at all; each model says which of them it can. */
  readonly connections: readonly ('webrtc' | 'websocket')[];
  /** Only where there is a telephone. */
  readonly phone: PhoneChoice | null;
  /** Only where people sign in, and somebody has. */
  readonly you: You | null;
  /** Only for a stranger who may sign in. */
  readonly signIn: SignInChoice | null;
}

/**
 * Answer to `POST /api/calls`. Open `socket` with the subprotocols `switchboard.v1` and
 * `ticket.<ticket>` within `expiresInSeconds`.
 */
export interface CallPlaced {
  readonly call: string;
  readonly socket: string;
  readonly ticket: string;
  readonly expiresInSeconds: number;
}

/**
 * Answer to `POST /api/calls` with an offer; the call has begun. Every request to the three
 * addresses carries `ticket` in the header `Switchboard-Ticket`.
 */
export interface RtcPlaced {
  readonly call: string;
  /** The SDP answer. */
  readonly answer: string;
  /** GET: `text/event-stream` of server messages. */
  readonly events: string;
  /** POST one page message: text, key, decide, human, ping, end. */
  readonly messages: string;
  /** POST a `NewOffer`, for a fresh connection to the same call. */
  readonly offers: string;
  readonly ticket: string;
}

/** Answer to a new offer. */
export interface OfferAnswered {
  readonly answer: string;
}

/** Every error answer over HTTP (RFC 9457 in small). */
export interface Problem {
  readonly code: string;
  readonly text: string;
}

export type PageMessage =
  AudioIn | TextIn | Played | Key | Decide | Human | End | Ping | Renew;

export type ServerMessage =
  Ready | AudioOut | Flush | Floor | Line | Tool | Interruption | Latency | Notice |
  Recording | Reoffer | Ended | Refused | Pong | TokenWanted | TokenTaken;
