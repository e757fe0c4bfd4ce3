/** Takes a call over: this browser's microphone in the agent's place, until it is handed back. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { MicrophoneFailed, type MicrophoneFault } from '../src/voice/devices';
import { browserMicrophone, type Microphone } from '../src/voice/microphone';
import { encode } from '../src/voice/pcm';
import captureUrl from '../src/voice/worklets/capture.ts?worker&url';
import { post } from './api';
import { CallSocket } from './CallSocket';
import { asRefused } from './hooks';
import { DESK_PROTOCOL, type DeskTicket } from './protocol.gen';
import { Voices } from './voices';

export type DeskState = 'off' | 'opening' | 'talking' | 'private';

const PING_MS = 5_000;
/** More than this waits in the socket: what is said now would come far too late. */
const MOST_WAITING_BYTES = 65_536;

const FAULTS: Readonly<Record<MicrophoneFault, string>> = {
  denied: 'This page may not use the microphone. Allow it, then try again.',
  missing: 'There is no microphone.',
  busy: 'Another program holds the microphone.',
  unsupported: 'This browser cannot use a microphone here.',
};

export interface DeskNow {
  readonly state: DeskState;
  readonly muted: boolean;
  /** How loud the microphone is, 0 to 1. */
  readonly level: number;
  readonly fault: string | null;
  readonly take: () => void;
  readonly mute: (muted: boolean) => void;
  readonly handBack: (summary: string) => void;
}

export function useDesk(call: string): DeskNow {
  const [state, setState] = useState<DeskState>('off');
  const [muted, setMuted] = useState(false);
  const [level, setLevel] = useState(0);
  const [fault, setFault] = useState<string | null>(null);
  const open = useRef<Desk | null>(null);
  const off = useCallback((why: string | null) => {
    open.current?.close();
    open.current = null;
    setFault(why);
    setMuted(false);
    setState('off');
  }, []);
  useEffect(() => () => off(null), [off]);
  const take = useCallback(() => {
    if (open.current !== null) return;
    setFault(null);
    setState('opening');
    const desk = new Desk(call, setState, setLevel, off);
    open.current = desk;
    void desk.open();
  }, [call, off]);
  const mute = useCallback((silent: boolean) => {
    open.current?.mute(silent);
    setMuted(silent);
  }, []);
  const handBack = useCallback((summary: string) => open.current?.handBack(summary), []);
  return { state, muted, level, fault, take, mute, handBack };
}

class Desk {
  readonly #call: string;
  readonly #tell: (state: DeskState) => void;
  readonly #level: (level: number) => void;
  readonly #over: (why: string | null) => void;
  #socket: CallSocket | null = null;
  #voices: Voices | null = null;
  #microphone: Microphone | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #closed = false;

  constructor(
    call: string,
    tell: (state: DeskState) => void,
    level: (level: number) => void,
    over: (why: string | null) => void,
  ) {
    this.#call = call;
    this.#tell = tell;
    this.#level = level;
    this.#over = over;
  }

  async open(): Promise<void> {
    try {
      // The microphone first: nobody's call is taken over by somebody who cannot speak.
      const [voices, microphone] = await Promise.all([Voices.open(), this.#openMicrophone()]);
      this.#voices = voices;
      this.#microphone = microphone;
      if (this.#closed) return this.#release();
      const ticket = await post<DeskTicket>(`/calls/${this.#call}/desk`, {});
      if (this.#closed) this.#release();
      else this.#connect(ticket, voices);
    } catch (error) {
      if (this.#closed) return this.#release();
      const why =
        error instanceof MicrophoneFailed ? FAULTS[error.fault] : asRefused(error).message;
      this.#over(`Not taken over. ${why}`);
    }
  }

  mute(muted: boolean): void {
    this.#microphone?.mute(muted);
  }

  handBack(summary: string): void {
    const known = summary.trim();
    this.#socket?.send({ type: 'handBack', summary: known === '' ? null : known });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
    this.#release();
  }

  #openMicrophone(): Promise<Microphone> {
    return browserMicrophone(captureUrl)(null, {
      frame: (samples, level) => {
        this.#level(level);
        const waits = this.#socket?.waitingBytes ?? 0;
        if (waits < MOST_WAITING_BYTES) this.#socket?.send({ type: 'mic', audio: encode(samples) });
      },
      lost: () => this.#over('The microphone was lost, so the agent takes the call back.'),
    });
  }

  #connect(ticket: DeskTicket, voices: Voices): void {
    this.#socket = new CallSocket(ticket, DESK_PROTOCOL, voices, {
      open: (muted) => this.#tell(muted ? 'private' : 'talking'),
      over: (lost) => this.#over(lost ? 'The line was lost: the agent takes the call back.' : null),
    });
    this.#timer = setInterval(() => this.#socket?.send({ type: 'ping' }), PING_MS);
  }

  #release(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#microphone?.close();
    this.#voices?.close();
    this.#microphone = null;
    this.#voices = null;
  }
}
