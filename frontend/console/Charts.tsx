/** Charts in plain SVG: an axis from zero, round steps, every mark with its words. */
import { grade } from '../src/features/transcript/latency';
import { niceTicks, pathOf, shownLabels } from './charts';
import { useWidth } from './hooks';

const HEIGHT = 180;
const LEFT = 52;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 26;
const PLOT = HEIGHT - TOP - BOTTOM;
const LABEL_PX = 52;

interface FrameProps {
  width: number;
  most: number;
  unit?: string | undefined;
  labels: readonly string[];
  x: (at: number) => number;
}

function Frame({ width, most, unit, labels, x }: FrameProps) {
  const ticks = niceTicks(most);
  const top = ticks.at(-1) ?? 1;
  const shown = shownLabels(labels.length, width - LEFT - RIGHT, LABEL_PX);
  return (
    <g className="axis">
      {ticks.map((tick) => (
        <g key={tick} transform={`translate(0 ${TOP + PLOT - (tick / top) * PLOT + 0.5})`}>
          <path d={`M${LEFT} 0 H${width - RIGHT}`} data-zero={tick === 0} />
          <text x={LEFT - 8} dy="0.32em" textAnchor="end">
            {tickWords(tick, unit)}
          </text>
        </g>
      ))}
      {labels.map((label, at) =>
        shown(at) ? (
          <text key={label} x={x(at)} y={HEIGHT - 6} textAnchor="middle">
            {label}
          </text>
        ) : null,
      )}
    </g>
  );
}

interface ColumnsProps {
  labels: readonly string[];
  values: readonly number[];
  /** The share of each that is bad. */
  parts?: readonly number[];
  unit?: string;
  words: (at: number) => string;
}

export function Columns({ labels, values, parts, unit, words }: ColumnsProps) {
  const [box, width] = useWidth(480);
  const step = (width - LEFT - RIGHT) / Math.max(1, values.length);
  const top = niceTicks(Math.max(0, ...values)).at(-1) ?? 1;
  const thick = Math.min(40, Math.max(2, step * 0.64));
  const x = (at: number): number => LEFT + step * (at + 0.5);
  return (
    <div className="chart-box" ref={box}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={values.map((_, at) => words(at)).join('; ')}
      >
        <Frame {...{ width, unit, labels, x }} most={Math.max(0, ...values)} />
        {values.map((value, at) => {
          const high = (value / top) * PLOT;
          const bad = ((parts?.[at] ?? 0) / top) * PLOT;
          return (
            <g key={labels[at]} className="column">
              <title>{words(at)}</title>
              <rect
                className="bar-plain"
                x={x(at) - thick / 2}
                y={TOP + PLOT - high}
                width={thick}
                height={high}
                rx={Math.min(3, thick / 4)}
              />
              {bad === 0 ? null : (
                <rect
                  className="bar-poor"
                  x={x(at) - thick / 2}
                  y={TOP + PLOT - bad}
                  width={thick}
                  height={bad}
                />
              )}
              <rect className="hit" x={x(at) - step / 2} y={TOP} width={step} height={PLOT} />
            </g>
          );
        })}
      </svg>
    </div>
  );
}

interface LinesProps {
  labels: readonly string[];
  series: readonly {
    readonly name: string;
    readonly look: 'solid' | 'dashed';
    readonly values: readonly (number | null)[];
  }[];
  unit: string;
}

