import { expect, test } from 'vitest';
import { reporter } from './speaker';

function heard(latencyMs: number) {
  const reports: [string, number][] = [];
  const report = reporter(
    {
      played: (item, ms) => reports.push([item, ms]),
      sounding: () => undefined,
      level: () => undefined,
    },
    () => latencyMs,
  );
  return { reports, report };
}

test('sound on its way to the ear is not yet heard', () => {
  const { reports, report } = heard(40);
  report({ type: 'playing', item: 'a', ms: 100 });
  report({ type: 'flushed', position: { item: 'a', ms: 205.33 } });
  expect(reports).toEqual([
    ['a', 60],
    ['a', 165.3],
  ]);
});

test('an item played to its end counts whole, and never backwards again', () => {
  const { reports, report } = heard(40);
  report({ type: 'playing', item: 'a', ms: 20 });
  report({ type: 'played', item: 'a', ms: 500 });
  report({ type: 'playing', item: 'a', ms: 510 });
  report({ type: 'flushed', position: { item: 'a', ms: 520 } });
  expect(reports.map(([, ms]) => ms)).toEqual([0, 500, 500, 500]);
});
