import { expect, test } from 'vitest';
import { IDLE, reduce, type SessionEvent } from '../../voice/session';
import { asJson, asText } from './export';
import { grade, meaning } from './latency';

const LINE = { type: 'line', speaker: 'agent', heardChars: null, typed: false } as const;
const CALL: SessionEvent[] = [
  { ...LINE, id: 'a', text: 'Good morning.', state: 'final', beganMs: 400 },
  {
    ...LINE,
    id: 'b',
    text: 'You owe 80 euros until May.',
    state: 'cut',
    beganMs: 65_000,
    heardChars: 16,
  },
  { ...LINE, id: 'c', speaker: 'caller', text: 'Pay it.', state: 'final', beganMs: 70_000 },
  { type: 'notice', code: 'x', text: 'This call is recorded.' },
];

test('the text says who said what and when, and what was not heard', () => {
  expect(asText(CALL.reduce(reduce, IDLE), 'City').split('\n')).toEqual([
    '0:00  City: Good morning.',
    '1:05  City: You owe 80 euros [cut off; not heard: until May.]',
    '1:10  You: Pay it.',
    '1:10  (This call is recorded.)',
    '',
  ]);
});

test('the data is JSON with every entry whole', () => {
  const data: { entries: unknown[] } = JSON.parse(asJson(CALL.reduce(reduce, IDLE), 'City'));
  expect(data.entries).toHaveLength(4);
});

test('an answer is good under 0.8 s, fair under 1.5 s, and says what it measures', () => {
  expect([799, 800, 1_499, 1_500].map(grade)).toEqual(['good', 'fair', 'fair', 'poor']);
  expect(meaning({ type: 'latency', reply: 'r', firstAudioMs: 611.6, firstHeardMs: null })).toBe(
    'From the end of your sentence to the first sound of the answer: 612 ms.',
  );
});
