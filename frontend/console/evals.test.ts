import { describe, expect, it } from 'vitest';
import { byWord, figureWord, intervalWord, judgesOf, nameOf, verdictOf } from './evals';
import type { EvalResult } from './protocol.gen';

const RESULT: EvalResult = {
  id: 'pays',
  scenario: 'Pays',
  agent: 'telecom',
  repetition: 2,
  passed: false,
  ended: null,
  seconds: 4,
  turns: 1,
  verdicts: [
    { judge: 'says', passed: false, text: '' },
    { judge: 'held', passed: true, text: '' },
    { judge: 'says', passed: true, text: '' },
  ],
  lines: [],
  tools: [],
};

describe('an evaluation in words', () => {
  it('gives figures their units', () => {
    expect(figureWord(0.921, 'share')).toBe('92.1%');
    expect(figureWord(1_810, 'ms')).toBe('1.8 s');
    expect(figureWord(0.0482, 'usd')).toBe('$0.048');
    expect(figureWord(3, 'count')).toBe('3');
    expect(figureWord(2.79, 'count')).toBe('2.79');
    expect(figureWord(null, 's')).toBe('–');
  });

  it('says of how many, and how sure', () => {
    const figure = { name: '', value: 0.5, low: 0.1, high: 0.9, count: 2, unit: 'share' } as const;
    expect(intervalWord(figure)).toBe('10.0% to 90.0%, of 2');
    expect(intervalWord({ ...figure, low: null })).toBe('of 2');
  });

  it('has one column for each judge, and one that says no is a no', () => {
    expect(judgesOf([RESULT, RESULT])).toEqual(['says', 'held']);
    expect(verdictOf(RESULT, 'says')).toBe(false);
    expect(verdictOf(RESULT, 'held')).toBe(true);
    expect(verdictOf(RESULT, 'polite')).toBe(null);
  });

  it('names the repetition only where there are several', () => {
    expect(nameOf(RESULT, 1)).toBe('pays');
    expect(nameOf(RESULT, 3)).toBe('pays [2]');
    expect(byWord('phone')).toBe('Telephone');
    expect(byWord('smoke')).toBe('smoke');
  });
});
