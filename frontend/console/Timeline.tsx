import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { grade, seconds } from '../src/features/transcript/latency';
import { useWidth } from './hooks';
import { type Layout, type Stretch, ticksOf, voiceOf } from './timeline';
import { lasting } from './words';

interface Props {
  layout: Layout;
  live: boolean;
  /** Where a replay stands. */
  headMs: number | null;
  onSeek: ((ms: number) => void) | null;
}

const LANE = 44;
const TOOL_ROW = 22;
const WAIT_LANE = 28;
const AXIS = 24;
const GAP = 4;
/** Narrower than this, words and tools would run into each other. */
const LEAST_PX_PER_S = 10;
const POINT_PX = 3;
const END_PX = 16;
/** A narrower stretch of an operator's has no room for a name. */
const DESK_NAME_PX = 80;

/** Both voices, tools and waits along one axis of time. */
export function Timeline({ layout, live, headMs, onSeek }: Props) {
  const [box, width] = useWidth(800);
  const scroller = useRef<HTMLDivElement>(null);
  const inner = Math.max(width, (layout.lengthMs / 1_000) * LEAST_PX_PER_S + END_PX);
  const x = (ms: number): number => (ms / layout.lengthMs) * (inner - END_PX);
  const toolsTop = 2 * LANE + GAP;
  const waitsTop = toolsTop + layout.toolRows * TOOL_ROW + GAP;
  const height = waitsTop + WAIT_LANE + AXIS;
  useFollow(scroller, live ? inner : null);
  return (
    <section className="timeline" aria-label="Timeline" data-testid="timeline">
      <div className="timeline-names" aria-hidden="true">
        <span>Caller</span>
        <span>Agent</span>
        <span style={{ height: layout.toolRows * TOOL_ROW + GAP }}>Tools</span>
        <span>Answers</span>
      </div>
      <div className="timeline-box" ref={box}>
        <div
          className="timeline-scroller"
          ref={scroller}
          role="img"
          aria-label={spoken(layout)}
          tabIndex={inner > width ? 0 : -1}
        >
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: the slider below does the same by keys */}
          {/* biome-ignore lint/a11y/noSvgWithoutTitle: the region around it says what it shows */}
          <svg
            width={inner}
            height={height}
            onClick={(event) => {
              const left = event.currentTarget.getBoundingClientRect().left;
              const at = ((event.clientX - left) / (inner - END_PX)) * layout.lengthMs;
              onSeek?.(Math.max(0, Math.min(layout.lengthMs, at)));
            }}
          >
            <Axis layout={layout} x={x} height={height} />
            {layout.desks.map(({ by, fromMs, toMs }) => (
              <g key={fromMs} className="tl-desk" transform={`translate(${x(fromMs)} 0)`}>
                <title>{`${by} spoke with the caller, ${lasting(toMs - fromMs)}`}</title>
                <rect width={Math.max(4, x(toMs) - x(fromMs))} height={2 * LANE + GAP} rx={4} />
                {x(toMs) - x(fromMs) < DESK_NAME_PX ? null : (
                  <text x={6} y={LANE + GAP + 16}>
                    {by}
                  </text>
                )}
              </g>
            ))}
            {layout.stretches.map((stretch) => (
              <Voice key={`${stretch.side}-${stretch.id}`} stretch={stretch} x={x} />
            ))}
            {layout.cutsMs.map((ms) => (
              <g key={ms} className="tl-cut" transform={`translate(${x(ms)} ${LANE + GAP})`}>
                <title>{`The caller cut in at ${lasting(ms)}`}</title>
                <path d="M-2 38 L3 6 M3 38 L8 6" />
              </g>
            ))}
            {layout.tools.map(({ tool, fromMs, toMs, row }) => (
              <ToolMark
                key={tool.id}
                title={tool.title}
                state={tool.state}
                left={x(fromMs)}
                right={x(toMs)}
                room={inner - END_PX}
                top={toolsTop + row * TOOL_ROW}
              />
            ))}
            {layout.waits.map(({ answer, fromMs, toMs }) => (
              <g
                key={answer.reply}
                className={`tl-wait grade-${grade(answer.firstAudioMs)}`}
                transform={`translate(0 ${waitsTop})`}
              >
                <title>{`Answered in ${seconds(answer.firstAudioMs)}`}</title>
                <rect
                  x={x(fromMs)}
                  y={2}
                  width={Math.max(3, x(toMs) - x(fromMs))}
                  height={4}
                  rx={2}
                />
                <text x={x(fromMs)} y={20}>
                  {(answer.firstAudioMs / 1_000).toFixed(1)}
                </text>
              </g>
            ))}
            {headMs === null ? null : (
              <g className="tl-head" transform={`translate(${x(headMs)} 0)`}>
                <path d={`M0 0 V${height - AXIS}`} />
                <circle r={4} cy={4} />
              </g>
            )}
          </svg>
        </div>
      </div>
    </section>
  );
}

