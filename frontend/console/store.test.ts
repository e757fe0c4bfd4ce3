import { describe, expect, it } from 'vitest';
import { detail, FACTS, line, row } from './samples';
import {
  inOrder,
  NO_CALLS,
  needOf,
  reduceDetail,
  reduceLive,
  summed,
  wishing,
  withAction,
} from './store';

describe('live calls', () => {
  it('replaces everything when the stream begins, with how far the clocks are apart', () => {
    const before = reduceLive(NO_CALLS, { type: 'row', row: row('old') }, 0);
    const now = reduceLive(before, { type: 'live', calls: [row('new')], at: 12 }, 10_000);
    expect(now.rows.map(({ call }) => call.id)).toEqual(['new']);
    expect(now).toMatchObject({ link: 'open', skewMs: 2_000 });
  });

  it('changes a row in its place, adds a new one, and drops one that is gone', () => {
    let now = reduceLive(NO_CALLS, { type: 'live', calls: [row('a'), row('b')], at: 0 }, 0);
    now = reduceLive(now, { type: 'row', row: row('a', { floor: 'agent' }) }, 0);
    now = reduceLive(now, { type: 'row', row: row('c') }, 0);
    now = reduceLive(now, { type: 'gone', id: 'b' }, 0);
    expect(now.rows.map(({ call, floor }) => [call.id, floor])).toEqual([
      ['a', 'agent'],
      ['c', 'nobody'],
    ]);
  });

  it('puts first who needs somebody, then who has been there longest', () => {
    const rows = [
      row('young', {}, 300),
      row('slow', { latencyMs: 1_500 }, 250),
      row('old', {}, 100),
      row('asking', { asking: 1, trouble: 'and in trouble' }, 400),
      row('trouble', { trouble: 'lost' }, 350),
    ];
    expect(inOrder(rows).map(({ call }) => call.id)).toEqual([
      'asking',
      'trouble',
      'slow',
      'old',
      'young',
    ]);
    expect(needOf(row('quick', { latencyMs: 1_499 }))).toBe('none');
  });

  it('adds up what is known', () => {
    const rows = [
      row('a', { latencyMs: 400, costUsd: 0.5, asking: 2 }),
      row('b', { latencyMs: 900 }),
    ];
    expect(summed(rows)).toEqual({ calls: 2, asking: 1, trouble: 0, p95Ms: 900, costUsd: 0.5 });
    expect(summed([]).p95Ms).toBeNull();
  });
});

describe('one call', () => {
  it('keeps a line in its place while its words grow', () => {
    let now = detail({ lines: [line('1', 'Hel'), line('2', 'Yes')] });
    now = reduceDetail(now, { type: 'line', line: line('1', 'Hello') });
    now = reduceDetail(now, { type: 'line', line: line('3', 'No') });
    expect(now.lines.map(({ text }) => text)).toEqual(['Hello', 'Yes', 'No']);
  });

  it('knows an action once, whoever tells of it first', () => {
    const action = {
      id: 'x',
      kind: 'whisper',
      by: 'Rita',
      atMs: 1,
      text: 'a',
      tool: null,
      outcome: 'asked',
    } as const;
    const told = withAction(detail(), { ...action, outcome: 'taken' });
    const again = reduceDetail(told, { type: 'acted', action: { ...action, outcome: 'taken' } });
    expect(again.actions).toHaveLength(1);
  });

  it('can do nothing once it has ended', () => {
    const call = { ...FACTS, endedAt: 150, endReason: 'goodbye', outcome: 'finished' };
    const can = { ok: true, why: null };
    const live = detail({
      can: { listen: can, human: can, takeOver: can, humans: [] },
      floor: 'agent',
    });
    const now = reduceDetail(live, { type: 'ended', call });
    expect(now).toMatchObject({ live: false, can: null, floor: 'nobody', call });
  });

  it('passes over what is of other streams', () => {
    const now = detail();
    expect(reduceDetail(now, { type: 'gone', id: 'a' })).toBe(now);
  });
});

it('a caller who wants a human stands first, and the longest wait above all', () => {
  const wish = { human: 'operator', reason: '', since: 20, said: [] };
  const rows = [
    row('asks', { asking: 1 }),
    row('late', { wish: { ...wish, since: 30 } }),
    row('early', { wish }),
  ];
  expect(inOrder(rows).map(needOf)).toEqual(['wish', 'wish', 'asking']);
  expect(wishing(rows).map((each) => each.row.call.id)).toEqual(['early', 'late']);
});

it('a call that is taken over says by whom, until it is handed back', () => {
  const taken = reduceDetail(detail(), { type: 'taken', by: 'Ada' });
  expect(taken.takenBy).toBe('Ada');
  expect(reduceDetail(taken, { type: 'taken', by: null }).takenBy).toBeNull();
});
