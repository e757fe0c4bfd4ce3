/** PCM as it crosses the softphone's socket: signed 16-bit little-endian mono at 24 kHz. */

/** Samples between -1 and 1 to bytes. Louder samples are clipped, never wrapped. */
export function toBytes(samples: Float32Array): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, index) => {
    const clipped = Math.max(-1, Math.min(1, sample));
    view.setInt16(index * 2, Math.round(clipped * (clipped < 0 ? 32_768 : 32_767)), true);
  });
  return view.buffer as ArrayBuffer;
}

/** Bytes to samples; half a sample at the end is dropped. */
export function fromBytes(bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes);
  const samples = new Float32Array(Math.floor(bytes.byteLength / 2));
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = view.getInt16(index * 2, true) / 32_768;
  }
  return samples;
}
