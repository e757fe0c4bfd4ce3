import { describe, expect, test } from 'vitest';
import { fromBytes, toBytes } from './samples';
import { KEYS, tonesOf } from './tones';
import { clock, dialled, isTrouble, lasting, pretty, spaced } from './words';

describe('numbers', () => {
  test.each([
    ['+442079460111', '+44 20 7946 0111'],
    ['+15550100', '+1 555 0100'],
    ['+351210000000', '+351210000000'],
  ])('%s is read as %s, and dialled as it was', (number, words) => {
    expect(spaced(number)).toBe(words);
    expect(dialled(words)).toBe(number);
  });

  test.each(['', '12', '+0123', 'agent', '+12345678901234567'])('%s is none', (typed) => {
    expect(dialled(typed)).toBeNull();
  });

  test('an international prefix is a plus', () => {
    expect(dialled('0044 (20) 7946-0111')).toBe('+442079460111');
  });
});

describe('keys', () => {
  test('each has two tones of its own, as Q.23 has them', () => {
    expect(tonesOf('1')).toEqual([697, 1209]);
    expect(tonesOf('#')).toEqual([941, 1477]);
    expect(tonesOf('x')).toBeNull();
    expect(new Set(KEYS.map((key) => String(tonesOf(key)))).size).toBe(12);
  });
});

describe('sound', () => {
  test('crosses the wire and back; what is too loud is clipped', () => {
    const back = fromBytes(toBytes(Float32Array.from([0, 0.5, -0.5, 2, -2])));
    [0, 0.5, -0.5, 1, -1].forEach((sample, at) => {
      expect(back[at]).toBeCloseTo(sample, 3);
    });
  });
});

describe('time and outcome', () => {
  test('are short', () => {
    expect(lasting(83_900)).toBe('1:23');
    expect(lasting(-5)).toBe('0:00');
    expect(clock(0)).toMatch(/^\d\d:\d\d:00\.000$/);
  });

  test('no answer and refusals are trouble; what has no answer is not', () => {
    const troubled = [0, 404, 200, null].map((status) => isTrouble({ status } as never));
    expect(troubled).toEqual([true, true, false, false]);
  });

  test('a body that was cut off is shown as it is', () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty('{"a":…')).toBe('{"a":…');
  });
});
