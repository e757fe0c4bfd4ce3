import { describe, expect, test } from 'vitest';
import { NotRung, type RingState, type RingWish, type Rung, rungOf } from '../../api/telephone';
import { isNumber, NO_NUMBER, Ringer, type RingParts, UNCERTAIN } from './ringing';

const NUMBER = '+44 20 7946 0018';

/** A server that answers as the test says, one answer for each request. */
function server(placed: (Rung | Error)[], looks: (Rung | Error)[] = []) {
  const wishes: RingWish[] = [];
  const pauses: number[] = [];
  const next = (answers: (Rung | Error)[]): Rung => {
    const answer = answers.shift();
    if (answer === undefined) throw new Error('asked more often than the test expects');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  let count = 0;
  const parts: RingParts = {
    ring: async (wish) => {
      wishes.push(wish);
      return next(placed);
    },
    look: async () => next(looks),
    newOperation: () => {
      count += 1;
      return `operation-${count}`;
    },
    pause: async (ms) => void pauses.push(ms),
  };
  return { ringer: new Ringer(parts), wishes, pauses };
}

function stands(state: RingState, reason: string | null = null): Rung {
  return { call: 'call_1', state, reason };
}

describe('one attempt', () => {
  test('is followed from the first ring to the end', async () => {
    const looks = [stands('ringing'), stands('answered'), stands('ended')];
    const { ringer, wishes } = server([stands('ringing')], looks);
    const seen: string[] = [];
    ringer.subscribe(() => seen.push(ringer.snapshot().state ?? ringer.snapshot().phase));
    await ringer.call(` ${NUMBER} `, 'bank');
    expect(seen).toEqual(['asking', 'ringing', 'ringing', 'answered', 'ended']);
    expect(wishes).toEqual([{ to: NUMBER, agent: 'bank', operation: 'operation-1' }]);
    expect(ringer.snapshot()).toMatchObject({ phase: 'over', state: 'ended', trouble: null });
  });

  test('is asked about less and less often while nothing happens', async () => {
    const looks = [...Array<Rung>(12).fill(stands('ringing')), stands('answered'), stands('busy')];
    const { ringer, pauses } = server([stands('ringing')], looks);
    await ringer.call(NUMBER, 'bank');
    expect(pauses.slice(0, 3)).toEqual([1_000, 1_400, 1_959.9999999999998]);
    expect(Math.max(...pauses)).toBe(8_000);
    expect(pauses.at(-1)).toBe(1_000);
  });

  test('rings once, however often it is pressed', async () => {
    const { ringer, wishes } = server([stands('busy')]);
    await Promise.all([ringer.call(NUMBER, 'bank'), ringer.call(NUMBER, 'bank')]);
    expect(wishes).toHaveLength(1);
  });

  test('goes on being followed while the server is away', async () => {
    const looks = [new TypeError('no network'), new NotRung(503, null), stands('ended')];
    const { ringer } = server([stands('answered')], looks);
    const stale: boolean[] = [];
    ringer.subscribe(() => stale.push(ringer.snapshot().stale));
    await ringer.call(NUMBER, 'bank');
    expect(stale).toEqual([false, false, true, true, false]);
  });

  test.each([401, 403, 404])('is given up where the server says %i of it', async (status) => {
    const { ringer } = server([stands('ringing')], [new NotRung(status, 'No.')]);
    await ringer.call(NUMBER, 'bank');
    expect(ringer.snapshot()).toMatchObject({ phase: 'over', state: null, reason: 'lost' });
  });
});

describe('the operation', () => {
  test('is the same where nobody knows whether it rings', async () => {
    const placed = [new TypeError('no network'), new NotRung(500, null), stands('no_answer')];
    const { ringer, wishes } = server(placed);
    await ringer.call(NUMBER, 'bank');
    expect(ringer.snapshot()).toMatchObject({ phase: 'idle', trouble: UNCERTAIN });
    await ringer.call(NUMBER, 'bank');
    await ringer.call(NUMBER, 'bank');
    expect(wishes.map(({ operation }) => operation)).toEqual(Array(3).fill('operation-1'));
  });

  test.each([
    ['another number', '+44 20 7946 0019', 'bank'],
    ['another agent', NUMBER, 'telco'],
  ])('is new for %s', async (_, number, agent) => {
    const { ringer, wishes } = server([new TypeError('no network'), stands('busy')]);
    await ringer.call(NUMBER, 'bank');
    await ringer.call(number, agent);
    expect(wishes.map(({ operation }) => operation)).toEqual(['operation-1', 'operation-2']);
  });

  test('is new once the call before is over', async () => {
    const { ringer, wishes } = server([stands('busy'), stands('busy')]);
    await ringer.call(NUMBER, 'bank');
    await ringer.call(NUMBER, 'bank');
    expect(wishes.map(({ operation }) => operation)).toEqual(['operation-1', 'operation-2']);
  });
});

test('a refusal is told in the words of the server, and may be tried again', async () => {
  const quiet = 'It is too late or too early where this telephone would ring.';
  const { ringer } = server([new NotRung(403, quiet), stands('busy')]);
  await ringer.call(NUMBER, 'bank');
  expect(ringer.snapshot()).toMatchObject({ phase: 'idle', trouble: quiet });
  await ringer.call(NUMBER, 'bank');
  expect(ringer.snapshot()).toMatchObject({ phase: 'over', state: 'busy', trouble: null });
});

test.each(['', '020 7946 0018', '+44', 'call me', '+44 20 7946 0018x', `+${'1'.repeat(16)}`])(
  'the server is not asked for %j',
  async (text) => {
    const { ringer, wishes } = server([]);
    await ringer.call(text, 'bank');
    expect(wishes).toEqual([]);
    expect(ringer.snapshot().trouble).toBe(NO_NUMBER);
    expect(isNumber(text)).toBe(false);
  },
);

test.each(['+442079460018', '+44 20 7946 0018', '+1 (425) 555-0100', '+49.30/901820'])(
  '%s looks like a number',
  (text) => expect(isNumber(text)).toBe(true),
);

test.each([
  null,
  [],
  'ringing',
  {},
  { call: 'c' },
  { call: 1, state: 'ringing' },
  { call: 'c', state: 'levitating' },
])('%j is no answer', (body) => expect(rungOf(body)).toBeNull());
