/** One interface for whatever carries a call between the page and the server. */
import type { PageMessage, ServerMessage } from './protocol.gen';

/** Why a transport is gone for good. */
export type Gone =
  /** The call is over, by our word or the server's. */
  | 'over'
  /** The server never let us in: the ticket was used or too old. */
  | 'refused'
  /** It was lost, and could not be found again in time. */
  | 'lost';

export interface TransportEvents {
  message(message: ServerMessage): void;
  /** The link broke; the transport is trying to join the call again until `untilMs` from now. */
  away(untilMs: number): void;
  /** The last event. */
  gone(why: Gone): void;
}

export interface Transport {
  /** False where it could not be sent: the link is down, or too far behind for audio. */
  send(message: PageMessage): boolean;
  /** Say goodbye and close. No event follows. */
  close(): void;
}
