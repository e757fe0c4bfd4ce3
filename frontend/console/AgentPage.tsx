import { ArrowLeft, ChevronDown, ExternalLink } from 'lucide-react';
import type { ReactNode } from 'react';
import { grade } from '../src/features/transcript/latency';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import './agents.css';
import { Pair } from './Facts';
import { useAsked, useTitle } from './hooks';
import { AgentDot, Figure } from './LivePage';
import { pathOf } from './OverviewPage';
import type { AgentSheet, AgentTool, Me, Overview } from './protocol.gen';
import { hashOf } from './route';
import { lasting, money, secondsOf, share } from './words';

const DAYS = 7;

/** One agent: what it is told, what it can do, what is kept of its calls, and how they went. */
export function AgentPage({ id, me }: { id: string; me: Me }) {
  useTitle('Agent');
  const { asked, again } = useAsked<AgentSheet>(`/agents/${id}`);
  const sheet = asked.state === 'here' ? asked.value : null;
  return (
    <main className="page-agent" aria-busy={asked.state === 'asking'}>
      {asked.state === 'refused' ? (
        <>
          <h1 className="unseen">Agent</h1>
          <Note
            tone="trouble"
            title={asked.refused.status === 404 ? 'There is no such agent' : 'It cannot be shown'}
            actions={<Button onClick={again}>Try again</Button>}
          >
            {asked.refused.message}
          </Note>
        </>
      ) : null}
      {asked.state === 'asking' ? <div className="rows-waiting" /> : null}
      {sheet === null ? null : (
        <>
          <Head sheet={sheet} me={me} />
          <Figures id={id} />
          <div className="call-columns">
            <div className="call-main">
              <Instructions sheet={sheet} />
              <Tools tools={sheet.tools} />
            </div>
            <div className="call-side">
              <Made sheet={sheet} />
              <Limits sheet={sheet} />
              <Privacy sheet={sheet} />
              <Humans sheet={sheet} />
            </div>
          </div>
        </>
      )}
    </main>
  );
}

function Head({ sheet, me }: { sheet: AgentSheet; me: Me }) {
  const { agent } = sheet;
  return (
    <div className="call-head agent-head">
      <a className="back" href={hashOf({ page: 'agents' })}>
        <ArrowLeft size={16} aria-hidden="true" />
        Agents
      </a>
      <h1>{agent.title}</h1>
      <p className="call-what">
        <span className="bit">
          <AgentDot me={me} agent={agent.id} />
          {sheet.tagline}
        </span>
      </p>
      <a className="button agent-try" href={`/?agent=${agent.id}`} target="_blank" rel="noopener">
        <ExternalLink size={16} aria-hidden="true" />
        Try it
      </a>
    </div>
  );
}

function Figures({ id }: { id: string }) {
  const { asked } = useAsked<Overview>(pathOf(DAYS, id, Date.now()));
  if (asked.state === 'refused') return <p className="fault">{asked.refused.message}</p>;
  const total = asked.state === 'here' ? asked.value.total : null;
  const { calls, failed, latency } = total ?? { calls: 0, failed: 0, latency: { p95: null } };
  return (
    <ul className="figures" aria-label={`The last ${DAYS} days`}>
      <Figure value={total === null ? '–' : calls.toLocaleString('en')} what="calls in 7 days" />
      <Figure
        value={share(failed, calls)}
        what="failed or lost"
        tone={failed * 20 > calls ? 'poor' : undefined}
      />
      <Figure
        value={secondsOf(latency.p95)}
        what="p95 to answer"
        tone={latency.p95 === null ? undefined : grade(latency.p95)}
      />
      <Figure value={money(total?.costUsd ?? null)} what="spent" />
    </ul>
  );
}

function Instructions({ sheet }: { sheet: AgentSheet }) {
  return (
    <Panel title="What it is told" name="told">
      {sheet.greeting === null ? null : (
        <p className="agent-greeting">
          It says first: <q>{sheet.greeting}</q>
        </p>
      )}
      {sheet.instructions === '' ? (
        <p className="hint">A Foundry agent brings its own instructions.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard
        <pre className="agent-prompt" tabIndex={0}>
          {sheet.instructions}
        </pre>
      )}
    </Panel>
  );
}

