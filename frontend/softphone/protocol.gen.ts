// Generated from src/switchboard_local/softphone/protocol.py by
// `python scripts/softphone_types.py`. Edit that file, not this one.

export const PATH = '/local/softphone';
/** Telephones on one page. */
export const MAX_LINES = 4;
export const MAX_SOUND_BYTES = 4800;
export const MAX_TEXT = 500;

/** Be rung on this number from now on. */
export interface Claim {
  readonly type: 'claim';
  readonly line: number;
  /** Unset: any that nobody has. */
  readonly number?: string | null;
  /** Take it from another page, unless that is using it; else the next free one will do. */
  readonly insist?: boolean;
}

/** Have no such telephone any more. */
export interface Unplug {
  readonly type: 'unplug';
  readonly line: number;
}

/** Ring somebody. */
export interface Dial {
  readonly type: 'dial';
  readonly line: number;
  readonly number: string;
}

/** Take the call that rings. */
export interface Answer {
  readonly type: 'answer';
  readonly line: number;
}

/** Refuse it. */
export interface Decline {
  readonly type: 'decline';
  readonly line: number;
}

/** End the call, or ring no longer. */
export interface HangUp {
  readonly type: 'hang_up';
  readonly line: number;
}

/** Press keys during the call. */
export interface Press {
  readonly type: 'press';
  readonly line: number;
  readonly keys: string;
}

/** Speak a text with the local voice. */
export interface Say {
  readonly type: 'say';
  readonly line: number;
  readonly text: string;
}

/** Hold this line's telephone to the ear, and speak into it. */
export interface Select {
  readonly type: 'select';
  readonly line: number;
}

/** The first word. */
export interface Welcome {
  readonly type: 'welcome';
  /** The one to ring. */
  readonly agent_number: string;
}

/** One telephone as it is; said each time that changes. */
export interface LineNow {
  readonly type: 'line';
  readonly line: number;
  readonly number: string;
  readonly state: 'calling' | 'ended' | 'idle' | 'ringing' | 'talking' | 'unplugged';
  /** Whom one rings, is rung by or speaks with. */
  readonly other: string;
  readonly held: boolean;
  /** Typed text is being spoken. */
  readonly speaking: boolean;
  /** Why it ended, or is unplugged. */
  readonly text: string;
}

/** What the local ears made of what the line heard. */
export interface Words {
  readonly type: 'words';
  readonly line: number;
  readonly text: string;
}

/** The other side pressed a key. */
export interface KeyHeard {
  readonly type: 'key';
  readonly line: number;
  readonly key: string;
}

/** A wish that cannot be. */
export interface Trouble {
  readonly type: 'trouble';
  readonly line: number;
  readonly text: string;
}

/** What passed lately, oldest first. */
export interface Flowed {
  readonly type: 'flow';
  readonly passages: readonly Passage[];
}

/** One thing that passed between the carrier and the agent's server, or goes on. */
export interface Passage {
  /** The same one may be said again, with another note. */
  readonly id: number;
  /** When it began: milliseconds since 1970. */
  readonly at_ms: number;
  readonly kind: 'callback' | 'event' | 'key' | 'media' | 'request' | 'stop';
  readonly way: 'to_agent' | 'to_carrier';
  readonly title: string;
  /** The carrier's id of the call; empty where it is of none. */
  readonly call: string;
  /** How it was answered; 0 is not at all. */
  readonly status: number | null;
  readonly took_ms: number | null;
  readonly note: string;
  /** JSON without secrets; cut off where it is long. */
  readonly body: string;
}

export type PageMessage =
  Claim | Unplug | Dial | Answer | Decline | HangUp | Press | Say | Select;

export type CloudMessage =
  Welcome | LineNow | Words | KeyHeard | Trouble | Flowed;
