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
  const reach = trace.points.map((point) => 1 + point * (middle - 2));
  const top = reach.map((far, index) => ({ x: index * step, y: middle - far }));
  const bottom = reach.map((far, index) => ({ x: index * step, y: middle + far })).reverse();
  context.beginPath();
  context.moveTo(0, middle);
  follow(context, top);
  follow(context, bottom);
  context.closePath();
  context.fill();
}

/** A curve through the middles between the points, which rounds every corner. */
function follow(
  context: CanvasRenderingContext2D,
  points: readonly { readonly x: number; readonly y: number }[],
): void {
  for (const [index, point] of points.entries()) {
    if (index === 0) context.lineTo(point.x, point.y);
    const next = points[index + 1] ?? point;
    context.quadraticCurveTo(point.x, point.y, (point.x + next.x) / 2, (point.y + next.y) / 2);
  }
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
