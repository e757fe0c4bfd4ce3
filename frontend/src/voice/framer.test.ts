import { expect, test } from 'vitest';
import { Framer } from './framer';

test('quanta of 128 become frames of 480 with nothing lost or doubled', () => {
  const framer = new Framer(480);
  const sent = Float32Array.from({ length: 128 * 30 }, (_, index) => index);
  const got: number[] = [];
  for (let at = 0; at < sent.length; at += 128) {
    for (const frame of framer.push(sent.slice(at, at + 128))) {
      expect(frame).toHaveLength(480);
      got.push(...frame);
    }
  }
  expect(got).toEqual([...sent]);
});
