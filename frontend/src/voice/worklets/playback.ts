/** The speaker's side of the audio thread: plays the queue, and says what was played. */
import { loudness } from '../pcm';
import { PlayQueue } from '../playqueue';
import type { FromPlayback, ToPlayback } from '../speaker';

const PREBUFFER_MS = 50;
const REPORT_MS = 100;
const LEVEL_MS = 40;

class Playback extends AudioWorkletProcessor {
  readonly #queue = new PlayQueue(sampleRate, PREBUFFER_MS);
  #sounding = false;
  #sinceReport = 0;
  #sinceLevel = 0;
  #peak = 0;

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<ToPlayback>) => this.#take(event.data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0];
    if (out === undefined) return true;
    const sounding = this.#queue.pull(out);
    for (const position of this.#queue.finished()) this.#say({ type: 'played', ...position });
    this.#mark(sounding);
    this.#report(out, (out.length * 1000) / sampleRate);
    return true;
  }

  #take(message: ToPlayback): void {
    if (message.type === 'audio') this.#queue.push(message.item, message.samples);
    else this.#say({ type: 'flushed', position: this.#queue.flush() });
  }

  #mark(sounding: boolean): void {
    if (sounding === this.#sounding) return;
    this.#sounding = sounding;
    this.#sinceReport = 0;
    this.#say({ type: 'sounding', sounding });
  }

  #report(out: Float32Array, ms: number): void {
    this.#peak = Math.max(this.#peak, loudness(out));
    this.#sinceLevel += ms;
    if (this.#sinceLevel >= LEVEL_MS) {
      this.#say({ type: 'level', level: this.#peak });
      this.#sinceLevel = 0;
      this.#peak = 0;
    }
    this.#sinceReport += ms;
    const position = this.#queue.position();
    if (!this.#sounding || position === null || this.#sinceReport < REPORT_MS) return;
    this.#sinceReport = 0;
    this.#say({ type: 'playing', ...position });
  }

  #say(message: FromPlayback): void {
    this.port.postMessage(message);
  }
}

registerProcessor('playback', Playback);
