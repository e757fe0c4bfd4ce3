import { expect, test } from 'vitest';
import { loudness } from './pcm';
import { Resampler } from './resample';

function sine(hertz: number, rate: number, seconds: number): Float32Array {
  const length = Math.round(rate * seconds);
  return Float32Array.from({ length }, (_, at) => Math.sin((2 * Math.PI * hertz * at) / rate));
}

function inPieces(resampler: Resampler, input: Float32Array): Float32Array {
  const out: number[] = [];
  for (let at = 0; at < input.length; at += 128)
    out.push(...resampler.push(input.slice(at, at + 128)));
  return Float32Array.from(out);
}

test('at equal rates samples pass untouched', () => {
  const input = sine(440, 24_000, 0.01);
  expect(new Resampler(24_000, 24_000).push(input)).toBe(input);
});

test.each([48_000, 44_100, 16_000])('one second at %i Hz is one second at 24 kHz', (rate) => {
  const out = inPieces(new Resampler(rate, 24_000), sine(1_000, rate, 1));
  expect(Math.abs(out.length - 24_000)).toBeLessThan(60);
  const wanted = sine(1_000, 24_000, 1);
  // The filter starts from silence; compare once it is under way, at the best of a few shifts.
  const errors = [-2, -1, 0, 1, 2].map((shift) =>
    loudness(out.slice(2_000, 20_000).map((v, at) => v - (wanted[at + 2_000 + shift] ?? 0))),
  );
  expect(Math.min(...errors)).toBeLessThan(0.02);
});

test('what 24 kHz cannot hold does not come back as another tone', () => {
  const out = inPieces(new Resampler(48_000, 24_000), sine(15_000, 48_000, 0.5));
  expect(loudness(out.slice(1_000))).toBeLessThan(0.01);
});
