import { describe, expect, test } from 'vitest';
import { bellOf } from './desk';
import type { LineNow, Passage } from './protocol.gen';
import { FIRST, MAX_PASSAGES, reduce, type Snapshot } from './store';

function line(change: Partial<LineNow>): LineNow {
  return {
    ...{ type: 'line', line: 0, number: '+442079460111', state: 'idle', other: '' },
    ...{ held: false, speaking: false, text: '' },
    ...change,
  };
}

function passage(id: number, note = ''): Passage {
  return {
    ...{ id, at_ms: id, kind: 'media', way: 'to_agent', title: 'media socket', call: '' },
    ...{ status: null, took_ms: null, note, body: '' },
  };
}

function told(...messages: LineNow[]): Snapshot {
  return messages.reduce((now, message, at) => reduce(now, message, at), FIRST);
}

describe('a line', () => {
  test('that rings comes to the hand', () => {
    const now = told(line({}), line({ line: 1, state: 'ringing', other: '+15550100' }));
    expect(now.selected).toBe(1);
    expect(bellOf(now)).toBe('in');
  });

  test('that rings while the hand is busy leaves it alone, and rings without a bell', () => {
    const now = told(line({ state: 'talking' }), line({ line: 1, state: 'ringing' }));
    expect(now.selected).toBe(0);
    expect(bellOf(now)).toBeNull();
  });

  test('keeps its time through a hold, and what it heard through the end of the call', () => {
    let now = told(line({ state: 'calling' }), line({ state: 'talking' }));
    now = reduce(now, { type: 'words', line: 0, text: 'good day' }, 5);
    now = reduce(now, line({ state: 'talking', held: true }), 9);
    expect(now.lines[0]?.since).toBe(1);
    now = reduce(now, line({ state: 'ended', text: 'You hung up.' }), 10);
    expect(now.lines[0]?.heard.map(({ text }) => text)).toEqual(['good day']);
    now = reduce(now, line({ state: 'calling' }), 11);
    expect(now.lines[0]?.heard).toEqual([]);
  });

  test('hears the tone of ringing while it calls', () => {
    expect(bellOf(told(line({ state: 'calling' })))).toBe('out');
    expect(bellOf(told(line({ state: 'talking' })))).toBeNull();
  });
});

describe('what flows', () => {
  test('is told again with another note, in its old place', () => {
    let now = reduce(FIRST, { type: 'flow', passages: [passage(1), passage(2)] }, 0);
    now = reduce(now, { type: 'flow', passages: [passage(1, '25 frames')] }, 0);
    expect(now.passages.map(({ id, note }) => [id, note])).toEqual([
      [1, '25 frames'],
      [2, ''],
    ]);
  });

  test('is bounded: the oldest go', () => {
    const many = Array.from({ length: MAX_PASSAGES + 10 }, (_, at) => passage(at + 1));
    const now = reduce(FIRST, { type: 'flow', passages: many }, 0);
    expect(now.passages).toHaveLength(MAX_PASSAGES);
    expect(now.passages[0]?.id).toBe(11);
  });
});
