import { ChartColumn } from 'lucide-react';
import type { ReactNode } from 'react';
import { grade } from '../src/features/transcript/latency';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import { Select } from '../src/ui/Select';
import { Bars, Columns, Lines, Steps } from './Charts';
import './charts.css';
import { goTo, useAsked, useTitle } from './hooks';
import { AgentDot, Figure } from './LivePage';
import type { Me, Overview, Sum } from './protocol.gen';
import { hashOf, RANGES } from './route';
import {
  agentTitle,
  channelWord,
  count,
  dayOf,
  dayStart,
  dayWord,
  money,
  outcomeTone,
  outcomeWord,
  secondsOf,
  share,
} from './words';

interface Props {
  days: number;
  agent: string | null;
  me: Me;
}

export function OverviewPage({ days, agent, me }: Props) {
  useTitle('Overview');
  const { asked, again } = useAsked<Overview>(pathOf(days, agent, Date.now()));
  const overview =
    asked.state === 'here' ? asked.value : asked.state === 'asking' ? asked.kept : null;
  return (
    <main className="page-overview" aria-busy={asked.state === 'asking'}>
      <h1 className="unseen">Overview</h1>
      <div className="filters">
        <Select
          label="Days"
          value={String(days)}
          options={RANGES.map((range) => ({ id: String(range), title: rangeWord(range) }))}
          onChange={(value) => goTo({ page: 'overview', days: Number(value), agent })}
        />
        <Select
          label="Agent"
          none="Every agent"
          value={agent}
          options={me.agents}
          onChange={(id) => goTo({ page: 'overview', days, agent: id })}
        />
      </div>
      {asked.state === 'refused' ? (
        <Note
          tone="trouble"
          title="The figures cannot be had"
          actions={<Button onClick={again}>Try again</Button>}
        >
          {asked.refused.message}
        </Note>
      ) : null}
      {overview === null ? (
        asked.state === 'asking' ? (
          <div className="rows-waiting" data-testid="waiting" />
        ) : null
      ) : overview.total.calls === 0 ? (
        <div className="empty">
          <ChartColumn size={32} aria-hidden="true" />
          <p className="empty-title">No calls in these days</p>
          <p>How many there are, how they end, how fast they are answered and what they cost.</p>
        </div>
      ) : (
        <Charts overview={overview} me={me} />
      )}
    </main>
  );
}

function Charts({ overview, me }: { overview: Overview; me: Me }) {
  const { total, days } = overview;
  const labels = days.map(({ key }) => dayWord(key));
  return (
    <>
      <ul className="figures" aria-label="In all">
        <Figure
          value={total.calls.toLocaleString('en')}
          what={total.calls === 1 ? 'call' : 'calls'}
        />
        <Figure value={Math.round(total.minutes).toLocaleString('en')} what="minutes" />
        <Figure
          value={share(total.failed, total.calls)}
          what="failed or lost"
          tone={total.failed * 20 > total.calls ? 'poor' : undefined}
        />
        <Figure value={share(total.interrupted, total.calls)} what="interrupted" />
        <Figure
          value={secondsOf(total.latency.p95)}
          what="p95 to answer"
          tone={total.latency.p95 === null ? undefined : grade(total.latency.p95)}
        />
        <Figure value={share(total.achieved, total.judged)} what="achieved their goals" />
        <Figure value={money(total.costUsd)} what="spent" />
      </ul>
      {overview.whole ? null : (
        <Note tone="quiet" title="Only the newest 50,000 calls are counted">
          Choose fewer days for all of them.
        </Note>
      )}
      <div className="charts">
        <Chart title="Calls a day" what="Red: failed or lost">
          <Columns
            labels={labels}
            values={days.map((day) => day.calls)}
            parts={days.map((day) => day.failed)}
            words={(at) =>
              `${labels[at]}: ${count(days[at]?.calls ?? 0, 'call')}, ${days[at]?.failed ?? 0} failed or lost`
            }
          />
        </Chart>
        <Chart title="Time to answer" what="Seconds from the caller's last word to the first sound">
          <Lines
            labels={labels}
            series={[
              { name: 'p95', look: 'dashed', values: days.map((day) => seconds(day.latency.p95)) },
              { name: 'p50', look: 'solid', values: days.map((day) => seconds(day.latency.p50)) },
            ]}
            unit="s"
          />
        </Chart>
        <Chart
          title="How long callers waited"
          what={`Answers by time; p50 ${secondsOf(total.latency.p50)}, p90 ${secondsOf(total.latency.p90)}, p95 ${secondsOf(total.latency.p95)}, p99 ${secondsOf(total.latency.p99)}`}
        >
          <Steps counts={overview.latencies} stepMs={overview.latencyStepMs} />
        </Chart>
        <Chart title="Money a day" what="US dollars">
          <Columns
            labels={labels}
            values={days.map((day) => day.costUsd)}
            unit="$"
            words={(at) => `${labels[at]}: ${money(days[at]?.costUsd ?? 0)}`}
          />
        </Chart>
        <Chart title="How calls end">
          <Bars
            rows={overview.outcomes.map(({ key, count: value }) => ({
              key,
              title: outcomeWord(key),
              value,
              note: share(value, total.calls),
              tone: outcomeTone(key),
            }))}
          />
        </Chart>
        <Chart title="Channels">
          <Bars
            rows={overview.channels.map(({ key, count: value }) => ({
              key,
              title: channelWord(key),
              value,
              note: share(value, total.calls),
              tone: 'plain',
            }))}
          />
        </Chart>
        <Chart title="Agents" wide>
          <AgentTable agents={overview.agents} me={me} />
        </Chart>
        <Chart title="Tools" wide>
          <ToolTable overview={overview} />
        </Chart>
      </div>
      {total.afterUsd === 0 ? null : (
        <p className="hint">
          Reading the calls once they were over cost {money(total.afterUsd)} more, which is not in
          the money.
        </p>
      )}
      {overview.unpriced === 0 ? null : (
        <p className="hint">
          {count(overview.unpriced, 'reply', 'replies')} of models without a price are not in the
          money.
        </p>
      )}
    </>
  );
}

