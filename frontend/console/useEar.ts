/** Listens in on a call: both voices, mixed by the browser. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { post } from './api';
import { CallSocket } from './CallSocket';
import { asRefused } from './hooks';
import { LISTEN_PROTOCOL, type ListenTicket } from './protocol.gen';
import { Voices } from './voices';

export type EarState = 'off' | 'opening' | 'hearing' | 'muted';

const WORDS: Readonly<Record<EarState, string>> = {
  off: 'Both voices, in this browser. Nobody is told.',
  opening: 'Connecting…',
  hearing: 'You hear both voices.',
  muted: 'The caller keys something private: nothing is heard until that is over.',
};

export interface EarNow {
  readonly state: EarState;
  readonly words: string;
  readonly start: () => void;
  readonly stop: () => void;
}

export function useEar(call: string): EarNow {
  const [state, setState] = useState<EarState>('off');
  const [fault, setFault] = useState<string | null>(null);
  const open = useRef<Ear | null>(null);
  const stop = useCallback(() => {
    open.current?.close();
    open.current = null;
    setState('off');
  }, []);
  useEffect(() => stop, [stop]);
  const start = useCallback(() => {
    setFault(null);
    setState('opening');
    const ear = new Ear(call, setState, (why) => {
      setFault(why);
      stop();
    });
    open.current = ear;
    void ear.open();
  }, [call, stop]);
  return { state, words: fault ?? WORDS[state], start, stop };
}

class Ear {
  readonly #call: string;
  readonly #tell: (state: EarState) => void;
  readonly #over: (why: string | null) => void;
  #socket: CallSocket | null = null;
  #voices: Voices | null = null;
  #closed = false;

  constructor(call: string, tell: (state: EarState) => void, over: (why: string | null) => void) {
    this.#call = call;
    this.#tell = tell;
    this.#over = over;
  }

  async open(): Promise<void> {
    try {
      const [voices, ticket] = await Promise.all([
        Voices.open(),
        post<ListenTicket>(`/calls/${this.#call}/listeners`, {}),
      ]);
      this.#voices = voices;
      if (this.#closed) return this.#release();
      this.#socket = new CallSocket(ticket, LISTEN_PROTOCOL, voices, {
        open: (muted) => this.#tell(muted ? 'muted' : 'hearing'),
        over: (lost) => this.#over(lost ? 'The sound was lost. Listen again.' : null),
      });
    } catch (error) {
      if (!this.#closed) this.#over(`Cannot listen. ${asRefused(error).message}`);
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
    this.#release();
  }

  #release(): void {
    this.#voices?.close();
    this.#voices = null;
  }
}
