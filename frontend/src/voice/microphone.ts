/** The caller's voice: 20 ms frames at 24 kHz, whatever the device can do. */
import { listen, MicrophoneFailed, stop, watchDevice } from './devices';
import { RATE_HZ } from './pcm';

export interface MicrophoneEvents {
  frame(samples: Float32Array, level: number): void;
  /** Unplugged, or taken away by the browser. */
  lost(): void;
}

export interface Microphone {
  /** A muted microphone sends silence: a sentence begun before still comes to its end. */
  mute(muted: boolean): void;
  close(): void;
}

/** `device` is the id the browser gave it, or `null` for the default. Raises `MicrophoneFailed`. */
export type OpenMicrophone = (
  device: string | null,
  events: MicrophoneEvents,
) => Promise<Microphone>;

interface Frame {
  readonly samples: Float32Array;
  readonly level: number;
}

/** After a device is lost, silence goes on this long, so that the service hears the turn end. */
const TRAILING_SILENCE_MS = 2_000;

export function browserMicrophone(workletUrl: string): OpenMicrophone {
  return async (device, events) => {
    const stream = await listen(device);
    try {
      return await capture(stream, workletUrl, events);
    } catch (error) {
      stop(stream);
      throw new MicrophoneFailed('unsupported', error);
    }
  };
}

async function capture(
  stream: MediaStream,
  workletUrl: string,
  events: MicrophoneEvents,
): Promise<Microphone> {
  const { context, source } = connect(stream);
  try {
    await Promise.all([context.resume(), context.audioWorklet.addModule(workletUrl)]);
  } catch (error) {
    void context.close();
    throw error;
  }
  const node = new AudioWorkletNode(context, 'capture', { outputChannelCount: [1] });
  source.connect(node).connect(context.destination);
  node.port.onmessage = ({ data }: MessageEvent<Frame>) => events.frame(data.samples, data.level);
  const close = (): void => {
    ignore();
    node.port.onmessage = null;
    stop(stream);
    if (context.state !== 'closed') void context.close();
  };
  const ignore = watchDevice(stream, () => {
    setTimeout(close, TRAILING_SILENCE_MS);
    events.lost();
  });
  return {
    mute: (muted) => {
      for (const track of stream.getAudioTracks()) track.enabled = !muted;
    },
    close,
  };
}

/** At 24 kHz where the browser converts by itself, else at the device's rate: the worklet does. */
function connect(stream: MediaStream): {
  context: AudioContext;
  source: MediaStreamAudioSourceNode;
} {
  const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: 'interactive' });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    void context.close();
    const own = new AudioContext({ latencyHint: 'interactive' });
    return { context: own, source: own.createMediaStreamSource(stream) };
  }
}
