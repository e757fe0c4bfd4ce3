/** Cuts the microphone's stream into whole frames. Pure: the capture worklet feeds it quanta. */
export class Framer {
  readonly #size: number;
  #frame: Float32Array<ArrayBuffer>;
  #filled = 0;

  constructor(size: number) {
    this.#size = size;
    this.#frame = new Float32Array(size);
  }

  /** The frames that `samples` completes; the rest waits for the next call. */
  push(samples: Float32Array): Float32Array<ArrayBuffer>[] {
    const whole: Float32Array<ArrayBuffer>[] = [];
    let taken = 0;
    while (taken < samples.length) {
      const count = Math.min(this.#size - this.#filled, samples.length - taken);
      this.#frame.set(samples.subarray(taken, taken + count), this.#filled);
      this.#filled += count;
      taken += count;
      if (this.#filled === this.#size) {
        whole.push(this.#frame);
        this.#frame = new Float32Array(this.#size);
        this.#filled = 0;
      }
    }
    return whole;
  }
}
