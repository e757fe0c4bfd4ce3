/** What the softphone's ear hears: the line's sound by the playback worklet, keys and bells. */
import { RATE_HZ } from '../src/voice/pcm';
import type { FromPlayback, ToPlayback } from '../src/voice/speaker';
import { KEY_S, RING, RING_BURSTS, RING_EVERY_MS, tonesOf } from './tones';

/** Sound that waits longer than this is skipped: a telephone never gets late. */
const MAX_LATE_MS = 400;

export interface Earpiece {
  /** Call it from a click: sound that begins elsewhere may stay silent. */
  open(): void;
  play(samples: Float32Array<ArrayBuffer>): void;
  key(key: string): void;
  /** The bell of a call that comes in, the tone of one that goes out, or neither. */
  ring(which: 'in' | 'out' | null): void;
}

export interface EarEvents {
  sounding(sounding: boolean): void;
  level(level: number): void;
}

export function browserEarpiece(workletUrl: string, events: EarEvents): Earpiece {
  let context: AudioContext | null = null;
  let player: Player | null = null;
  let bell: Bell | null = null;
  const awake = (): AudioContext => {
    if (context === null) {
      const fresh = new AudioContext({ sampleRate: RATE_HZ, latencyHint: 'interactive' });
      context = fresh;
      fresh.audioWorklet.addModule(workletUrl).then(
        () => {
          player = startPlayer(fresh, events);
        },
        () => undefined, // no worklet, no sound: the words are still written
      );
    }
    if (context.state === 'suspended') void context.resume();
    return context;
  };
  return {
    open: () => void awake(),
    play: (samples) => player?.play(samples),
    key: (key) => {
      const tones = tonesOf(key);
      if (tones !== null) sound(awake(), tones, 0, KEY_S, 0.1);
    },
    ring: (which) => {
      if (bell?.which === which) return;
      bell?.stop();
      bell = which === null ? null : startBell(awake(), which);
    },
  };
}

interface Player {
  play(samples: Float32Array<ArrayBuffer>): void;
}

function startPlayer(context: AudioContext, events: EarEvents): Player {
  const node = new AudioWorkletNode(context, 'playback', {
    numberOfInputs: 0,
    outputChannelCount: [1],
  });
  node.connect(context.destination);
  let stretch = 0;
  let sentMs = 0;
  let playedMs = 0;
  const send = (message: ToPlayback, transfer: Transferable[] = []): void =>
    node.port.postMessage(message, transfer);
  node.port.onmessage = ({ data }: MessageEvent<FromPlayback>) => {
    if (data.type === 'sounding') events.sounding(data.sounding);
    else if (data.type === 'level') events.level(data.level);
    else if (data.type !== 'flushed' && data.item === String(stretch)) playedMs = data.ms;
  };
  return {
    play: (samples) => {
      if (sentMs - playedMs > MAX_LATE_MS) {
        send({ type: 'flush' });
        stretch += 1;
        sentMs = 0;
        playedMs = 0;
      }
      sentMs += (samples.length * 1_000) / RATE_HZ;
      send({ type: 'audio', item: String(stretch), samples }, [samples.buffer]);
    },
  };
}

interface Bell {
  readonly which: 'in' | 'out';
  stop(): void;
}

function startBell(context: AudioContext, which: 'in' | 'out'): Bell {
  let sounding: readonly OscillatorNode[] = [];
  const once = (): void => {
    sounding = RING_BURSTS.flatMap(([at, length]) =>
      sound(context, RING, at, length, which === 'in' ? 0.12 : 0.04),
    );
  };
  once();
  const timer = setInterval(once, RING_EVERY_MS);
  return {
    which,
    stop: () => {
      clearInterval(timer);
      for (const oscillator of sounding) oscillator.stop();
    },
  };
}

function sound(
  context: AudioContext,
  tones: readonly [number, number],
  inS: number,
  lengthS: number,
  loudness: number,
): readonly OscillatorNode[] {
  const from = context.currentTime + inS;
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setTargetAtTime(loudness, from, 0.005);
  gain.gain.setTargetAtTime(0, from + lengthS, 0.005);
  gain.connect(context.destination);
  return tones.map((frequency) => {
    const oscillator = new OscillatorNode(context, { frequency });
    oscillator.connect(gain);
    oscillator.start(from);
    oscillator.stop(from + lengthS + 0.05);
    return oscillator;
  });
}
