/**
 * A call over a WebSocket, joined again when the link breaks.
 *
 *   joining ──Ready──▶ joined ──broken──▶ away ──Ready (resumed)──▶ joined
 *      └─closed─▶ gone            └─closed for good / time is up─▶ gone
 */
import type { Network } from './network';
import type { CallPlaced, PageMessage } from './protocol.gen';
import { SUBPROTOCOL, TICKET_PREFIX } from './protocol.gen';
import type { Gone, Transport, TransportEvents } from './transport';
import { read } from './wire';

export interface WebSocketOptions {
  readonly dial: (url: string, protocols: string[]) => WebSocket;
  /** Where the page came from: a relative socket address starts there. */
  readonly origin: string;
  readonly network?: Network | undefined;
  readonly pingMs?: number;
  readonly backOffMs?: readonly number[];
  /** How long a first or repeated join may take. */
  readonly joinMs?: number;
  /** How long a line may take to show that it outlived a change of network. */
  readonly probeMs?: number;
}

/** Audio waits no longer than about a second and a half of itself; words always wait. */
const BEHIND_BYTES = 98_304;
const PING_MS = 10_000;
const JOIN_MS = 10_000;
const PROBE_MS = 2_000;
const BACK_OFF_MS = [100, 250, 500, 1_000, 2_000];
const GOODBYE = 1_000;
/** The server heard nothing for too long, from a page that slept perhaps; the call waits. */
const IDLE = 4_408;
const OPEN = 1;

/** Closed by the server's decision, not by accident: trying again would change nothing. */
export function isFinal(code: number): boolean {
  if (code === IDLE) return false;
  return [1_000, 1_002, 1_003, 1_007, 1_008, 1_009].includes(code) || code >= 4_000;
}

export function openWebSocket(
  placed: CallPlaced,
  events: TransportEvents,
  options: WebSocketOptions,
): Transport {
  return new CallSocket(placed, events, options);
}

class CallSocket implements Transport {
  readonly #events: TransportEvents;
  readonly #options: WebSocketOptions;
  readonly #url: string;
  readonly #backOffMs: readonly number[];
  readonly #stopListening: () => void;
  #socket: WebSocket | null = null;
  #ticket: string;
  #reattachMs = 0;
  #deadline = 0;
  #attempt = 0;
  #joined = false;
  #over = false;
  #heardSincePing = true;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(placed: CallPlaced, events: TransportEvents, options: WebSocketOptions) {
    this.#events = events;
    this.#options = options;
    this.#ticket = placed.ticket;
    this.#backOffMs = options.backOffMs ?? BACK_OFF_MS;
    const url = new URL(placed.socket, options.origin);
    url.protocol = url.protocol.replace('http', 'ws');
    this.#url = url.href;
    this.#stopListening = options.network?.((online) => this.#changed(online)) ?? (() => undefined);
    this.#join();
  }

  send(message: PageMessage): boolean {
    const socket = this.#socket;
    if (socket === null || !this.#joined || socket.readyState !== OPEN) return false;
    if (message.type === 'audio' && socket.bufferedAmount > BEHIND_BYTES) return false;
    socket.send(JSON.stringify(message));
    return true;
  }

  close(): void {
    if (!this.#over) this.send({ type: 'end' });
    this.#finish();
  }

  #join(): void {
    const socket = this.#options.dial(this.#url, [SUBPROTOCOL, `${TICKET_PREFIX}${this.#ticket}`]);
    this.#socket = socket;
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#hear(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#closed(event.code);
    };
    // A failed socket closes as well; the close is what counts.
    socket.onerror = () => undefined;
    this.#later(this.#options.joinMs ?? JOIN_MS, () => this.#abandon());
  }

  #hear(frame: unknown): void {
    const message = read(frame);
    this.#heardSincePing = true;
    if (message === null) return;
    if (message.type === 'ready') {
      this.#ticket = message.resume;
      this.#reattachMs = message.reattachSeconds * 1_000;
      this.#arrived();
    }
    if (message.type === 'ended' || (message.type === 'refused' && message.fatal))
      this.#over = true;
    this.#events.message(message);
  }

  #arrived(): void {
    this.#clear();
    this.#joined = true;
    this.#attempt = 0;
    this.#deadline = 0;
    this.#heardSincePing = true;
    this.#later(this.#options.pingMs ?? PING_MS, () => this.#ping());
  }

  /** A link that answers nothing between two pings is taken for lost. */
  #ping(): void {
    if (!this.#heardSincePing) {
      this.#abandon();
      return;
    }
    this.#heardSincePing = false;
    this.send({ type: 'ping', at: performance.now() });
    this.#later(this.#options.pingMs ?? PING_MS, () => this.#ping());
  }

  /** The network changed: a line that is joined must show that it lives; one that is away hurries. */
  #changed(online: boolean): void {
    if (this.#over) return;
    if (this.#joined) {
      this.#heardSincePing = false;
      this.send({ type: 'ping', at: performance.now() });
      this.#later(this.#options.probeMs ?? PROBE_MS, () => {
        if (this.#joined && !this.#heardSincePing) this.#abandon();
      });
    } else if (online && this.#socket === null && this.#deadline > 0) {
      this.#clear();
      this.#attempt = 0;
      this.#join();
    }
  }

  #abandon(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#closed(1_006);
  }

  #closed(code: number): void {
    this.#socket = null;
    const wasJoined = this.#joined;
    this.#joined = false;
    this.#clear();
    if (this.#over) this.#goneFor('over');
    else if (this.#reattachMs === 0) this.#goneFor('refused');
    else if (isFinal(code)) this.#goneFor(code === GOODBYE ? 'over' : 'refused');
    else this.#comeBack(wasJoined);
  }

  #comeBack(wasJoined: boolean): void {
    if (wasJoined) {
      this.#deadline = Date.now() + this.#reattachMs;
      this.#events.away(this.#reattachMs);
    }
    if (this.#over) return;
    const wait = this.#backOffMs[Math.min(this.#attempt, this.#backOffMs.length - 1)] ?? 0;
    this.#attempt += 1;
    const left = this.#deadline - Date.now();
    if (left <= 0) this.#goneFor('lost');
    else this.#later(Math.min(wait, left), () => this.#join());
  }

  #goneFor(why: Gone): void {
    this.#finish();
    this.#events.gone(why);
  }

  #finish(): void {
    this.#over = true;
    this.#joined = false;
    this.#stopListening();
    this.#clear();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(GOODBYE);
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
