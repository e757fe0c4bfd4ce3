import { expect, test } from 'vitest';
import { IDLE, type LineEntry, reduce, type SessionEvent } from '../../voice/session';
import { cutAt, spokenChars } from './spoken';

const TEXT = 'Good morning to you';
const EVENTS: SessionEvent[] = [
  { type: 'dialling' },
  { type: 'ready', call: 'c', resume: 'r', reattachSeconds: 10, resumed: false },
  {
    type: 'line',
    id: 'a',
    speaker: 'agent',
    text: TEXT,
    state: 'final',
    beganMs: 0,
    heardChars: null,
    typed: false,
  },
  { type: 'audio', item: 'a', audio: '' },
];

function spokenAfter(...more: SessionEvent[]): string {
  const now = [...EVENTS, ...more].reduce(reduce, IDLE);
  const line = now.entries.find((entry): entry is LineEntry => entry.kind === 'line');
  return line === undefined ? '' : line.text.slice(0, spokenChars(line, now));
}

test('a line is spoken word by word as its audio is heard', () => {
  expect(spokenAfter()).toBe('');
  expect(spokenAfter({ type: 'spoken', item: 'a', share: 0.3 })).toBe('Good morning');
  expect(spokenAfter({ type: 'spoken', item: 'a', share: 1 })).toBe(TEXT);
});

test('a line that is over, or never had a sound, is whole', () => {
  expect(
    spokenAfter({ type: 'spoken', item: 'b', share: 0.1 }, { type: 'floor', floor: 'caller' }),
  ).toBe(TEXT);
  expect(spokenAfter({ type: 'hungUp' })).toBe(TEXT);
});

test('a cut falls after the space, and never outside the text', () => {
  expect(cutAt(TEXT, 4)).toEqual(['Good ', 'morning to you']);
  expect(cutAt(TEXT, 99)).toEqual([TEXT, '']);
  expect(cutAt(TEXT, -1)).toEqual(['', TEXT]);
});
