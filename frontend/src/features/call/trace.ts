/**
 * The last seconds of one side's loudness, and where it was cut. Pure: the level line draws it.
 */
export interface Trace {
  /** Loudness between 0 and 1, oldest first; always `TRACE_POINTS` of them. */
  readonly points: readonly number[];
  /** Indices into `points` where the reply was cut. */
  readonly cuts: readonly number[];
}

export const TRACE_POINTS = 96;

export const FLAT: Trace = { points: new Array<number>(TRACE_POINTS).fill(0), cuts: [] };

/** One step on. Speech is quiet next to a full scale, so it is drawn on a root. */
export function advance(trace: Trace, level: number, cut: boolean): Trace {
  const height = Math.sqrt(Math.max(0, Math.min(1, level * 2)));
  const before = trace.points.at(-1) ?? 0;
  const soft = height > before ? height : before * 0.7 + height * 0.3;
  const cuts = trace.cuts.map((index) => index - 1).filter((index) => index >= 0);
  return {
    points: [...trace.points.slice(1), soft],
    cuts: cut ? [...cuts, TRACE_POINTS - 1] : cuts,
  };
}
