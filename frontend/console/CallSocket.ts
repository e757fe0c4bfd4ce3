/** The socket of whoever listens to a call, or has taken it over: voices come in, tokens go out. */
import { freshToken } from '../src/api/bearer';
import {
  type DeskMessage,
  type DeskTicket,
  type EarMessage,
  LISTEN_TICKET,
  type ListenTicket,
} from './protocol.gen';
import type { Voices } from './voices';

export interface Told {
  /** It is open. `muted`: no voice comes, for the caller keys something private. */
  readonly open: (muted: boolean) => void;
  /** `lost`: it broke off. */
  readonly over: (lost: boolean) => void;
}

export class CallSocket {
  readonly #socket: WebSocket;
  readonly #voices: Voices;
  readonly #told: Told;
  #closed = false;

  constructor(ticket: ListenTicket | DeskTicket, protocol: string, voices: Voices, told: Told) {
    const url = new URL(ticket.socket, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    this.#voices = voices;
    this.#told = told;
    this.#socket = new WebSocket(url, [protocol, LISTEN_TICKET + ticket.ticket]);
    this.#socket.onopen = () => told.open(false);
    this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)) as EarMessage);
    this.#socket.onclose = ({ code }) => {
      if (!this.#closed) told.over(code !== 1000);
    };
  }

  /** What was sent, and has not left this browser. */
  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: DeskMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  close(): void {
    this.#closed = true;
    this.#socket.close(1000);
  }

  #take(message: EarMessage): void {
    switch (message.type) {
      case 'voice':
        this.#voices.play(message);
        break;
      case 'hush':
        this.#voices.hush();
        break;
      case 'muted':
        this.#told.open(message.muted);
        break;
      case 'over':
        this.#told.over(false);
        break;
      case 'tokenWanted':
        void this.#renew();
        break;
      case 'tokenTaken':
      case 'tokenRefused':
        break;
    }
  }

  /** Asked again until it comes off, or the socket is lost. */
  async #renew(): Promise<void> {
    const token = await freshToken().catch(() => null);
    if (token !== null && !this.#closed) this.send({ type: 'renew', token });
  }
}
