/** How loud a stream is right now, for streams whose samples do not pass through our hands. */
import { loudness } from './pcm';

/** About 43 ms at 48 kHz. */
const WINDOW = 2_048;

export class Meter {
  readonly #context: AudioContext;
  readonly #analyser: AnalyserNode;
  readonly #samples = new Float32Array(WINDOW);
  #source: MediaStreamAudioSourceNode | null = null;

  constructor(context: AudioContext) {
    this.#context = context;
    this.#analyser = new AnalyserNode(context, { fftSize: WINDOW });
  }

  /** A browser that cannot measure this stream shows a flat line; the call goes on. */
  watch(stream: MediaStream | null): void {
    this.#source?.disconnect();
    this.#source = null;
    if (stream === null || stream.getAudioTracks().length === 0) return;
    try {
      this.#source = this.#context.createMediaStreamSource(stream);
      this.#source.connect(this.#analyser);
    } catch {
      this.#source = null;
    }
  }

  /** Between 0 and 1. */
  level(): number {
    if (this.#source === null) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return loudness(this.#samples);
  }
}
