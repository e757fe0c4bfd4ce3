import { describe, expect, it } from 'vitest';
import { niceTicks, pathOf, shownLabels } from './charts';
import { hashOf, NO_FILTERS, routeOf } from './route';
import { split } from './search';
import { callerWords, lasting, money, outcomeTone, reasonWords, share } from './words';

describe('addresses', () => {
  it('lead back to where they came from', () => {
    for (const hash of [
      '#/',
      '#/calls/aB_3-x',
      '#/evals',
      '#/evals/20260304-140000-0badcafe',
      '#/history',
      '#/history?q=lost+card&agent=bank&from=2026-03-04',
      '#/overview',
      '#/overview?days=30&agent=bank',
    ])
      expect(hashOf(routeOf(hash))).toBe(hash);
  });

  it('lead to the live calls where they are of no page', () => {
    expect(routeOf('')).toEqual({ page: 'live' });
    expect(routeOf('#/calls/a/b')).toEqual({ page: 'live' });
    expect(routeOf('#/overview?days=8')).toMatchObject({ days: 7 });
    expect(routeOf('#/history?from=yesterday')).toEqual({ page: 'history', filters: NO_FILTERS });
  });
});

describe('words', () => {
  it('name callers without their numbers', () => {
    expect(callerWords({ caller: 'telephone:9f3a61c2d7e40b58', channel: 'phone' })).toBe(
      'Telephone 9f3a61c2',
    );
    expect(callerWords({ caller: 'local', channel: 'browser' })).toBe('This machine');
  });

  it('say what figures mean', () => {
    expect([money(null), money(0), money(0.004), money(1.239)]).toEqual([
      '–',
      '$0',
      '<$0.01',
      '$1.24',
    ]);
    expect([lasting(-5), lasting(65_000), lasting(3_723_000)]).toEqual(['0:00', '1:05', '1:02:03']);
    expect([share(1, 3), share(0, 0)]).toEqual(['33%', '–']);
  });

  it('explain how a call ended, known or not', () => {
    expect(reasonWords('model_lost:1006')).toBe('the voice service was lost');
    expect(reasonWords('new_reason')).toBe('new reason');
    expect(outcomeTone('failed')).toBe('poor');
  });

  it('find what was searched for whatever its case', () => {
    expect(split('The Lost card', 'lost')).toEqual(['The ', 'Lost', ' card']);
    expect(split('The card', 'lost')).toEqual(['The card', '', '']);
  });
});

describe('charts', () => {
  it('have round steps from zero to above the highest', () => {
    expect(niceTicks(24)).toEqual([0, 10, 20, 30]);
    expect(niceTicks(1.1)).toEqual([0, 0.5, 1, 1.5]);
    expect(niceTicks(0)).toEqual([0, 1]);
  });

  it('show as many labels as fit, the last among them', () => {
    const shown = shownLabels(30, 300, 50);
    expect(shown(29)).toBe(true);
    expect(shown(28)).toBe(false);
    expect(shown(24)).toBe(true);
  });

  it('leave a gap where nothing was measured', () => {
    expect(pathOf([{ x: 0, y: 1 }, null, { x: 2, y: 3 }, { x: 4, y: 5 }])).toBe(
      'M0.0 1.0M2.0 3.0L4.0 5.0',
    );
  });
});
