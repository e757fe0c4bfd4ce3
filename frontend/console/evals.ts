/** An evaluation in words, and its verdicts as a table. Pure. */
import type { EvalFigure, EvalResult } from './protocol.gen';

const CHANNELS: Readonly<Record<string, string>> = {
  text: 'Text',
  voice: 'Voice, in process',
  socket: 'Page',
  phone: 'Telephone',
};

export function byWord(by: string): string {
  return CHANNELS[by] ?? by;
}

/** "97.3%", "1.8 s", "$0.05". */
export function figureWord(value: number | null, unit: EvalFigure['unit']): string {
  if (value === null) return '–';
  switch (unit) {
    case 'share':
      return `${(value * 100).toFixed(1)}%`;
    case 'ms':
      return `${(value / 1_000).toFixed(1)} s`;
    case 's':
      return `${value.toFixed(1)} s`;
    case 'usd':
      return `$${value.toFixed(3)}`;
    case 'count':
      return value.toFixed(value % 1 === 0 ? 0 : 2);
  }
}

/** "68.9% to 92.3%, of 37" */
export function intervalWord(figure: EvalFigure): string {
  const { low, high, unit, count } = figure;
  if (low === null || high === null) return `of ${count}`;
  return `${figureWord(low, unit)} to ${figureWord(high, unit)}, of ${count}`;
}

/** What the judges looked at, in the order in which they are met. */
export function judgesOf(results: readonly EvalResult[]): readonly string[] {
  return [...new Set(results.flatMap(({ verdicts }) => verdicts.map(({ judge }) => judge)))];
}

/** What one judge says of a conversation; `null` where it was not asked. */
export function verdictOf(result: EvalResult, judge: string): boolean | null {
  const said = result.verdicts.filter((verdict) => verdict.judge === judge);
  return said.length === 0 ? null : said.every(({ passed }) => passed);
}

/** Its id; which time it was, where it was held more than once. */
export function nameOf(result: EvalResult, repeat: number): string {
  return repeat > 1 ? `${result.id} [${result.repetition}]` : result.id;
}
