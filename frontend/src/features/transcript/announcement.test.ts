import { expect, test } from 'vitest';
import type { LineEntry } from '../../voice/session';
import { announcement } from './Announcer';

const LINE: LineEntry = {
  kind: 'line',
  id: 'a',
  speaker: 'agent',
  text: 'Good morning.',
  state: 'final',
  beganMs: 0,
  heardChars: null,
  typed: false,
  sending: false,
};

test('a whole line is read with its speaker; words on their way are not', () => {
  expect(announcement(LINE, 'City')?.text).toBe('City: Good morning.');
  expect(announcement({ ...LINE, speaker: 'caller' }, 'City')?.text).toBe('You: Good morning.');
  expect(announcement({ ...LINE, state: 'partial' }, 'City')).toBeNull();
});
