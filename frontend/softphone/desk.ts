/** Joins the socket, the ear, the microphone and what is shown. */
import type { Microphone as OpenedMicrophone, OpenMicrophone } from '../src/voice/microphone';
import { browserMicrophone } from '../src/voice/microphone';
import captureUrl from '../src/voice/worklets/capture.ts?worker&url';
import playbackUrl from '../src/voice/worklets/playback.ts?worker&url';
import { browserEarpiece, type EarEvents, type Earpiece } from './earpiece';
import { type Link, type LinkEvents, openLink } from './link';
import { rememberedNumbers, rememberNumbers, tabName } from './memory';
import { MAX_LINES, type PageMessage } from './protocol.gen';
import { fromBytes, toBytes } from './samples';
import { createStore, hear, inUse, onLine, reduce, type Snapshot, type Store } from './store';

export interface Parts {
  openLink(events: LinkEvents): Link;
  earpiece(events: EarEvents): Earpiece;
  openMicrophone: OpenMicrophone;
  numbers: Storage;
}

export class Desk {
  readonly store: Store = createStore();
  /** How loud each side is now, between 0 and 1. */
  readonly levels = { other: 0, you: 0 };
  readonly #parts: Parts;
  readonly #link: Link;
  readonly #ear: Earpiece;
  #microphone: OpenedMicrophone | null = null;
  #opening = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#ear = parts.earpiece({
      sounding: (sounding) => mark('ear', sounding ? 'sounding' : 'silent'),
      level: (level) => {
        this.levels.other = level;
      },
    });
    this.#link = parts.openLink({
      opened: () => this.#claimAll(),
      lost: () => this.#set((now) => ({ ...now, link: 'lost', lines: [] })),
      message: (message) => {
        this.#set((now) => reduce(now, message, Date.now()));
        if (message.type === 'key' && message.line === this.#now.selected)
          this.#ear.key(message.key);
        if (message.type === 'line') this.#remember();
      },
      sound: (bytes) => this.#ear.play(fromBytes(bytes)),
    });
  }

  select = (line: number): void => {
    this.#set((now) => ({ ...now, selected: line }));
  };

  claim = (line: number, number: string): void => {
    this.#send({ type: 'claim', line, number, insist: true });
  };

  addLine = (): void => {
    if (this.#now.lines.length < MAX_LINES)
      this.#send({ type: 'claim', line: this.#now.lines.length });
  };

  dial = (line: number, number: string): void => {
    this.#ear.open();
    this.#send({ type: 'dial', line, number });
  };

  answer = (line: number): void => {
    this.#ear.open();
    this.select(line);
    this.#send({ type: 'answer', line });
  };

  decline = (line: number): void => this.#send({ type: 'decline', line });

  hangUp = (line: number): void => this.#send({ type: 'hang_up', line });

  press = (line: number, key: string): void => {
    this.#ear.key(key);
    if (this.#now.lines[line]?.now.state === 'talking')
      this.#send({ type: 'press', line, keys: key });
  };

  say = (line: number, text: string): void => {
    this.#send({ type: 'say', line, text });
    this.#set((now) => onLine(now, line, (telephone) => hear(telephone, 'you', text)));
  };

  mute = (muted: boolean): void => {
    this.#set((now) => ({ ...now, muted, microphone: muted ? now.microphone : off(now) }));
  };

  forgetPassages = (): void => this.#set((now) => ({ ...now, passages: [] }));

  leave = (): void => {
    this.#link.close();
    this.#microphone?.close();
  };

  get #now(): Snapshot {
    return this.store.snapshot();
  }

  #send(message: PageMessage): void {
    this.#link.send(message);
  }

  /** Change what is shown, and see to whatever hangs on it. */
  #set(change: (now: Snapshot) => Snapshot): void {
    const before = this.#now.selected;
    this.store.set(change);
    const now = this.#now;
    if (now.selected !== before) this.#send({ type: 'select', line: now.selected });
    this.#ear.ring(bellOf(now));
    this.#listen(now);
    mirror(this.#now);
  }

  #claimAll(): void {
    const numbers = rememberedNumbers(this.#parts.numbers, MAX_LINES);
    numbers.forEach((number, line) => {
      this.#send({ type: 'claim', line, number });
    });
    this.#send({ type: 'select', line: this.#now.selected });
  }

  #remember(): void {
    const numbers = this.#now.lines.map(({ now }) => now.number);
    rememberNumbers(this.#parts.numbers, numbers);
  }

  /** The microphone is open while somebody talks and is not muted, and at no other time. */
  #listen(now: Snapshot): void {
    const talking = now.lines.some(({ now: line }) => line.state === 'talking');
    if (!talking || now.muted) {
      this.#microphone?.close();
      this.#microphone = null;
      this.levels.you = 0;
      if (now.microphone === 'on') this.store.set((one) => ({ ...one, microphone: 'off' }));
    } else if (this.#microphone === null && !this.#opening && now.microphone !== 'denied')
      void this.#openMicrophone();
  }

  async #openMicrophone(): Promise<void> {
    this.#opening = true;
    this.#set((now) => ({ ...now, microphone: 'asking' }));
    try {
      this.#microphone = await this.#parts.openMicrophone(null, {
        frame: (samples, level) => this.#speak(samples, level),
        lost: () => {
          this.#microphone = null;
          this.#set((now) => ({ ...now, microphone: 'denied' }));
        },
      });
      this.#opening = false;
      this.#set((now) => ({ ...now, microphone: 'on' }));
    } catch {
      this.#opening = false;
      this.#set((now) => ({ ...now, microphone: 'denied' }));
    }
  }

  #speak(samples: Float32Array, level: number): void {
    this.levels.you = level;
    if (this.#now.lines[this.#now.selected]?.now.state === 'talking')
      this.#link.sound(toBytes(samples));
  }
}

/** A microphone that was refused is asked for again by whoever unmutes. */
function off({ microphone }: Snapshot): Snapshot['microphone'] {
  return microphone === 'denied' ? 'off' : microphone;
}

/** The bell of a line that rings, the tone of one that calls; nobody else's talk is rung into. */
export function bellOf(now: Snapshot): 'in' | 'out' | null {
  const states = now.lines.map(({ now: line }) => line.state);
  if (states.includes('ringing') && !states.includes('talking')) return 'in';
  return states[now.selected] === 'calling' ? 'out' : null;
}

function mirror(now: Snapshot): void {
  mark('link', now.link);
  mark('line', now.lines[now.selected]?.now.state ?? 'none');
  mark('microphone', now.microphone);
  mark('bell', bellOf(now) ?? 'silent');
  mark('busy', String(now.lines.some((line) => inUse(line))));
}

/** The state as attributes of the document, for those who watch it from outside. */
function mark(name: string, value: string): void {
  document.documentElement.dataset[name] = value;
}

export function browserDesk(): Desk {
  const tab = tabName(sessionStorage);
  const desk = new Desk({
    openLink: (events) => openLink(location.origin, tab, events),
    earpiece: (events) => browserEarpiece(playbackUrl, events),
    openMicrophone: browserMicrophone(captureUrl),
    numbers: sessionStorage,
  });
  window.addEventListener('pagehide', desk.leave);
  return desk;
}