interface ChartProps {
  title: string;
  what?: string;
  wide?: boolean;
  children: ReactNode;
}

function Chart({ title, what, wide = false, children }: ChartProps) {
  return (
    <section className="panel chart" data-wide={wide}>
      <h2>{title}</h2>
      {what === undefined ? null : <p className="hint">{what}</p>}
      {children}
    </section>
  );
}

/** A table that may be wider than the screen. */
function Scroll({ name, children }: { name: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard
    <section className="table-scroll" aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}

export function AgentTable({ agents, me }: { agents: readonly Sum[]; me: Me }) {
  return (
    <Scroll name="Agents, as a table">
      <table className="wide-table">
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">Calls</th>
            <th scope="col">Minutes</th>
            <th scope="col">Answered, p50</th>
            <th scope="col">p95</th>
            <th scope="col">Interrupted</th>
            <th scope="col">Failed</th>
            <th scope="col">Goals achieved</th>
            <th scope="col">Money</th>
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <tr key={agent.key}>
              <th scope="row">
                <AgentDot me={me} agent={agent.key} />
                <a href={hashOf({ page: 'agent', id: agent.key })}>
                  {agentTitle(me.agents, agent.key)}
                </a>
              </th>
              <td>{agent.calls.toLocaleString('en')}</td>
              <td>{Math.round(agent.minutes).toLocaleString('en')}</td>
              <td>{secondsOf(agent.latency.p50)}</td>
              <td>{secondsOf(agent.latency.p95)}</td>
              <td>{share(agent.interrupted, agent.calls)}</td>
              <td>{share(agent.failed, agent.calls)}</td>
              <td>{goalsWords(agent)}</td>
              <td>{money(agent.costUsd)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function ToolTable({ overview }: { overview: Overview }) {
  if (overview.tools.length === 0) return <p className="hint">No tool was called in these days.</p>;
  const most = Math.max(...overview.tools.map((tool) => tool.calls));
  return (
    <Scroll name="Tools, as a table">
      <table className="wide-table">
        <thead>
          <tr>
            <th scope="col">Tool</th>
            <th scope="col" className="spark">
              <span className="unseen">Share</span>
            </th>
            <th scope="col">Calls</th>
            <th scope="col">Failed</th>
            <th scope="col">Median</th>
          </tr>
        </thead>
        <tbody>
          {overview.tools.map((tool) => (
            <tr key={tool.name}>
              <th scope="row">{tool.title}</th>
              <td className="spark">
                <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                  <rect className="bar-plain" width={(tool.calls / most) * 100} height={8} />
                  <rect className="bar-poor" width={(tool.failed / most) * 100} height={8} />
                </svg>
              </td>
              <td>{tool.calls.toLocaleString('en')}</td>
              <td className={tool.failed > 0 ? 'grade-poor' : ''}>{tool.failed}</td>
              <td>{secondsOf(tool.p50Ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Of the calls whose goals say something. */
function goalsWords({ achieved, judged }: Sum): string {
  return judged === 0 ? '–' : `${share(achieved, judged)} of ${judged}`;
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}

function rangeWord(days: number): string {
  return days === 1 ? 'Today' : `${days} days`;
}

/** Whole local days, today among them. */
export function pathOf(days: number, agent: string | null, nowMs: number): string {
  const today = dayOf(nowMs);
  const query = new URLSearchParams({
    since: String(dayStart(today, 1 - days)),
    until: String(dayStart(today, 1)),
    zone: String(-new Date(nowMs).getTimezoneOffset()),
  });
  if (agent !== null) query.set('agent', agent);
  return `/overview?${query}`;
}
