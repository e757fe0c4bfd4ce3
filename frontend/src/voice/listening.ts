/** The agent's voice where the browser plays it by itself, and how loud both voices are. */
import type { Levels } from './connection';
import { sendTo } from './devices';
import { Meter } from './meter';

/** Louder than this is speech; comfort noise is not. */
const AUDIBLE = 0.004;
/** Between syllables a voice is silent, and still speaks. */
const HOLD_MS = 300;
const LOOK_MS = 40;

export class Listening {
  readonly #element = new Audio();
  readonly #context = new AudioContext({ latencyHint: 'interactive' });
  readonly #agent = new Meter(this.#context);
  readonly #caller = new Meter(this.#context);
  readonly #sounding: (sounding: boolean) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #sounds = false;
  #loudAt = 0;

  /** Make it in a click: a context born elsewhere may stay silent. */
  constructor(sounding: (sounding: boolean) => void) {
    this.#sounding = sounding;
    this.#element.autoplay = true;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    void this.#context.resume();
  }

  async hearOn(speaker: string | null): Promise<void> {
    await sendTo(this.#element, speaker);
  }

  /** False where the browser will not let it sound. */
  async hear(voice: MediaStream): Promise<boolean> {
    this.#element.srcObject = voice;
    this.#agent.watch(voice);
    try {
      await this.#element.play();
      return true;
    } catch (error) {
      // Another voice took its place, or the call ended: nothing was forbidden.
      return !(error instanceof DOMException && error.name === 'NotAllowedError');
    }
  }

  speak(mouth: MediaStream | null): void {
    this.#caller.watch(mouth);
  }

  levels(): Levels {
    return { caller: this.#caller.level(), agent: this.#agent.level() };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#element.pause();
    this.#element.srcObject = null;
    this.#agent.watch(null);
    this.#caller.watch(null);
    if (this.#context.state !== 'closed') void this.#context.close();
  }

  #look(): void {
    const now = performance.now();
    if (this.#agent.level() > AUDIBLE) this.#loudAt = now;
    const sounds = this.#loudAt > 0 && now - this.#loudAt < HOLD_MS;
    if (sounds === this.#sounds) return;
    this.#sounds = sounds;
    this.#sounding(sounds);
  }
}
