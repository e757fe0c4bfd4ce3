/** The caller's ear: a queue on the audio thread, and an honest account of what it has played. */
import { sendTo } from './devices';
import { decode, RATE_HZ } from './pcm';
import type { Position } from './playqueue';

export type ToPlayback =
  | { readonly type: 'audio'; readonly item: string; readonly samples: Float32Array<ArrayBuffer> }
  | { readonly type: 'flush' };

export type FromPlayback =
  /** Played to the end of what was queued. */
  | ({ readonly type: 'played' } & Position)
  | ({ readonly type: 'playing' } & Position)
  | { readonly type: 'flushed'; readonly position: Position | null }
  | { readonly type: 'sounding'; readonly sounding: boolean }
  | { readonly type: 'level'; readonly level: number };

export interface SpeakerEvents {
  /** So much of the item has been heard, in all. */
  played(item: string, ms: number): void;
  sounding(sounding: boolean): void;
  level(level: number): void;
}

export interface Speaker {
  play(item: string, audio: string): void;
  /** Silence within a render quantum. Audio that still comes for what was flushed is dropped. */
  flush(): void;
  /** Sound from another output; `null` is the browser's default. */
  hearOn(speaker: string | null): Promise<void>;
  close(): void;
}

export type OpenSpeaker = (speaker: string | null, events: SpeakerEvents) => Promise<Speaker>;

/** Call it from a click: a context born elsewhere may stay silent. */
export function browserSpeaker(workletUrl: string): OpenSpeaker {
  return async (speaker, events) => {
    const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: 'interactive' });
    if (speaker !== null) await sendTo(context, speaker);
    try {
      await Promise.all([context.resume(), context.audioWorklet.addModule(workletUrl)]);
    } catch (error) {
      await context.close();
      throw error;
    }
    const node = new AudioWorkletNode(context, 'playback', {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    node.connect(context.destination);
    const report = reporter(events, () => context.outputLatency * 1_000);
    node.port.onmessage = (event: MessageEvent<FromPlayback>) => report(event.data);
    return {
      play: (item, audio) => {
        const samples = decode(audio);
        if (samples !== null) post(node, { type: 'audio', item, samples }, [samples.buffer]);
      },
      flush: () => post(node, { type: 'flush' }, []),
      hearOn: (other) => sendTo(context, other),
      close: () => {
        node.port.onmessage = null;
        node.disconnect();
        if (context.state !== 'closed') void context.close();
      },
    };
  };
}

/**
 * Turns what was rendered into what was heard: sound on its way to the ear has not arrived yet.
 * What was played to its end counts whole; nothing ever counts backwards.
 */
export function reporter(
  events: SpeakerEvents,
  latencyMs: () => number,
): (message: FromPlayback) => void {
  let last: Position | null = null;
  const heard = (position: Position, underwayMs: number): void => {
    const before = last?.item === position.item ? last.ms : 0;
    const ms = Math.max(before, position.ms - underwayMs, 0);
    last = { item: position.item, ms };
    events.played(position.item, Math.round(ms * 10) / 10);
  };
  return (message) => {
    switch (message.type) {
      case 'played':
        heard(message, 0);
        break;
      case 'playing':
        heard(message, latencyMs());
        break;
      case 'flushed':
        if (message.position !== null) heard(message.position, latencyMs());
        break;
      case 'sounding':
        events.sounding(message.sounding);
        break;
      case 'level':
        events.level(message.level);
        break;
    }
  };
}

function post(node: AudioWorkletNode, message: ToPlayback, transfer: Transferable[]): void {
  node.port.postMessage(message, transfer);
}
