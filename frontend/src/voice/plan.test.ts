import { expect, test } from 'vitest';
import { type Choice, planAfter, planFor, recordedWays, waysOf } from './plan';

const BOTH = ['webrtc', 'websocket'] as const;

test.each([
  ['both', BOTH, BOTH, ['webrtc', 'websocket']],
  ['a model that cannot', BOTH, ['websocket'], ['websocket']],
  ['a server that does not', ['websocket'], BOTH, ['websocket']],
  ['an older server', undefined, undefined, ['websocket']],
] as const)('what is offered: %s', (_, offered, model, ways) => {
  expect(waysOf(offered, model)).toEqual(ways);
});

test('automatic tries WebRTC, and goes on over a WebSocket with the reason', () => {
  const plan = planFor('automatic', BOTH, false);
  expect(plan).toEqual({ way: 'webrtc', yields: true, because: null });
  const after = planAfter(plan, 'blocked');
  expect(after).toEqual({ way: 'websocket', yields: false, because: 'blocked' });
  expect(after && planAfter(after, 'blocked')).toBeNull();
});

test('what failed a moment ago is not waited for again, and still said', () => {
  expect(planFor('automatic', BOTH, true)).toEqual({
    way: 'websocket',
    yields: false,
    because: 'blocked',
  });
});

test('a caller who chose WebRTC is never moved without a word', () => {
  const plan = planFor('webrtc', BOTH, true);
  expect(plan.way).toBe('webrtc');
  expect(planAfter(plan, 'blocked')).toBeNull();
  expect(planFor('webrtc', ['websocket'], false)).toMatchObject({
    way: 'websocket',
    because: 'model',
  });
});

test.each<Choice>(['automatic', 'websocket'])(
  'where there is one way, %s says nothing',
  (choice) => {
    expect(planFor(choice, ['websocket'], false)).toEqual({
      way: 'websocket',
      yields: false,
      because: null,
    });
  },
);

test('an agent whose calls are recorded is talked to where the audio passes the server', () => {
  const both = ['webrtc', 'websocket'] as const;
  expect(recordedWays(both, 'automatic', 'never')).toEqual(both);
  expect(recordedWays(both, 'automatic', 'maybe')).toEqual(['websocket']);
  expect(recordedWays(both, 'webrtc', 'maybe')).toEqual(both);
  expect(recordedWays(both, 'webrtc', 'always')).toEqual(['websocket']);
  expect(planFor('webrtc', ['websocket'], false, 'always').because).toBe('recorded');
  expect(planFor('webrtc', ['websocket'], false, 'maybe').because).toBe('model');
});
