import { expect, test } from 'vitest';
import type { RingState } from '../../api/telephone';
import { NOT_RINGING, type Ringing } from './ringing';
import { callMeWords, ringWords, telLink } from './words';

function stands(phase: Ringing['phase'], state: RingState | null, reason: string | null = null) {
  return { ...NOT_RINGING, phase, state, reason };
}

const EVERY: [Ringing, RegExp][] = [
  [stands('asking', null), /Placing/],
  [stands('under_way', 'booked'), /Placing/],
  [stands('under_way', 'ringing'), /is ringing/],
  [stands('under_way', 'answered'), /Answered/],
  [stands('over', 'busy'), /busy/],
  [stands('over', 'no_answer'), /Nobody answered/],
  [stands('over', 'machine'), /answering machine/],
  [stands('over', 'ended'), /is over/],
  [stands('over', 'failed', 'declined'), /did not come about/],
  [stands('over', null, 'lost'), /no longer be followed/],
];

test.each(EVERY)('there are words for each way it may stand (%#)', (ringing, title) => {
  expect(ringWords(ringing, 'Contoso Bank')?.title).toMatch(title);
});

test('where nobody rings there is nothing to say', () => {
  expect(ringWords(NOT_RINGING, 'Contoso Bank')).toBeNull();
});

test.each(['declined', 'carrier', 'server_stopping', 'something_new', null])(
  'a failure for the reason %s is told as a sentence',
  (reason) => expect(ringWords(stands('over', 'failed', reason), 'B')?.text).toMatch(/\.$/),
);

test('the way to the dialog says how it stands', () => {
  expect(callMeWords(NOT_RINGING)).toBe('Call me instead');
  expect(callMeWords(stands('under_way', 'ringing'))).toBe('Your telephone is ringing');
  expect(callMeWords(stands('under_way', 'answered'))).toBe('You are on the telephone');
  expect(callMeWords(stands('over', 'busy'))).toBe('Call me instead');
});

test('a link dials digits only', () => {
  expect(telLink('+44 20 7946 0018')).toBe('tel:+442079460018');
});
