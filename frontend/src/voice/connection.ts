/** What carries a call, whichever way: both voices, and every message. */
import type { Microphone } from './microphone';
import type { Because } from './plan';
import type { PageMessage, PlaceCall, ServerMessage } from './protocol.gen';
import type { Trouble } from './session';
import type { Gone } from './transport';

/** The server had no line for us; `trouble` says why. */
export class NotPlaced extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(`call not placed: ${trouble.code}`);
    this.trouble = trouble;
  }
}

/** There is no way for this call by this kind of connection; by another there may be. */
export class NoWay extends NotPlaced {
  readonly because: Exclude<Because, 'model' | 'recorded'>;

  constructor(because: Exclude<Because, 'model' | 'recorded'>, text: string | null = null) {
    super({ code: because, text });
    this.because = because;
  }
}

/** Loudness of both sides between 0 and 1, for whoever draws it. */
export interface Levels {
  readonly caller: number;
  readonly agent: number;
}

export interface ConnectionEvents {
  message(message: ServerMessage): void;
  /** The link broke; it is being mended. */
  away(): void;
  /** It is mended, and the call goes on. */
  back(): void;
  /** The last event. */
  gone(why: Gone): void;
  /** Something the caller must know at once. */
  notice(code: string, text: string): void;
  /** The share of an item that has been heard, 0 to 1. */
  spoken(item: string, share: number): void;
  sounding(sounding: boolean): void;
  roundTrip(ms: number): void;
}

export interface Connection {
  /** The ear, on the output `speaker` or, with `null`, the default. Call it from a click. */
  open(speaker: string | null): Promise<void>;
  /** From here on this microphone is the caller's voice. Raises `MicrophoneFailed`. */
  openMicrophone(device: string | null, lost: () => void): Promise<Microphone>;
  /** Places the call and connects it. Raises `NotPlaced`. */
  dial(wish: PlaceCall, signal: AbortSignal): Promise<void>;
  /** False where it could not be sent: the link is down. */
  send(message: PageMessage): boolean;
  hearOn(speaker: string | null): Promise<void>;
  levels(): Levels;
  /** Say goodbye and close everything. No event follows. */
  close(): void;
}

export type OpenConnection = (events: ConnectionEvents) => Connection;
