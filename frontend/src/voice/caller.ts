/**
 * The caller's half of a call: owns one connection and one microphone at a time, goes on another
 * way where the first does not lead through, and lets nothing of it outlive the call. No React, no
 * browser globals: what it needs comes in as parts.
 */
import type { Connection, ConnectionEvents, Levels, OpenConnection } from './connection';
import { NotPlaced, NoWay } from './connection';
import { MicrophoneFailed } from './devices';
import type { Microphone } from './microphone';
import { type Choice, type Plan, planAfter, planFor, type Way } from './plan';
import type { AgentChoice, PlaceCall, ServerMessage } from './protocol.gen';
import { createScope, type Scope } from './scope';
import { createSession, type Session, type Trouble } from './session';
import type { Gone } from './transport';

export interface Parts {
  readonly connections: Readonly<Record<Way, OpenConnection>>;
  readonly newId: () => string;
  /** A token that is good for a while, where somebody has signed in. Raises when none can be had. */
  readonly token: () => Promise<string | null>;
}

export interface StartOptions extends Omit<PlaceCall, 'offer'> {
  /** `false` leaves the microphone alone: a call for somebody who types. */
  readonly listen: boolean;
  readonly device: string | null;
  readonly speaker: string | null;
  readonly choice: Choice;
  /** What the server and the model offer. */
  readonly ways: readonly Way[];
  /** Whether calls with the agent are recorded. */
  readonly recorded?: AgentChoice['recorded'] | undefined;
  /** Said for the caller as soon as the call is connected. */
  readonly first?: string | undefined;
}

/** After the server's goodbye, sound already on its way may still reach the ear. */
const LAST_WORDS_MS = 400;

interface Live {
  readonly scope: Scope;
  readonly options: StartOptions;
  readonly connection: Connection;
  microphone: Microphone | null;
  /** Grows with each change of microphone, so that a slow one does not win over a newer one. */
  choice: number;
  /** The first words, until they are said. */
  first: string | undefined;
  /** That the sign-in runs out was said. */
  warned: boolean;
}

export class Caller {
  readonly session: Session = createSession();
  readonly #parts: Parts;
  #live: Live | null = null;
  /** WebRTC found no way through; trying again with each call would only keep people waiting. */
  #blocked = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  levels = (): Levels =>
    this.#live?.scope.alive === true ? this.#live.connection.levels() : { caller: 0, agent: 0 };

