import { expect, test } from 'vitest';
import { decode, durationMs, encode, FRAME_SAMPLES, loudness } from './pcm';

test('a frame of 20 ms crosses the wire as 960 bytes', () => {
  expect(atob(encode(new Float32Array(FRAME_SAMPLES)))).toHaveLength(960);
});

test.each([480, 481, 482])('the length of %i samples is known without decoding them', (count) => {
  expect(durationMs(encode(new Float32Array(count)))).toBeCloseTo(count / 24);
});

test('samples survive the wire within two steps of 16 bits', () => {
  const samples = Float32Array.from({ length: 480 }, (_, index) => Math.sin(index / 7));
  const back = decode(encode(samples));
  expect(back).not.toBeNull();
  for (const [index, sample] of samples.entries())
    expect(Math.abs((back?.[index] ?? 9) - sample)).toBeLessThan(2 / 32_768);
});

test('bytes are little-endian, and too loud is clipped, never wrapped', () => {
  const bytes = [...atob(encode(Float32Array.of(2, -2, 1 / 32_767)))].map((c) => c.charCodeAt(0));
  expect(bytes).toEqual([0xff, 0x7f, 0x00, 0x80, 0x01, 0x00]);
});

test.each(['?', 'AAAA', 'AA=='])('what is not whole samples in base64 is refused: %s', (text) => {
  expect(decode(text)).toBeNull();
});

test('loudness is that of a constant, and 0 for nothing', () => {
  expect(loudness(new Float32Array(100).fill(-0.25))).toBeCloseTo(0.25);
  expect(loudness(new Float32Array(0))).toBe(0);
});
