/**
 * A call over WebRTC: the voices go straight to the voice service (`peer.ts`), the words through
 * the server (`eventstream.ts`). Either may break and be mended without the other.
 */
import type { Connection, ConnectionEvents, Levels, OpenConnection } from './connection';
import { NotPlaced, NoWay } from './connection';
import { listen, stop, watchDevice } from './devices';
import { EventStream, type StreamOptions } from './eventstream';
import { Listening } from './listening';
import type { Microphone } from './microphone';
import { Peer } from './peer';
import type { PageMessage, PlaceCall, RtcPlaced, ServerMessage } from './protocol.gen';
import type { Trouble } from './session';

export interface RtcParts {
  /** Raises `NotPlaced`. */
  readonly placeOffer: (wish: PlaceCall) => Promise<RtcPlaced>;
  readonly stream: StreamOptions;
}

/** What would come out no better over a WebSocket. */
const HOPELESS: readonly Trouble['code'][] = [
  'busy',
  'stopping',
  'often',
  'spent',
  'stale',
  'unreachable',
];
const AGAIN_MS = 500;
const MEASURE_MS = 10_000;

export function overWebRtc(parts: RtcParts): OpenConnection {
  return (events) => new RtcConnection(parts, events);
}

class RtcConnection implements Connection {
  readonly #parts: RtcParts;
  readonly #events: ConnectionEvents;
  #listening: Listening | null = null;
  #peer: Peer | null = null;
  #stream: EventStream | null = null;
  #track: MediaStreamTrack | null = null;
  /** What was said before the voices were connected; `null` from then on. */
  #waiting: ServerMessage[] | null = [];
  #ended: string | null = null;
  #broken = { peer: false, stream: false };
  #over = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(parts: RtcParts, events: ConnectionEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  async open(speaker: string | null): Promise<void> {
    try {
      this.#listening = new Listening((sounding) => this.#events.sounding(sounding));
    } catch {
      throw new NotPlaced({ code: 'sound', text: null });
    }
    if (speaker !== null) await this.#listening.hearOn(speaker);
  }

  async openMicrophone(device: string | null, lost: () => void): Promise<Microphone> {
    const stream = await listen(device);
    const track = stream.getAudioTracks()[0] ?? null;
    const ignore = watchDevice(stream, lost);
    if (!this.#over && track !== null) {
      this.#track = track;
      this.#listening?.speak(stream);
      await this.#peer?.speakWith(track);
    }
    return {
      mute: (muted) => {
        if (track !== null) track.enabled = !muted;
      },
      close: () => {
        ignore();
        stop(stream);
      },
    };
  }

  async dial(wish: PlaceCall): Promise<void> {
    const peer = this.#newPeer();
    const offer = await peer.offer();
    const placed = await this.#place({ ...wish, offer });
    this.#follow(placed);
    // Who gave up in the meantime says so now that there is somebody to say it to.
    if (this.#over) return this.close();
    try {
      await peer.connect(placed.answer);
    } catch (error) {
      throw this.#ended === null ? error : new NoWay('declined', this.#ended);
    }
    if (this.#over) return;
    this.#timer = setInterval(() => void this.#measure(), MEASURE_MS);
    this.#release();
  }

  send(message: PageMessage): boolean {
    // Audio and what was heard of it are the service's business here.
    if (message.type === 'audio' || message.type === 'played') return false;
    return this.#stream?.send(message) ?? false;
  }

  async hearOn(speaker: string | null): Promise<void> {
    await this.#listening?.hearOn(speaker);
  }

  levels(): Levels {
    return this.#listening?.levels() ?? { caller: 0, agent: 0 };
  }

  close(): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.#stream?.close();
    this.#peer?.close();
    this.#listening?.close();
  }

  async #place(wish: PlaceCall): Promise<RtcPlaced> {
    try {
      return await this.#parts.placeOffer(wish);
    } catch (error) {
      if (!(error instanceof NotPlaced) || HOPELESS.includes(error.trouble.code)) throw error;
      throw new NoWay('declined', error.trouble.text);
    }
  }

  #newPeer(): Peer {
    const peer = new Peer(this.#track, {
      voice: (voice) => void this.#hearVoice(voice),
      lost: () => void this.#mend(),
    });
    this.#peer = peer;
    return peer;
  }

  async #hearVoice(voice: MediaStream): Promise<void> {
    const sounds = await this.#listening?.hear(voice);
    if (sounds === false && !this.#over)
      this.#events.notice('silent', 'This browser does not let the page sound. Allow it to.');
  }

  #follow(placed: RtcPlaced): void {
    this.#stream = new EventStream(
      placed,
      {
        message: (message) => this.#take(message),
        up: () => this.#is('stream', false),
        down: () => this.#is('stream', true),
        gone: (why) => {
          if (this.#waiting === null && !this.#over) this.#events.gone(why);
        },
        unsent: (text) =>
          this.#events.notice('unsent', text ?? 'Your last message did not arrive. Send it again.'),
      },
      this.#parts.stream,
    );
  }

  #take(message: ServerMessage): void {
    if (this.#over) return;
    if (message.type === 'reoffer') {
      if (this.#waiting === null) void this.#mend();
      return;
    }
    if (this.#waiting === null) {
      this.#events.message(message);
      return;
    }
    this.#waiting.push(message);
    if (message.type !== 'ended' && !(message.type === 'refused' && message.fatal)) return;
    this.#ended = message.text;
    this.#peer?.close();
  }

  #release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const message of waiting) this.#events.message(message);
    // It broke for good while the voices were being connected.
    if (this.#stream?.over === true && this.#ended === null) this.#events.gone('lost');
  }

  /** A fresh connection to the same call, for as long as the server keeps it. */
  async #mend(): Promise<void> {
    const stream = this.#stream;
    if (this.#over || this.#broken.peer || stream === null || stream.over) return;
    this.#is('peer', true);
    const deadline = Date.now() + stream.reattachMs;
    while (!this.#over && !stream.over) {
      const outcome = await this.#again(stream);
      if (outcome === 'connected') return this.#is('peer', false);
      // The stream may be about to say how the call ended: it has the first word.
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      if (outcome === 'over' || Date.now() > deadline) break;
    }
    if (!this.#over && !stream.over) this.#events.gone('lost');
  }

  async #again(stream: EventStream): Promise<'connected' | 'over' | 'again'> {
    this.#peer?.close();
    const peer = this.#newPeer();
    try {
      const offered = await stream.offer(await peer.offer());
      if (typeof offered === 'string') return offered;
      await peer.connect(offered.answer);
      return 'connected';
    } catch {
      return 'again';
    }
  }

  #is(part: 'peer' | 'stream', broken: boolean): void {
    const before = this.#broken.peer || this.#broken.stream;
    this.#broken = { ...this.#broken, [part]: broken };
    const now = this.#broken.peer || this.#broken.stream;
    if (this.#waiting !== null || this.#over || before === now) return;
    if (now) this.#events.away();
    else this.#events.back();
  }

  async #measure(): Promise<void> {
    const ms = await this.#peer?.roundTripMs().catch(() => null);
    if (typeof ms === 'number' && !this.#over) this.#events.roundTrip(ms);
  }
}
