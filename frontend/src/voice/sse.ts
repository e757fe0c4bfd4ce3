/**
 * Reads a `text/event-stream` as it arrives, in pieces cut anywhere. Pure.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

export interface StreamEvent {
  /** What to name as `Last-Event-ID` when the stream is opened again. */
  readonly id: string;
  readonly data: string;
}

/** An event larger than this is dropped whole: no message of ours comes near it. */
export const EVENT_LIMIT = 1_048_576;

/** The longest name of a field, and then some: with it, what is too large stays too large. */
const FIELD = 16;

export class EventParser {
  #rest = '';
  #afterReturn = false;
  #data: string[] = [];
  #size = 0;
  #id = '';
  #begun = false;

  /** The events that `text` completes. Comments and fields we have no use for are passed over. */
  push(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    for (const line of this.#lines(text)) {
      const event = this.#take(line);
      if (event !== null) events.push(event);
    }
    return events;
  }

  /** Whole lines, ended by LF, CR or both; what follows the last end waits. */
  #lines(text: string): string[] {
    let fresh = this.#begun ? text : text.replace(/^\uFEFF/, '');
    if (fresh === '') return [];
    this.#begun = true;
    // The second half of an end that was cut in two.
    if (this.#afterReturn && fresh.startsWith('\n')) fresh = fresh.slice(1);
    this.#afterReturn = fresh === '' ? this.#afterReturn : fresh.endsWith('\r');
    const lines = (this.#rest + fresh).split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? '').slice(0, EVENT_LIMIT + FIELD);
    return lines;
  }

  #take(line: string): StreamEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id' && !value.includes('\0')) this.#id = value;
    if (field === 'data') this.#add(value);
    return null;
  }

  #add(value: string): void {
    this.#size += value.length;
    if (this.#size <= EVENT_LIMIT) this.#data.push(value);
  }

  #dispatch(): StreamEvent | null {
    const data = this.#data;
    const whole = data.length > 0 && this.#size <= EVENT_LIMIT;
    this.#data = [];
    this.#size = 0;
    return whole ? { id: this.#id, data: data.join('\n') } : null;
  }
}
