import { expect, test } from 'vitest';
import { createScope } from './scope';

test('what a call owns is undone at its end, newest first, once', () => {
  const undone: string[] = [];
  const scope = createScope();
  scope.own(() => undone.push('speaker'));
  scope.own(() => undone.push('socket'));
  scope.end();
  scope.end();
  expect(undone).toEqual(['socket', 'speaker']);
  expect([scope.alive, scope.signal.aborted]).toEqual([false, true]);
});

test('what arrives after the end is undone at once', () => {
  const scope = createScope();
  scope.end();
  let closed = false;
  scope.own(() => {
    closed = true;
  });
  expect(closed).toBe(true);
});
