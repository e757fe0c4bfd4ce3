/**
 * Brings a microphone that cannot be opened at 24 kHz down (or up) to it, a piece at a time.
 *
 * A windowed sinc, evaluated where each output sample falls: no state but the last few inputs, so
 * the pieces join without a seam. At equal rates it hands the input through.
 */

/** Zero crossings on each side of the kernel: 60 dB down where aliases would be. */
const REACH = 16;

export class Resampler {
  readonly #step: number;
  readonly #cutoff: number;
  readonly #half: number;
  #kept: Float32Array;
  /** Where the next output sample falls, in input samples from the start of `#kept`. */
  #next: number;

  constructor(fromHz: number, toHz: number) {
    this.#step = fromHz / toHz;
    this.#cutoff = Math.min(1, toHz / fromHz);
    this.#half = Math.ceil(REACH / this.#cutoff);
    this.#kept = new Float32Array(this.#half);
    this.#next = this.#half;
  }

  push(input: Float32Array): Float32Array {
    if (this.#step === 1) return input;
    const samples = new Float32Array(this.#kept.length + input.length);
    samples.set(this.#kept);
    samples.set(input, this.#kept.length);
    const count = Math.max(0, Math.ceil((samples.length - this.#half - this.#next) / this.#step));
    const output = new Float32Array(count);
    for (let index = 0; index < count; index += 1) {
      output[index] = this.#at(samples, this.#next + index * this.#step);
    }
    const next = this.#next + count * this.#step;
    const dropped = Math.max(0, Math.floor(next) - this.#half);
    this.#kept = samples.slice(dropped);
    this.#next = next - dropped;
    return output;
  }

  #at(samples: Float32Array, place: number): number {
    const first = Math.max(0, Math.ceil(place - this.#half));
    const last = Math.min(samples.length - 1, Math.floor(place + this.#half));
    let sum = 0;
    for (let index = first; index <= last; index += 1) {
      sum += (samples[index] ?? 0) * this.#kernel(index - place);
    }
    return sum;
  }

  #kernel(distance: number): number {
    const x = distance * this.#cutoff;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / this.#half);
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return this.#cutoff * sinc * window;
  }
}
