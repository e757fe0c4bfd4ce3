/** The part of AudioWorkletGlobalScope that the two worklets use; `lib.dom` does not have it. */
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Hertz of the context this worklet runs in. */
declare const sampleRate: number;
