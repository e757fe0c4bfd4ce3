/**
 * The caller's half of a call: owns the microphone, the speaker and the transport of one call at a
 * time, and lets nothing of it outlive the call. No React, no browser globals: what it needs comes
 * in as parts.
 */
import type { Microphone, OpenMicrophone } from './microphone';
import { MicrophoneFailed } from './microphone';
import { durationMs, encode } from './pcm';
import type { CallPlaced, PlaceCall, ServerMessage } from './protocol.gen';
import { createScope, type Scope } from './scope';
import { createSession, type Session, type Trouble } from './session';
import type { OpenSpeaker, Speaker } from './speaker';
import type { Gone, Transport, TransportEvents } from './transport';

/** The server had no line for us; `trouble` says why. */
export class NotPlaced extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(`call not placed: ${trouble.code}`);
    this.trouble = trouble;
  }
}

export interface Parts {
  /** Raises `NotPlaced`. */
  readonly place: (wish: PlaceCall, signal: AbortSignal) => Promise<CallPlaced>;
  readonly connect: (placed: CallPlaced, events: TransportEvents) => Transport;
  readonly openMicrophone: OpenMicrophone;
  readonly openSpeaker: OpenSpeaker;
  readonly newId: () => string;
  /** Milliseconds of any steady clock. */
  readonly clock: () => number;
}

export interface StartOptions extends PlaceCall {
  /** `false` leaves the microphone alone: a call for somebody who types. */
  readonly listen: boolean;
  readonly device: string | null;
  /** Said for the caller as soon as the call is connected. */
  readonly first?: string | undefined;
}

/** Loudness of both sides between 0 and 1, for whoever draws it. */
export interface Levels {
  readonly caller: number;
  readonly agent: number;
}

/** After the server's goodbye, sound already on its way may still reach the ear. */
const LAST_WORDS_MS = 400;

interface Live {
  readonly scope: Scope;
  readonly options: StartOptions;
  transport: Transport | null;
  speaker: Speaker | null;
  microphone: Microphone | null;
  /** The item that is arriving, and how much audio of it has come. */
  arriving: { item: string; ms: number };
  /** Grows with each change of microphone, so that a slow one does not win over a newer one. */
  choice: number;
}

export class Caller {
  readonly session: Session = createSession();
  readonly #parts: Parts;
  #live: Live | null = null;
  #callerLevel = 0;
  #agentLevel = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  levels = (): Levels => ({ caller: this.#callerLevel, agent: this.#agentLevel });

  /** Call it from a click, so that the browser lets the page sound. */
  start = async (options: StartOptions): Promise<void> => {
    this.#live?.scope.end();
    const live: Live = {
      scope: createScope(),
      options,
      transport: null,
      speaker: null,
      microphone: null,
      arriving: { item: '', ms: 0 },
      choice: 0,
    };
    this.#live = live;
    live.scope.own(() => this.#quiet());
    this.session.apply({ type: 'dialling' });
    try {
      await this.#dial(live);
    } catch (error) {
      if (!live.scope.alive) return;
      live.scope.end();
      this.session.apply({ type: 'failed', trouble: troubleOf(error) });
    }
  };

  say = (text: string): void => {
    const words = text.trim().slice(0, 2_000);
    if (words === '') return;
    const id = this.#parts.newId();
    if (this.#live?.transport?.send({ type: 'text', id, text: words }) === true)
      this.session.apply({ type: 'typed', id, text: words });
  };

  decide = (call: string, agreed: boolean): void => {
    if (this.#live?.transport?.send({ type: 'decide', call, agreed }) === true)
      this.session.apply({ type: 'decided', call, agreed });
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

  end = (): void => {
    const live = this.#live;
    if (live?.scope.alive !== true) return;
    live.scope.end();
    this.session.apply({ type: 'hungUp' });
  };

  async #dial(live: Live): Promise<void> {
    const { scope, options } = live;
    const [speaker] = await Promise.all([
      this.#openSpeaker(live),
      options.listen ? this.#openMicrophone(live, options.device) : null,
    ]);
    live.speaker = speaker;
    const { agent, voice, model } = options;
    if (!scope.alive) return;
    const wish: PlaceCall = { agent, voice: voice ?? null, model: model ?? null };
    const placed = await this.#parts.place(wish, scope.signal);
    if (!scope.alive) return;
    live.transport = this.#parts.connect(placed, {
      message: (message) => this.#hear(live, message),
      away: () => this.session.apply({ type: 'away' }),
      gone: (why) => this.#gone(live, why),
    });
    scope.own(() => live.transport?.close());
  }

  async #openSpeaker(live: Live): Promise<Speaker> {
    const speaker = await this.#parts
      .openSpeaker({
        played: (item, ms) => this.#played(live, item, ms),
        sounding: (sounding) => this.session.apply({ type: 'sounding', sounding }),
        level: (level) => {
          this.#agentLevel = level;
        },
      })
      .catch(() => {
        throw new NotPlaced({ code: 'sound', text: null });
      });
    live.scope.own(() => speaker.close());
    return speaker;
  }

  async #openMicrophone(live: Live, device: string | null): Promise<void> {
    live.choice += 1;
    const choice = live.choice;
    const current = (): boolean => live.scope.alive && live.choice === choice;
    this.session.apply({ type: 'microphone', microphone: 'opening' });
    try {
      const microphone = await this.#parts.openMicrophone(device, {
        frame: (samples, level) => this.#spoken(live, samples, level),
        lost: () => {
          if (current()) this.session.apply({ type: 'microphone', microphone: 'lost' });
        },
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

  #spoken(live: Live, samples: Float32Array, level: number): void {
    if (!live.scope.alive) return;
    this.#callerLevel = level;
    live.transport?.send({ type: 'audio', audio: encode(samples) });
  }

  #hear(live: Live, message: ServerMessage): void {
    if (!live.scope.alive) return;
    if (message.type === 'audio') this.#play(live, message.item, message.audio);
    if (message.type === 'flush') live.speaker?.flush();
    if (message.type === 'pong')
      this.session.apply({ type: 'roundTrip', ms: this.#parts.clock() - message.at });
    this.session.apply(message);
    if (message.type === 'ready' && !message.resumed && live.options.first !== undefined)
      this.say(live.options.first);
    if (message.type === 'ended') setTimeout(() => live.scope.end(), LAST_WORDS_MS);
  }

  #play(live: Live, item: string, audio: string): void {
    const before = live.arriving.item === item ? live.arriving.ms : 0;
    live.arriving = { item, ms: before + durationMs(audio) };
    live.speaker?.play(item, audio);
  }

  #played(live: Live, item: string, ms: number): void {
    live.transport?.send({ type: 'played', item, ms });
    const share = live.arriving.item === item ? Math.min(1, ms / live.arriving.ms) : 1;
    this.session.apply({ type: 'spoken', item, share });
  }

  #gone(live: Live, why: Gone): void {
    if (!live.scope.alive) return;
    const dialling = this.session.snapshot().phase === 'dialling';
    this.session.apply({ type: 'gone', trouble: whyGone(why, dialling) });
    if (this.session.snapshot().ended === null) live.scope.end();
  }

  #quiet(): void {
    this.#callerLevel = 0;
    this.#agentLevel = 0;
    this.session.apply({ type: 'sounding', sounding: false });
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
