import { expect, test } from 'vitest';
import { facts } from './facts';
import { told } from './wording';

test('a tool is told in the tense of its state', () => {
  expect(told({ title: 'Look up fines', state: 'running' })).toBe('Looking up fines…');
  expect(told({ title: 'Look up fines', state: 'done' })).toBe('Looked up fines');
  expect(told({ title: 'Pay a fine', state: 'asking' })).toBe('Pay a fine');
  expect(told({ title: 'Pay a fine', state: 'declined' })).toBe('Pay a fine: you said no');
});

test('a title that begins otherwise is told as it is', () => {
  expect(told({ title: 'Weather today', state: 'done' })).toBe('Weather today');
});

test('any JSON becomes rows that a person can read', () => {
  expect(
    facts({
      dueDate: '2 May',
      paid: false,
      note: null,
      fines: [{ id: 7, amount: 80 }],
      tags: ['a', 'b'],
    }),
  ).toEqual([
    { name: 'Due date', value: '2 May' },
    { name: 'Paid', value: 'no' },
    { name: 'Fines 1, id', value: '7' },
    { name: 'Fines 1, amount', value: '80' },
    { name: 'Tags', value: 'a, b' },
  ]);
  expect(facts('plain')).toEqual([{ name: 'Value', value: 'plain' }]);
});

test('a huge answer stays a small table', () => {
  expect(facts(Array.from({ length: 5_000 }, (_, id) => ({ id }))).length).toBeLessThanOrEqual(60);
  expect(facts({ text: 'x'.repeat(1_000_000) })[0]?.value.length).toBeLessThan(500);
});
