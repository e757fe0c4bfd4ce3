import { expect, test } from 'vitest';
import { read } from './wire';

test('a message of ours is read, with what the server left out filled in', () => {
  const frame = {
    type: 'line',
    id: 'item_1',
    speaker: 'agent',
    text: 'Good morning',
    state: 'partial',
    beganMs: 120,
  };
  expect(read(JSON.stringify(frame))).toEqual({ ...frame, heardChars: null, typed: false });
});

test.each([
  ['not JSON', '{'],
  ['not an object', '[1]'],
  ['binary', new ArrayBuffer(4)],
  ['a kind nobody knows', '{"type":"dance"}'],
  ['a kind that every object has', '{"type":"toString"}'],
  ['a field that is missing', '{"type":"ended","reason":"x"}'],
  ['a field of another kind', '{"type":"floor","floor":"everybody"}'],
  ['a number that is text', '{"type":"pong","at":"1"}'],
])('%s is not ours', (_, frame) => {
  expect(read(frame)).toBeNull();
});