function Tools({ tools }: { tools: readonly AgentTool[] }) {
  return (
    <Panel title="What it can do" name="tools">
      {tools.length === 0 ? <p className="hint">It has no tools of ours.</p> : null}
      {tools.map((tool) => (
        <details key={tool.name} className="agent-tool" data-testid="agent-tool">
          <summary>
            <span className="agent-tool-title">{tool.title}</span>
            <span className="quiet">{aboutTool(tool)}</span>
            <ChevronDown className="agent-chevron" size={16} aria-hidden="true" />
          </summary>
          <p>{tool.description}</p>
          {tool.confirm === null ? null : (
            <p className="hint">
              Asks first: <q>{tool.confirm}</q>
            </p>
          )}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard */}
          <pre className="agent-schema" tabIndex={0}>
            {JSON.stringify(tool.parameters, null, 2)}
          </pre>
        </details>
      ))}
    </Panel>
  );
}

function aboutTool(tool: AgentTool): string {
  const about = [
    tool.confirm === null ? null : 'asks first',
    tool.onTelephone ? 'on the telephone' : null,
  ];
  return about.filter((word) => word !== null).join(', ');
}

function Made({ sheet }: { sheet: AgentSheet }) {
  return (
    <Panel title="What it is made of" name="made">
      <dl className="pairs">
        <Pair name="Model">{sheet.model}</Pair>
        <Pair name="Voice">{sheet.voice}</Pair>
        <Pair name="Language">{sheet.language}</Pair>
        <Pair name="Telephone">{sheet.numbers.join(', ') || 'No number of its own'}</Pair>
        <Pair name="Id">
          <code>{sheet.agent.id}</code>
        </Pair>
      </dl>
    </Panel>
  );
}

function Limits({ sheet: { limits } }: { sheet: AgentSheet }) {
  return (
    <Panel title="Limits" name="limits">
      <dl className="pairs">
        <Pair name="Longest call">{lasting(limits.maxCallS * 1_000)}</Pair>
        <Pair name="Budget of a call">
          {limits.budgetUsd === null ? 'None' : money(limits.budgetUsd)}
        </Pair>
        <Pair name="Asks after silence">
          {secondsOf(limits.silenceMs)}, {limits.reprompts}×
        </Pair>
        <Pair name="A tool is slow after">{secondsOf(limits.slowToolMs)}</Pair>
        <Pair name="A consent holds">{limits.confirmWindowS} s</Pair>
      </dl>
    </Panel>
  );
}

const RECORDED = {
  never: 'No',
  maybe: 'Yes, over WebSocket',
  always: 'Always',
} as const;

function Privacy({ sheet: { privacy } }: { sheet: AgentSheet }) {
  const { redacted, countries, retentionDays } = privacy;
  return (
    <Panel title="What is kept" name="kept">
      <dl className="pairs">
        <Pair name="Kept for">{retentionDays === 1 ? '1 day' : `${retentionDays} days`}</Pair>
        <Pair name="Taken out of texts">{redacted.join(', ') || 'Nothing'}</Pair>
        <Pair name="Numbers known of">{countries.join(', ') || 'No country'}</Pair>
        <Pair name="Page recorded">{RECORDED[privacy.recorded]}</Pair>
        <Pair name="Telephone recorded">{privacy.recordedOnTelephone ? 'Yes' : 'No'}</Pair>
      </dl>
      {privacy.notice === null ? null : (
        <p className="hint">
          Callers are told: <q>{privacy.notice}</q>
        </p>
      )}
    </Panel>
  );
}

function Humans({ sheet: { humans } }: { sheet: AgentSheet }) {
  if (humans.length === 0) return null;
  return (
    <Panel title="Humans it can fetch" name="humans">
      <dl className="pairs">
        {humans.map((human) => (
          <Pair key={human.name} name={human.name}>
            {human.about || '–'}
          </Pair>
        ))}
      </dl>
    </Panel>
  );
}

function Panel({ title, name, children }: { title: string; name: string; children: ReactNode }) {
  return (
    <section className="panel" aria-labelledby={`agent-${name}`}>
      <h2 id={`agent-${name}`}>{title}</h2>
      {children}
    </section>
  );
}