  /** Call it from a click, so that the browser lets the page sound. */
  start = async (options: StartOptions): Promise<void> => {
    this.#live?.scope.end();
    this.session.apply({ type: 'dialling' });
    let plan: Plan | null = planFor(options.choice, options.ways, this.#blocked, options.recorded);
    while (plan !== null) plan = await this.#attempt(options, plan);
  };

  say = (text: string): void => {
    const words = text.trim().slice(0, 2_000);
    if (words === '') return;
    const id = this.#parts.newId();
    if (this.#live?.connection.send({ type: 'text', id, text: words }) === true)
      this.session.apply({ type: 'typed', id, text: words });
  };

  decide = (call: string, agreed: boolean): void => {
    if (this.#live?.connection.send({ type: 'decide', call, agreed }) === true)
      this.session.apply({ type: 'decided', call, agreed });
  };

  /** Asks for a human, as by words. Once, until it has been answered. */
  askForHuman = (): void => {
    if (this.session.snapshot().humanAsked) return;
    if (this.#live?.connection.send({ type: 'human' }) === true)
      this.session.apply({ type: 'humanAsked' });
  };

  /** The caller no longer wants the human who is being called. */
  wantNoHuman = (): void => {
    this.#live?.connection.send({ type: 'human', withdraw: true });
  };

  mute = (muted: boolean): void => {
    this.#live?.microphone?.mute(muted);
    this.session.apply({ type: 'muted', muted });
  };

  /** Opens the microphone, or changes to another one, in the middle of a call. */
  listen = async (device: string | null): Promise<void> => {
    const live = this.#live;
    if (live?.scope.alive === true) await this.#openMicrophone(live, device);
  };

  /** Changes where the agent is heard, in the middle of a call. */
  hearOn = async (speaker: string | null): Promise<void> => {
    if (this.#live?.scope.alive === true) await this.#live.connection.hearOn(speaker);
  };

  end = (): void => {
    const live = this.#live;
    if (live?.scope.alive !== true) return;
    live.scope.end();
    this.session.apply({ type: 'hungUp' });
  };

  /** One way, tried; the next one to try, or `null` where it led through or none is left. */
  async #attempt(options: StartOptions, plan: Plan): Promise<Plan | null> {
    const live = this.#begin(options, plan);
    try {
      await this.#dial(live);
      return null;
    } catch (error) {
      if (!live.scope.alive) return null;
      live.scope.end();
      const next = error instanceof NoWay ? planAfter(plan, error.because) : null;
      if (error instanceof NoWay && error.because === 'blocked') this.#blocked = true;
      if (next === null) this.session.apply({ type: 'failed', trouble: troubleOf(error) });
      return next;
    }
  }

  #begin(options: StartOptions, plan: Plan): Live {
    const scope = createScope();
    const live: Live = {
      scope,
      options,
      connection: this.#parts.connections[plan.way](this.#events(() => live)),
      microphone: null,
      choice: 0,
      first: options.first,
      warned: false,
    };
    this.#live = live;
    scope.own(() => this.session.apply({ type: 'sounding', sounding: false }));
    scope.own(() => live.connection.close());
    this.session.apply({ type: 'way', way: plan.way, because: plan.because });
    return live;
  }

  async #dial(live: Live): Promise<void> {
    const { scope, options, connection } = live;
    await Promise.all([
      connection.open(options.speaker),
      options.listen ? this.#openMicrophone(live, options.device) : null,
    ]);
    if (!scope.alive) return;
    const { agent, voice, model } = options;
    await connection.dial({ agent, voice: voice ?? null, model: model ?? null }, scope.signal);
  }

  /** What comes from a connection counts only while its call is alive. */
  #events(live: () => Live): ConnectionEvents {
    const alive = (act: () => void): void => {
      if (live().scope.alive) act();
    };
    const { session } = this;
    return {
      message: (message) => alive(() => this.#hear(live(), message)),
      away: () => alive(() => session.apply({ type: 'away' })),
      back: () => alive(() => session.apply({ type: 'back' })),
      gone: (why) => alive(() => this.#gone(live(), why)),
      notice: (code, text) => alive(() => session.apply({ type: 'notice', code, text })),
      spoken: (item, share) => alive(() => session.apply({ type: 'spoken', item, share })),
      sounding: (sounding) => alive(() => session.apply({ type: 'sounding', sounding })),
      roundTrip: (ms) => alive(() => session.apply({ type: 'roundTrip', ms })),
    };
  }

  async #openMicrophone(live: Live, device: string | null): Promise<void> {
    live.choice += 1;
    const choice = live.choice;
    const current = (): boolean => live.scope.alive && live.choice === choice;
    this.session.apply({ type: 'microphone', microphone: 'opening' });
    try {
      const microphone = await live.connection.openMicrophone(device, () => {
        if (current()) void this.#openAnother(live);
      });
      live.scope.own(() => microphone.close());
      if (!current()) return microphone.close();
      live.microphone?.close();
      live.microphone = microphone;
      microphone.mute(this.session.snapshot().muted);
      this.session.apply({ type: 'microphone', microphone: 'on' });
    } catch (error) {
      if (!current()) return;
      const fault = error instanceof MicrophoneFailed ? error.fault : 'unsupported';
      this.session.apply({ type: 'microphone', microphone: fault });
    }
  }

  /** The microphone was unplugged: whatever the browser now takes for its own goes on. */
  async #openAnother(live: Live): Promise<void> {
    this.session.apply({ type: 'microphone', microphone: 'lost' });
    await this.#openMicrophone(live, null);
    if (!live.scope.alive) return;
    const { microphone } = this.session.snapshot();
    if (microphone === 'on')
      this.session.apply({
        type: 'notice',
        code: 'microphone',
        text: 'Your microphone went away. The browser’s default one listens now.',
      });
    else if (microphone === 'missing')
      this.session.apply({ type: 'microphone', microphone: 'lost' });
  }

  #hear(live: Live, message: ServerMessage): void {
    this.session.apply(message);
    if (message.type === 'ready' && live.first !== undefined) {
      this.say(live.first);
      live.first = undefined;
    }
    if (message.type === 'tokenWanted') void this.#renew(live);
    if (message.type === 'ended') setTimeout(() => live.scope.end(), LAST_WORDS_MS);
  }

  /** Shows a fresh token. The server asks again until it has one, or the call is over. */
  async #renew(live: Live): Promise<void> {
    const token = await this.#parts.token().catch(() => null);
    if (!live.scope.alive) return;
    if (token !== null) live.connection.send({ type: 'renew', token });
    else if (!live.warned) {
      live.warned = true;
      const text = 'Your sign-in runs out and could not be renewed, so this call ends soon.';
      this.session.apply({ type: 'notice', code: 'sign_in', text });
    }
  }

  #gone(live: Live, why: Gone): void {
    const dialling = this.session.snapshot().phase === 'dialling';
    this.session.apply({ type: 'gone', trouble: whyGone(why, dialling) });
    if (this.session.snapshot().ended === null) live.scope.end();
  }
}

function whyGone(why: Gone, dialling: boolean): Trouble | null {
  if (why === 'over') return null;
  if (why === 'lost') return { code: 'lost', text: null };
  return { code: dialling ? 'ticket' : 'refused', text: null };
}

function troubleOf(error: unknown): Trouble {
  return error instanceof NotPlaced ? error.trouble : { code: 'unreachable', text: null };
}
