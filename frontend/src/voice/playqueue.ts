/**
 * What the ear is still owed, and what it has already had. Pure: the playback worklet pulls from
 * it one render quantum at a time.
 *
 *   hold ──(prebuffer full, or waited long enough)──▶ play ──(dry)──▶ hold
 *                         flush: from anywhere to hold, after a short fade
 */

export interface Position {
  readonly item: string;
  /** Milliseconds of the item that were rendered, in all. */
  readonly ms: number;
}

interface Chunk {
  readonly item: string;
  readonly samples: Float32Array;
}

/** Flushed items whose late audio is still refused. */
const DEAD_LIMIT = 64;
/** Ten minutes at 24 kHz: more than any reply, and the most one page will hold. */
const QUEUE_LIMIT_MS = 600_000;
/** A short item may never fill the prebuffer; it does not wait longer than this. */
const PATIENCE_MS = 120;
const FADE_MS = 5;

export class PlayQueue {
  readonly #rateHz: number;
  readonly #prebufferMs: number;
  readonly #dead = new Set<string>();
  #chunks: Chunk[] = [];
  #offset = 0;
  #queued = 0;
  #waited = 0;
  #holding = true;
  #item: string | null = null;
  #played = 0;
  #told = true;
  #finished: Position[] = [];
  #tail: Float32Array = new Float32Array(0);

  constructor(rateHz: number, prebufferMs: number) {
    this.#rateHz = rateHz;
    this.#prebufferMs = prebufferMs;
  }

  /** False where the item was flushed before, or the queue is full: the audio is dropped. */
  push(item: string, samples: Float32Array): boolean {
    if (this.#dead.has(item) || this.#ms(this.#queued) > QUEUE_LIMIT_MS) return false;
    if (samples.length === 0) return true;
    this.#chunks.push({ item, samples });
    this.#queued += samples.length;
    return true;
  }

  /** Fill `out` with what comes next, silence where there is nothing. True where it sounds. */
  pull(out: Float32Array): boolean {
    out.fill(0);
    const faded = this.#fade(out);
    if (!this.#ready(out.length)) return faded;
    let filled = 0;
    while (filled < out.length && this.#chunks.length > 0) filled += this.#copy(out, filled);
    if (this.#chunks.length === 0) this.#runDry();
    return filled > 0 || faded;
  }

  /** Silence from the next quantum on. Returns where the play head stood. */
  flush(): Position | null {
    const position = this.position();
    this.#tail = this.#holding ? new Float32Array(0) : this.#fadeOut();
    if (this.#item !== null) this.#bury(this.#item);
    for (const chunk of this.#chunks) this.#bury(chunk.item);
    this.#chunks = [];
    this.#queued = 0;
    this.#offset = 0;
    this.#told = true;
    this.#hold();
    return position;
  }

  /** The item under the play head, or the last one that was. */
  position(): Position | null {
    return this.#item === null ? null : { item: this.#item, ms: this.#ms(this.#played) };
  }

  /** Items played to the end of what was queued, since the last call. */
  finished(): Position[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  #ready(quantum: number): boolean {
    if (this.#chunks.length === 0) return false;
    if (!this.#holding) return true;
    this.#waited += quantum;
    const full = this.#ms(this.#queued) >= this.#prebufferMs;
    if (!full && this.#ms(this.#waited) < PATIENCE_MS) return false;
    this.#holding = false;
    return true;
  }

  #copy(out: Float32Array, at: number): number {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return 0;
    this.#enter(chunk.item);
    const count = Math.min(out.length - at, chunk.samples.length - this.#offset);
    out.set(chunk.samples.subarray(this.#offset, this.#offset + count), at);
    this.#offset += count;
    this.#played += count;
    this.#told = false;
    this.#queued -= count;
    if (this.#offset === chunk.samples.length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
    return count;
  }

  #enter(item: string): void {
    if (item === this.#item) return;
    this.#finish();
    this.#item = item;
    this.#played = 0;
  }

  #runDry(): void {
    this.#finish();
    this.#hold();
  }

  #finish(): void {
    const position = this.position();
    if (position !== null && !this.#told) this.#finished.push(position);
    this.#told = true;
  }

  #hold(): void {
    this.#holding = true;
    this.#waited = 0;
  }

  #fadeOut(): Float32Array {
    const next = this.#chunks[0]?.samples.subarray(this.#offset) ?? new Float32Array(0);
    const tail = next.slice(0, Math.floor((this.#rateHz * FADE_MS) / 1000));
    return tail.map((sample, index) => sample * (1 - (index + 1) / tail.length));
  }

  #fade(out: Float32Array): boolean {
    if (this.#tail.length === 0) return false;
    const count = Math.min(out.length, this.#tail.length);
    out.set(this.#tail.subarray(0, count));
    this.#tail = this.#tail.slice(count);
    return true;
  }

  #bury(item: string): void {
    this.#dead.add(item);
    const oldest = this.#dead.values().next().value;
    if (this.#dead.size > DEAD_LIMIT && oldest !== undefined) this.#dead.delete(oldest);
  }

  #ms(samples: number): number {
    return (samples * 1000) / this.#rateHz;
  }
}
