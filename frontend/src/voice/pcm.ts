/** PCM as it crosses the wire: signed 16-bit little-endian mono at 24 kHz, base64. */

export const RATE_HZ = 24_000;
/** 20 ms: what one `audio` message of the page carries. */
export const FRAME_SAMPLES = 480;

/** Samples between -1 and 1 to wire text. Louder samples are clipped, never wrapped. */
export function encode(samples: Float32Array): string {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, index) => {
    const clipped = Math.max(-1, Math.min(1, sample));
    view.setInt16(index * 2, Math.round(clipped * (clipped < 0 ? 32_768 : 32_767)), true);
  });
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

/** Wire text to samples; `null` where it is not base64 or not whole samples. */
export function decode(text: string): Float32Array<ArrayBuffer> | null {
  const bytes = binary(text);
  if (bytes === null || bytes.length % 2 !== 0) return null;
  const samples = new Float32Array(bytes.length / 2);
  for (let index = 0; index < samples.length; index += 1) {
    const low = bytes.charCodeAt(index * 2);
    const high = bytes.charCodeAt(index * 2 + 1);
    samples[index] = (((high << 8) | low) << 16) / 2 ** 31;
  }
  return samples;
}

/** How long wire text sounds, without decoding it. */
export function durationMs(text: string): number {
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  return (((text.length * 3) / 4 - padding) / 2 / RATE_HZ) * 1_000;
}

/** Loudness between 0 and 1: the root of the mean square. */
export function loudness(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

function binary(text: string): string | null {
  try {
    return atob(text);
  } catch {
    return null;
  }
}
