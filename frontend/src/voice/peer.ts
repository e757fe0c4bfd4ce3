/**
 * Both voices of a call over WebRTC: one peer connection, from its offer to its close.
 *
 *   offering ──answer──▶ connecting ──▶ connected ──failed, or disconnected for 3 s──▶ lost
 *                            └─no packet comes through in 5 s, or there is no address─▶ `NoWay`
 */
import { NoWay } from './connection';

/** An answered call that is not connected after this long goes on another way, or is given up. */
const CONNECT_MS = 5_000;
/** ICE mends short gaps by itself. */
const MEND_MS = 3_000;
/** The other end has closed; the event stream may be about to say why. */
const PARTING_MS = 500;
/** The name under which realtime services look for a page's events. */
const CHANNEL = 'oai-events';

export interface PeerEvents {
  /** The agent's voice. */
  voice(stream: MediaStream): void;
  /** It was connected, and is not any more. */
  lost(): void;
}

export class Peer {
  readonly #connection: RTCPeerConnection;
  readonly #sender: RTCRtpSender;
  readonly #events: PeerEvents;
  #found = false;
  #connected = false;
  #over = false;
  #mend: ReturnType<typeof setTimeout> | undefined;
  /** Tells the one who waits for the connection that something has changed. */
  #stir: () => void = () => undefined;

  /** `track` is the caller's voice; without one the peer is silent until `speakWith`. */
  constructor(track: MediaStreamTrack | null, events: PeerEvents) {
    if (typeof RTCPeerConnection === 'undefined') throw new NoWay('unsupported');
    this.#events = events;
    const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.#connection = connection;
    this.#sender = connection.addTransceiver(track ?? 'audio', { direction: 'sendrecv' }).sender;
    // Services expect it. What it would say comes by the event stream, checked by the server; but
    // that the other end has gone, it knows seconds before the media do.
    connection.createDataChannel(CHANNEL).onclose = () => this.#loseIn(PARTING_MS);
    connection.ontrack = ({ track: voice, streams }) =>
      events.voice(streams[0] ?? new MediaStream([voice]));
    connection.onicecandidate = ({ candidate }) => {
      if (candidate !== null && candidate.candidate !== '') this.#found = true;
    };
    connection.onicegatheringstatechange = () => this.#stir();
    connection.oniceconnectionstatechange = () => this.#watch();
    connection.onconnectionstatechange = () => this.#watch();
  }

  /** The SDP offer, without waiting for addresses: the service learns ours from our packets. */
  async offer(): Promise<string> {
    try {
      await this.#connection.setLocalDescription();
    } catch {
      throw new NoWay('unsupported');
    }
    const sdp = this.#connection.localDescription?.sdp;
    if (sdp === undefined) throw new NoWay('unsupported');
    return sdp;
  }

  /** Returns once both voices can pass. Raises `NoWay`. */
  async connect(answer: string): Promise<void> {
    try {
      await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer });
    } catch {
      throw new NoWay('declined', 'The answer to this browser’s offer could not be read.');
    }
    const through = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), CONNECT_MS);
      this.#stir = () => {
        const state = this.#connection.connectionState;
        const hopeless = this.#hasNoAddress() || ['failed', 'closed'].includes(state);
        if (state !== 'connected' && !hopeless && !this.#over) return;
        clearTimeout(timer);
        resolve(state === 'connected');
      };
      this.#stir();
    });
    this.#stir = () => undefined;
    if (!through) throw new NoWay('blocked');
    this.#connected = true;
  }

  async speakWith(track: MediaStreamTrack): Promise<void> {
    if (!this.#over) await this.#sender.replaceTrack(track);
  }

  /** Milliseconds to the other end and back, or `null` where nobody has measured. */
  async roundTripMs(): Promise<number | null> {
    if (this.#over) return null;
    const report = await this.#connection.getStats();
    for (const entry of report.values()) {
      const seconds: unknown = entry.type === 'candidate-pair' ? entry.currentRoundTripTime : null;
      if (typeof seconds === 'number' && entry.nominated === true) return seconds * 1_000;
    }
    return null;
  }

  close(): void {
    this.#over = true;
    clearTimeout(this.#mend);
    this.#connection.close();
    this.#stir();
  }

  /** Every address was looked for, and there is none: nothing will come of waiting. */
  #hasNoAddress(): boolean {
    return this.#connection.iceGatheringState === 'complete' && !this.#found;
  }

  #watch(): void {
    this.#stir();
    if (!this.#connected || this.#over) return;
    const { iceConnectionState: ice, connectionState: state } = this.#connection;
    clearTimeout(this.#mend);
    if (ice === 'failed' || state === 'failed' || state === 'closed') this.#lose();
    else if (ice === 'disconnected') this.#loseIn(MEND_MS);
  }

  #loseIn(ms: number): void {
    if (this.#over) return;
    clearTimeout(this.#mend);
    this.#mend = setTimeout(() => this.#lose(), ms);
  }

  #lose(): void {
    if (this.#over || !this.#connected) return;
    this.#connected = false;
    this.#events.lost();
  }
}
