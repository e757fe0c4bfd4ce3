/**
 * A call over a WebSocket: the microphone's frames go out with the words, the agent's voice comes
 * in with them and is played by the page, which says how much of it was heard.
 */
import type { Connection, ConnectionEvents, Levels, OpenConnection } from './connection';
import { NotPlaced } from './connection';
import type { Microphone, OpenMicrophone } from './microphone';
import { durationMs, encode } from './pcm';
import type { CallPlaced, PageMessage, PlaceCall, ServerMessage } from './protocol.gen';
import type { OpenSpeaker, Speaker } from './speaker';
import type { Transport, TransportEvents } from './transport';

export interface SocketParts {
  /** Raises `NotPlaced`. */
  readonly place: (wish: PlaceCall, signal: AbortSignal) => Promise<CallPlaced>;
  readonly connect: (placed: CallPlaced, events: TransportEvents) => Transport;
  readonly openMicrophone: OpenMicrophone;
  readonly openSpeaker: OpenSpeaker;
  /** Milliseconds of any steady clock. */
  readonly clock: () => number;
}

export function overWebSocket(parts: SocketParts): OpenConnection {
  return (events) => new SocketConnection(parts, events);
}

class SocketConnection implements Connection {
  readonly #parts: SocketParts;
  readonly #events: ConnectionEvents;
  #transport: Transport | null = null;
  #speaker: Speaker | null = null;
  #over = false;
  #callerLevel = 0;
  #agentLevel = 0;
  /** The item that is arriving, and how much audio of it has come. */
  #arriving = { item: '', ms: 0 };

  constructor(parts: SocketParts, events: ConnectionEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  async open(speaker: string | null): Promise<void> {
    const opened = await this.#parts
      .openSpeaker(speaker, {
        played: (item, ms) => this.#played(item, ms),
        sounding: (sounding) => this.#events.sounding(sounding),
        level: (level) => {
          this.#agentLevel = level;
        },
      })
      .catch(() => {
        throw new NotPlaced({ code: 'sound', text: null });
      });
    this.#speaker = opened;
    if (this.#over) opened.close();
  }

  openMicrophone(device: string | null, lost: () => void): Promise<Microphone> {
    return this.#parts.openMicrophone(device, {
      frame: (samples, level) => {
        if (this.#over) return;
        this.#callerLevel = level;
        this.send({ type: 'audio', audio: encode(samples) });
      },
      lost,
    });
  }

  async dial(wish: PlaceCall, signal: AbortSignal): Promise<void> {
    const placed = await this.#parts.place(wish, signal);
    if (this.#over) return;
    this.#transport = this.#parts.connect(placed, {
      message: (message) => this.#hear(message),
      away: () => this.#events.away(),
      gone: (why) => this.#events.gone(why),
    });
  }

  send(message: PageMessage): boolean {
    return this.#transport?.send(message) ?? false;
  }

  async hearOn(speaker: string | null): Promise<void> {
    await this.#speaker?.hearOn(speaker);
  }

  levels(): Levels {
    return { caller: this.#callerLevel, agent: this.#agentLevel };
  }

  close(): void {
    this.#over = true;
    this.#transport?.close();
    this.#speaker?.close();
  }

  #hear(message: ServerMessage): void {
    if (this.#over) return;
    if (message.type === 'audio') this.#play(message.item, message.audio);
    if (message.type === 'flush') this.#speaker?.flush();
    if (message.type === 'pong') this.#events.roundTrip(this.#parts.clock() - message.at);
    this.#events.message(message);
  }

  #play(item: string, audio: string): void {
    const before = this.#arriving.item === item ? this.#arriving.ms : 0;
    this.#arriving = { item, ms: before + durationMs(audio) };
    this.#speaker?.play(item, audio);
  }

  #played(item: string, ms: number): void {
    if (this.#over) return;
    this.send({ type: 'played', item, ms });
    const whole = this.#arriving.item !== item;
    this.#events.spoken(item, whole ? 1 : Math.min(1, ms / this.#arriving.ms));
  }
}
