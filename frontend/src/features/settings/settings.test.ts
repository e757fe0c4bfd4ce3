import { expect, test } from 'vitest';
import { DEFAULTS, parse, recall, remember } from './settings';

function storage(text: string | null): () => Storage {
  let kept = text;
  const kind = {
    getItem: () => kept,
    setItem: (_: string, value: string) => {
      kept = value;
    },
  };
  return () => kind as unknown as Storage;
}

test('wishes are remembered', () => {
  const kept = storage(null);
  const wishes = { ...DEFAULTS, voice: 'cedar', theme: 'dark', connection: 'websocket' } as const;
  remember(kept, wishes);
  expect(recall(kept)).toEqual(wishes);
});

test.each(['{', '[]', 'null', '{"voice":7,"theme":"pink","connection":"pigeon"}'])(
  'nonsense in storage is no wish: %s',
  (text) => {
    expect(recall(storage(text))).toEqual(DEFAULTS);
  },
);

test('storage that is forbidden is no reason to fail', () => {
  const forbidden = (): Storage => {
    throw new Error('denied');
  };
  expect(recall(forbidden)).toEqual(DEFAULTS);
  expect(() => remember(forbidden, DEFAULTS)).not.toThrow();
  expect(parse(undefined)).toEqual(DEFAULTS);
});
