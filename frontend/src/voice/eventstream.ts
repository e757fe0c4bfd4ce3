/**
 * The words of a call over WebRTC: the server's come as an event stream that is opened again where
 * it breaks, the page's go out one POST after the other. The voices go elsewhere (`peer.ts`).
 *
 *   opening ──200──▶ up ──broken──▶ again ──200──▶ up
 *                                     └─fails─▶ down ──200──▶ up
 *                                                 └─404, 401, time is up─▶ gone
 */
import type { Network } from './network';
import type { NewOffer, PageMessage, RtcPlaced, ServerMessage } from './protocol.gen';
import { TICKET_HEADER } from './protocol.gen';
import { EventParser } from './sse';
import type { Gone, Transport } from './transport';
import { isRecord, read } from './wire';

export interface StreamEvents {
  message(message: ServerMessage): void;
  up(): void;
  /** It could not be opened again at once; it is being tried until the call's time is up. */
  down(): void;
  /** The last event. */
  gone(why: Gone): void;
  /** The server did not get, or did not want, what the page sent. */
  unsent(text: string | null): void;
}

export interface StreamOptions {
  /** Where the page came from: relative addresses start there. */
  readonly origin: string;
  readonly network?: Network | undefined;
  readonly backOffMs?: readonly number[];
  /** A stream that says nothing for so long is taken for lost; the server pings every 15 s. */
  readonly silenceMs?: number;
}

const BACK_OFF_MS = [100, 250, 500, 1_000, 2_000];
const SILENCE_MS = 40_000;
const PATIENCE_MS = 10_000;
/** Until the server has said how long it waits for us. */
const REATTACH_MS = 10_000;

/** What came of posting a new offer: the SDP answer, or why there is none. */
export type Offered = { readonly answer: string } | 'over' | 'again';

export class EventStream implements Transport {
  readonly #placed: RtcPlaced;
  readonly #events: StreamEvents;
  readonly #options: StreamOptions;
  readonly #stopListening: () => void;
  #life = new AbortController();
  #last = '';
  #heard = false;
  #up = false;
  #over = false;
  #failures = 0;
  #deadline = 0;
  #wake: (() => void) | null = null;
  #posts: Promise<unknown> = Promise.resolve();
  /** How long the server keeps a call whose page is away. */
  reattachMs = REATTACH_MS;

  constructor(placed: RtcPlaced, events: StreamEvents, options: StreamOptions) {
    this.#placed = placed;
    this.#events = events;
    this.#options = options;
    this.#stopListening = options.network?.((online) => this.#changed(online)) ?? (() => undefined);
    void this.#follow();
  }

  get over(): boolean {
    return this.#over;
  }

  send(message: PageMessage): boolean {
    if (this.#over || !this.#up) return false;
    this.#posts = this.#posts.then(() => this.#deliver(message));
    return true;
  }

  /** Raises nothing. */
  async offer(offer: string): Promise<Offered> {
    const wish: NewOffer = { offer };
    const answer = await this.#post(this.#placed.offers, wish).catch(() => null);
    if (answer === null) return 'again';
    if (answer.status === 404 || answer.status === 401) return 'over';
    const body: unknown = await answer.json().catch(() => null);
    const good = answer.ok && isRecord(body) && typeof body['answer'] === 'string';
    return good ? { answer: String(body['answer']) } : 'again';
  }

  close(): void {
    // Beside the queue, and past the end of the page.
    if (!this.#over)
      this.#post(this.#placed.messages, { type: 'end' }, true).catch(() => undefined);
    this.#finish();
  }

  async #follow(): Promise<void> {
    while (!this.#over) {
      const status = await this.#listen();
      this.#up = false;
      if (this.#over) return;
      if (status === 401 || status === 403 || status === 404)
        return this.#goneFor(this.#heard ? 'lost' : 'refused');
      if (!this.#mayGoOn()) return this.#goneFor('lost');
      await this.#pause();
    }
  }

  /** One stream from its opening to its end; the status of one that was refused, else `null`. */
  async #listen(): Promise<number | null> {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const headers = { [TICKET_HEADER]: this.#placed.ticket, accept: 'text/event-stream' };
    const again = this.#last === '' ? {} : { 'last-event-id': this.#last };
    let watchdog = this.#abortIn(PATIENCE_MS);
    try {
      const answer = await fetch(this.#url(this.#placed.events), {
        headers: { ...headers, ...again },
        cache: 'no-store',
        signal,
      });
      if (!answer.ok || answer.body === null) return answer.status;
      this.#opened();
      const parser = new EventParser();
      const decoder = new TextDecoder();
      const reader = answer.body.getReader();
      while (!this.#over) {
        clearTimeout(watchdog);
        watchdog = this.#abortIn(this.#options.silenceMs ?? SILENCE_MS);
        const { done, value } = await reader.read();
        if (done) break;
        for (const event of parser.push(decoder.decode(value, { stream: true }))) {
          this.#last = event.id;
          this.#hear(event.data);
        }
      }
    } catch {
      // However it broke, it is opened again.
    } finally {
      clearTimeout(watchdog);
      this.#life.abort();
    }
    return null;
  }

  #opened(): void {
    this.#up = true;
    this.#failures = 0;
    this.#events.up();
  }

  #hear(data: string): void {
    const message = this.#over ? null : read(data);
    if (message === null) return;
    this.#heard = true;
    if (message.type === 'ready') this.reattachMs = message.reattachSeconds * 1_000;
    this.#events.message(message);
    if (message.type !== 'ended' && !(message.type === 'refused' && message.fatal)) return;
    this.#goneFor('over');
  }

  /** Whether there is still time; the first break is nobody's business but ours. */
  #mayGoOn(): boolean {
    this.#failures += 1;
    if (this.#failures === 1) this.#deadline = Date.now() + this.reattachMs;
    if (this.#failures === 2) this.#events.down();
    return Date.now() < this.#deadline;
  }

  async #pause(): Promise<void> {
    const waits = this.#options.backOffMs ?? BACK_OFF_MS;
    const ms = waits[Math.min(this.#failures, waits.length) - 1] ?? 0;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  /** A line that was there before the network changed is most likely dead. */
  #changed(online: boolean): void {
    if (this.#over || !online) return;
    this.#wake?.();
    this.#life.abort();
  }

  async #deliver(message: PageMessage): Promise<void> {
    if (this.#over) return;
    const answer = await this.#post(this.#placed.messages, message).catch(() => null);
    if (answer?.ok === true || this.#over) return;
    const body: unknown = await answer?.json().catch(() => null);
    this.#events.unsent(isRecord(body) && typeof body['text'] === 'string' ? body['text'] : null);
  }

  #post(path: string, body: PageMessage | NewOffer, keepalive = false): Promise<Response> {
    return fetch(this.#url(path), {
      method: 'POST',
      headers: { 'content-type': 'application/json', [TICKET_HEADER]: this.#placed.ticket },
      body: JSON.stringify(body),
      keepalive,
      signal: keepalive ? null : AbortSignal.timeout(PATIENCE_MS),
    });
  }

  #url(path: string): string {
    return new URL(path, this.#options.origin).href;
  }

  #abortIn(ms: number): ReturnType<typeof setTimeout> {
    const life = this.#life;
    return setTimeout(() => life.abort(), ms);
  }

  #goneFor(why: Gone): void {
    this.#finish();
    this.#events.gone(why);
  }

  #finish(): void {
    this.#over = true;
    this.#up = false;
    this.#stopListening();
    this.#wake?.();
    this.#life.abort();
  }
}
