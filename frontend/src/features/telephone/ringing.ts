/**
 * One telephone that is to ring: asks for it once, then follows it to its end. No React, no browser
 * globals: what it needs comes in as parts.
 *
 *   idle ──call──▶ asking ──placed──▶ under way ──▶ over ──call──▶ asking …
 *                    └──refused──▶ idle, with the trouble
 */
import { NotRung, type RingState, type RingWish, type Rung } from '../../api/telephone';

export interface RingParts {
  readonly ring: (wish: RingWish) => Promise<Rung>;
  readonly look: (call: string) => Promise<Rung>;
  /** 8 to 64 letters, digits, `.`, `_`, `:` or `-`. */
  readonly newOperation: () => string;
  readonly pause: (ms: number) => Promise<void>;
}

export interface Ringing {
  readonly phase: 'idle' | 'asking' | 'under_way' | 'over';
  readonly state: RingState | null;
  readonly reason: string | null;
  /** Why nobody is rung, in words. */
  readonly trouble: string | null;
  /** The server has not answered of late: what is shown may be old. */
  readonly stale: boolean;
}

export const NOT_RINGING: Ringing = {
  phase: 'idle',
  state: null,
  reason: null,
  trouble: null,
  stale: false,
};

export const NO_NUMBER =
  'This is no telephone number. Write it with its country: +44 20 7946 0018.';
const UNKNOWN = 'The server did not answer, so it is not known whether it rings. Try again: ';
/** Pressed again with the same number, it is the same call. */
export const UNCERTAIN = `${UNKNOWN}it will not ring twice.`;
const REFUSED = 'The server would not place this call, and did not say why.';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 8_000;
/** Each look at a call in the same state waits this much longer than the one before. */
const BACK_OFF = 1.4;
const OPEN: readonly RingState[] = ['booked', 'ringing', 'answered'];
/** Statuses that say the call is none of ours: it is not asked for again. */
const LOST: readonly number[] = [401, 403, 404];

/** A number as the server takes it: the country first, E.164's 15 digits at most. */
export function isNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '').length;
  return /^\+[0-9 ()./-]{1,39}$/.test(text) && digits >= 7 && digits <= 15;
}

export class Ringer {
  readonly #parts: RingParts;
  readonly #listeners = new Set<() => void>();
  #now = NOT_RINGING;
  /** What was asked for last, until it is known to be over: asked again, it is the same call. */
  #wish: RingWish | null = null;

  constructor(parts: RingParts) {
    this.#parts = parts;
  }

  snapshot = (): Ringing => this.#now;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Have `agent` ring `text`. While it rings already, nothing happens. */
  call = async (text: string, agent: string): Promise<void> => {
    if (this.#now.phase === 'asking' || this.#now.phase === 'under_way') return;
    const to = text.trim();
    if (!isNumber(to)) return this.#show({ ...NOT_RINGING, trouble: NO_NUMBER });
    const same = this.#wish?.to === to && this.#wish.agent === agent ? this.#wish : null;
    const wish = same ?? { to, agent, operation: this.#parts.newOperation() };
    this.#wish = wish;
    this.#show({ ...NOT_RINGING, phase: 'asking' });
    try {
      await this.#follow(await this.#parts.ring(wish));
    } catch (error) {
      this.#show({ ...NOT_RINGING, trouble: this.#troubleOf(error) });
    }
  };

  /** A refusal was not a call; after silence nobody knows, so the wish is kept. */
  #troubleOf(error: unknown): string {
    if (!(error instanceof NotRung) || error.status >= 500) {
      const text = error instanceof NotRung ? error.text : null;
      return text ?? UNCERTAIN;
    }
    this.#wish = null;
    return error.text ?? REFUSED;
  }

  async #follow(first: Rung): Promise<void> {
    this.#tell(first);
    let pauseMs = FIRST_PAUSE_MS;
    while (this.#now.phase === 'under_way') {
      await this.#parts.pause(pauseMs);
      const before = this.#now.state;
      await this.#lookAgain(first.call);
      const moved = this.#now.state !== before;
      pauseMs = moved ? FIRST_PAUSE_MS : Math.min(pauseMs * BACK_OFF, LONGEST_PAUSE_MS);
    }
  }

  async #lookAgain(call: string): Promise<void> {
    try {
      this.#tell(await this.#parts.look(call));
    } catch (error) {
      const lost = error instanceof NotRung && LOST.includes(error.status);
      if (lost) this.#over({ ...this.#now, phase: 'over', state: null, reason: 'lost' });
      else this.#show({ ...this.#now, stale: true });
    }
  }

  #tell({ state, reason }: Rung): void {
    const known = { state, reason, trouble: null, stale: false };
    if (OPEN.includes(state)) this.#show({ ...known, phase: 'under_way' });
    else this.#over({ ...known, phase: 'over' });
  }

  #over(now: Ringing): void {
    this.#wish = null;
    this.#show(now);
  }

  #show(now: Ringing): void {
    this.#now = now;
    for (const listener of this.#listeners) listener();
  }
}
