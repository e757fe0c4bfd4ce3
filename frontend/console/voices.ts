/** The voices of a call as a console hears them, mixed by the browser. */
import { browserSpeaker, type Speaker } from '../src/voice/speaker';
import playbackUrl from '../src/voice/worklets/playback.ts?worker&url';
import type { Voice } from './protocol.gen';

type Sides = Readonly<Record<Voice['side'], Speaker>>;

export class Voices {
  readonly #sides: Sides;
  #turn = 0;

  private constructor(sides: Sides) {
    this.#sides = sides;
  }

  /** From the click that asked for it, or the browser may keep it silent. */
  static async open(): Promise<Voices> {
    const speaker = browserSpeaker(playbackUrl);
    const events = { played: () => {}, sounding: () => {}, level: () => {} };
    const [caller, agent, operator] = await Promise.all([
      speaker(null, events),
      speaker(null, events),
      speaker(null, events),
    ]);
    return new Voices({ caller, agent, operator });
  }

  play({ side, audio }: Voice): void {
    // What was flushed is refused by its name, so each stretch of the agent's has its own.
    this.#sides[side].play(`${side}-${this.#turn}`, audio);
  }

  hush(): void {
    this.#turn += 1;
    this.#sides.agent.flush();
  }

  close(): void {
    for (const speaker of Object.values(this.#sides)) speaker.close();
  }
}