export function Lines({ labels, series, unit }: LinesProps) {
  const [box, width] = useWidth(480);
  const known = series.flatMap(({ values }) =>
    values.flatMap((value) => (value === null ? [] : [value])),
  );
  const most = Math.max(0, ...known);
  const top = niceTicks(most).at(-1) ?? 1;
  const step = (width - LEFT - RIGHT) / Math.max(1, labels.length);
  const x = (at: number): number => LEFT + step * (at + 0.5);
  const y = (value: number): number => TOP + PLOT - (value / top) * PLOT;
  return (
    <div className="chart-box" ref={box}>
      <svg width={width} height={HEIGHT} role="img" aria-label={spoken(labels, series, unit)}>
        <Frame {...{ width, most, unit, labels, x }} />
        {series.map(({ name, look, values }) => {
          const last = values.findLastIndex((value) => value !== null);
          return (
            <g key={name} className={`line-${look}`}>
              <path
                d={pathOf(
                  values.map((value, at) => (value === null ? null : { x: x(at), y: y(value) })),
                )}
              />
              {values.map((value, at) =>
                value === null ? null : (
                  <circle key={labels[at]} cx={x(at)} cy={y(value)} r={3}>
                    <title>{`${labels[at]}, ${name}: ${value.toFixed(1)} ${unit}`}</title>
                  </circle>
                ),
              )}
              {last < 0 ? null : (
                <text x={x(last)} y={y(values[last] ?? 0) - 8} textAnchor="middle">
                  {name}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
}

/** How many answers took how long, coloured by what that means to who waits. */
export function Steps({ counts, stepMs }: { counts: readonly number[]; stepMs: number }) {
  const [box, width] = useWidth(480);
  const step = (width - LEFT - RIGHT) / counts.length;
  const top = niceTicks(Math.max(0, ...counts)).at(-1) ?? 1;
  const x = (at: number): number => LEFT + step * (at + 0.5);
  const from = (at: number): string => ((at * stepMs) / 1_000).toFixed(1);
  const labels = counts.map((_, at) => (at === counts.length - 1 ? `${from(at)}+` : from(at)));
  const words = (at: number): string => `${from(at)} s and more: ${counts[at] ?? 0}`;
  return (
    <div className="chart-box" ref={box}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={counts.map((_, at) => words(at)).join('; ')}
      >
        <Frame {...{ width, labels }} x={(at) => x(at - 0.5)} most={Math.max(0, ...counts)} />
        {counts.map((value, at) => {
          const high = (value / top) * PLOT;
          return (
            <g key={labels[at]} className={`column fill-${grade(at * stepMs)}`}>
              <title>{words(at)}</title>
              <rect
                x={x(at) - step / 2 + 1}
                y={TOP + PLOT - high}
                width={Math.max(1, step - 2)}
                height={high}
                rx={2}
              />
              <rect className="hit" x={x(at) - step / 2} y={TOP} width={step} height={PLOT} />
            </g>
          );
        })}
      </svg>
    </div>
  );
}

interface BarsProps {
  rows: readonly {
    readonly key: string;
    readonly title: string;
    readonly value: number;
    readonly note: string;
    readonly tone: string;
  }[];
}

export function Bars({ rows }: BarsProps) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  return (
    <ul className="bars">
      {rows.map((row) => (
        <li key={row.key}>
          <span className="bars-title">{row.title}</span>
          <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
            <rect className={`bar-${row.tone}`} width={(row.value / most) * 100} height={12} />
          </svg>
          <span className="bars-value">
            {row.value.toLocaleString('en')} <span className="quiet">{row.note}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function tickWords(tick: number, unit?: string): string {
  if (unit === '$') return `$${tick.toFixed(Number.isInteger(tick) ? 0 : 2)}`;
  const digits = tick !== 0 && tick < 1 ? 2 : Number.isInteger(tick) ? 0 : 1;
  const value = tick.toFixed(digits).replace(/(\.\d)0$/, '$1');
  return unit === undefined ? value : `${value} ${unit}`;
}

function spoken(labels: readonly string[], series: LinesProps['series'], unit: string): string {
  return labels
    .map((label, at) => {
      const values = series.map(({ name, values }) => {
        const value = values[at] ?? null;
        return `${name} ${value === null ? 'nothing' : `${value.toFixed(1)} ${unit}`}`;
      });
      return `${label}: ${values.join(', ')}`;
    })
    .join('; ');
}
