/** The arithmetic of charts. Pure. */

/** Round values from 0 to above `most`, about `count` of them. */
export function niceTicks(most: number, count = 4): readonly number[] {
  if (!(most > 0)) return [0, 1];
  const raw = most / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((s) => s >= raw) ?? raw;
  const ticks = [0];
  while ((ticks.at(-1) ?? 0) < most) ticks.push(ticks.length * step);
  return ticks;
}

/** Which of many labels to show, so that they do not touch: every nth, and the last. */
export function shownLabels(
  count: number,
  width: number,
  labelWidth: number,
): (at: number) => boolean {
  const every = Math.max(1, Math.ceil((count * labelWidth) / Math.max(1, width)));
  return (at) => (count - 1 - at) % every === 0;
}

/** A line through points; a gap where there is none. */
export function pathOf(
  points: readonly ({ readonly x: number; readonly y: number } | null)[],
): string {
  let pen = 'M';
  let path = '';
  for (const point of points) {
    if (point === null) {
      pen = 'M';
      continue;
    }
    path += `${pen}${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
    pen = 'L';
  }
  return path;
}
