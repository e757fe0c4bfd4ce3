import { useEffect, useRef } from 'react';
import { advance, FLAT, TRACE_POINTS, type Trace } from './trace';

interface Props {
  /** Loudness now, between 0 and 1. */
  level: () => number;
  /** Grows by one each time this side was cut off. */
  cuts: number;
  live: boolean;
}

const STEP_MS = 40;
const CALM_STEP_MS = 400;

/** The last four seconds of one voice as a soft line; a cut is a gap with two strokes. */
export function LevelLine({ level, cuts, live }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const seen = useRef(cuts);
  const latest = useRef({ level, cuts });
  latest.current = { level, cuts };
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (element === null || context === null || context === undefined) return;
    let trace: Trace = FLAT;
    let frame = 0;
    let last = 0;
    const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
    const draw = (now: number): void => {
      frame = requestAnimationFrame(draw);
      if (now - last < (calm.matches ? CALM_STEP_MS : STEP_MS)) return;
      last = now;
      const { level, cuts } = latest.current;
      trace = advance(trace, level(), cuts > seen.current);
      seen.current = cuts;
      paint(element, context, trace);
    };
    paint(element, context, trace);
    if (live) frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [live]);
  return <canvas ref={canvas} className="level" />;
}

function paint(element: HTMLCanvasElement, context: CanvasRenderingContext2D, trace: Trace): void {
  const ratio = window.devicePixelRatio;
  const width = element.clientWidth;
  const height = element.clientHeight;
  if (element.width !== Math.round(width * ratio)) element.width = Math.round(width * ratio);
  if (element.height !== Math.round(height * ratio)) element.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.strokeStyle = getComputedStyle(element).color;
  context.fillStyle = context.strokeStyle;
  context.lineWidth = 2;
  context.lineCap = 'round';
  const step = width / (TRACE_POINTS - 1);
  wave(context, trace, step, height);
  for (const cut of trace.cuts) strokeCut(context, cut * step, height);
}

/** A ribbon around the middle: thin where it is quiet, wide where it is loud. */
function wave(context: CanvasRenderingContext2D, trace: Trace, step: number, height: number): void {
  const middle = height / 2;
  const reach = (index: number): number => 1 + (trace.points[index] ?? 0) * (middle - 2);
  context.beginPath();
  context.moveTo(0, middle - reach(0));
  for (let index = 1; index < trace.points.length; index += 1) {
    const x = (index - 0.5) * step;
    context.quadraticCurveTo(
      (index - 1) * step,
      middle - reach(index - 1),
      x,
      middle - (reach(index - 1) + reach(index)) / 2,
    );
  }
  for (let index = trace.points.length - 1; index >= 0; index -= 1)
    context.lineTo(index * step, middle + reach(index));
  context.closePath();
  context.fill();
}

function strokeCut(context: CanvasRenderingContext2D, x: number, height: number): void {
  context.clearRect(x - 5, 0, 10, height);
  for (const side of [-3, 3]) {
    context.beginPath();
    context.moveTo(x + side + 3, 3);
    context.lineTo(x + side - 3, height - 3);
    context.stroke();
  }
}