/** A live call's newest moment stays in sight, unless the reader looks at an earlier one. */
function useFollow(scroller: React.RefObject<HTMLDivElement | null>, width: number | null): void {
  const before = useRef(0);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || width === null) return;
    const atEnd = before.current - element.scrollLeft - element.clientWidth < 48;
    if (atEnd) element.scrollLeft = element.scrollWidth;
    before.current = element.scrollWidth;
  }, [scroller, width]);
}

interface AxisProps {
  layout: Layout;
  x: (ms: number) => number;
  height: number;
}

function Axis({ layout, x, height }: AxisProps) {
  const most = Math.max(2, Math.floor(x(layout.lengthMs) / 72));
  return (
    <g className="tl-axis">
      {ticksOf(layout.lengthMs, most).map((ms) => (
        <g key={ms} transform={`translate(${x(ms) + 0.5} 0)`}>
          <path d={`M0 0 V${height - AXIS}`} />
          <text x={0} y={height - 6} textAnchor={ms === 0 ? 'start' : 'middle'}>
            {lasting(ms)}
          </text>
        </g>
      ))}
    </g>
  );
}

function Voice({ stretch, x }: { stretch: Stretch; x: (ms: number) => number }) {
  const top = stretch.side === 'caller' ? 0 : LANE + GAP;
  const left = x(stretch.fromMs);
  const width = Math.max(4, x(stretch.toMs) - left);
  const who = stretch.side === 'caller' ? 'Caller' : 'Agent';
  return (
    <g className={`tl-voice tl-${stretch.side}`} transform={`translate(${left} ${top})`}>
      <title>{`${who}: ${stretch.text}`}</title>
      {stretch.typed ? (
        <rect y={LANE / 2 - 5} width={10} height={10} rx={2} />
      ) : (
        <path d={ribbon(voiceOf(stretch.text, Math.max(4, Math.round(width / POINT_PX))), width)} />
      )}
      <rect className="tl-hit" width={width} height={LANE} />
    </g>
  );
}

/** A ribbon around the middle, wide where it is loud, closed at both ends. */
function ribbon(heights: readonly number[], width: number): string {
  const middle = LANE / 2;
  const step = width / (heights.length - 1);
  const reach = heights.map((height, index) => {
    const edge = index === 0 || index === heights.length - 1 ? 0.1 : 1;
    return 1 + height * edge * (middle - 4);
  });
  const top = reach.map(
    (far, index) => `${(index * step).toFixed(1)} ${(middle - far).toFixed(1)}`,
  );
  const bottom = reach.map(
    (far, index) => `${(index * step).toFixed(1)} ${(middle + far).toFixed(1)}`,
  );
  return `M${top.join('L')}L${bottom.reverse().join('L')}Z`;
}

interface ToolMarkProps {
  title: string;
  state: string;
  left: number;
  right: number;
  room: number;
  top: number;
}

function ToolMark({ title, state, left, right, room, top }: ToolMarkProps): ReactNode {
  const width = Math.max(4, right - left);
  const { x, anchor } = labelAt(left, width, room);
  return (
    <g className="tl-tool" data-state={state} transform={`translate(${left} ${top})`}>
      <title>{`${title}: ${state}`}</title>
      <rect y={4} width={width} height={12} rx={3} />
      <text x={x} y={14} textAnchor={anchor}>
        {title}
      </text>
    </g>
  );
}

const LABEL_PX = 150;

/** Behind the span where there is room; else within it, or before it. */
function labelAt(
  left: number,
  width: number,
  room: number,
): { x: number; anchor: 'start' | 'end' } {
  if (left + width + LABEL_PX < room) return { x: width + 6, anchor: 'start' };
  return width > LABEL_PX ? { x: 6, anchor: 'start' } : { x: -6, anchor: 'end' };
}

function spoken({ stretches, tools, waits, cutsMs, lengthMs }: Layout): string {
  const turns = (side: string): number => stretches.filter((each) => each.side === side).length;
  return (
    `${lasting(lengthMs)}: the caller speaks ${turns('caller')} times, the agent ` +
    `${turns('agent')} times, cut off ${cutsMs.length} times; ${tools.length} tool calls, ` +
    `${waits.length} answers measured`
  );
}
