/**
 * The microphone's side of the audio thread: 20 ms frames out, one message each.
 *
 * With no microphone connected its input is silence, and silence is what it sends: a service that
 * was listening hears the sentence end.
 */
import { Framer } from '../framer';
import { FRAME_SAMPLES, loudness, RATE_HZ } from '../pcm';
import { Resampler } from '../resample';

const SILENCE = new Float32Array(128);

class Capture extends AudioWorkletProcessor {
  readonly #framer = new Framer(FRAME_SAMPLES);
  readonly #resampler = new Resampler(sampleRate, RATE_HZ);

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0] ?? SILENCE;
    for (const samples of this.#framer.push(this.#resampler.push(input))) {
      this.port.postMessage({ samples, level: loudness(samples) }, [samples.buffer]);
    }
    return true;
  }
}

registerProcessor('capture', Capture);
