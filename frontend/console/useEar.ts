/** Listens in on a call: both voices, mixed by the browser. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { browserSpeaker, type Speaker } from '../src/voice/speaker';
import playbackUrl from '../src/voice/worklets/playback.ts?worker&url';
import { post } from './api';
import { asRefused } from './hooks';
import { type EarMessage, LISTEN_PROTOCOL, LISTEN_TICKET, type ListenTicket } from './protocol.gen';

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
  #socket: WebSocket | null = null;
  #speakers: { caller: Speaker; agent: Speaker } | null = null;
  #closed = false;
  #turn = 0;

  constructor(call: string, tell: (state: EarState) => void, over: (why: string | null) => void) {
    this.#call = call;
    this.#tell = tell;
    this.#over = over;
  }

  async open(): Promise<void> {
    try {
      const speaker = browserSpeaker(playbackUrl);
      const events = { played: () => {}, sounding: () => {}, level: () => {} };
      // From the click that asked for it, or the browser may keep it silent.
      const [caller, agent, ticket] = await Promise.all([
        speaker(null, events),
        speaker(null, events),
        post<ListenTicket>(`/calls/${this.#call}/listeners`, {}),
      ]);
      this.#speakers = { caller, agent };
      if (this.#closed) this.#release();
      else this.#connect(ticket);
    } catch (error) {
      if (!this.#closed) this.#over(`Cannot listen. ${asRefused(error).message}`);
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close(1000);
    this.#release();
  }

  #connect(ticket: ListenTicket): void {
    const url = new URL(ticket.socket, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url, [LISTEN_PROTOCOL, LISTEN_TICKET + ticket.ticket]);
    this.#socket = socket;
    socket.onopen = () => this.#tell('hearing');
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)) as EarMessage);
    socket.onclose = ({ code }) => {
      if (!this.#closed) this.#over(code === 1000 ? null : 'The sound was lost. Listen again.');
    };
  }

  #take(message: EarMessage): void {
    switch (message.type) {
      case 'voice':
        // What was flushed is refused by its name, so each stretch of the agent's has its own.
        this.#speakers?.[message.side].play(`${message.side}-${this.#turn}`, message.audio);
        break;
      case 'hush':
        this.#turn += 1;
        this.#speakers?.agent.flush();
        break;
      case 'muted':
        this.#tell(message.muted ? 'muted' : 'hearing');
        break;
      case 'over':
        this.#over(null);
        break;
    }
  }

  #release(): void {
    this.#speakers?.caller.close();
    this.#speakers?.agent.close();
    this.#speakers = null;
  }
}
