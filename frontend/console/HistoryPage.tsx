import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useKeys } from '../src/features/call/useKeys';
import { grade } from '../src/features/transcript/latency';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import { Select } from '../src/ui/Select';
import { ask, type Refused } from './api';
import { asRefused, goTo, useAsked, useTitle } from './hooks';
import { AgentDot, ChannelIcon, moveAmong } from './LivePage';
import { type History, MAX_SEARCH, type Me, type PastCall } from './protocol.gen';
import { type Filters, hashOf, NO_FILTERS } from './route';
import { split } from './search';
import {
  agentTitle,
  callerShort,
  channelWord,
  count,
  dayStart,
  GOALS,
  goalTone,
  goalWord,
  lasting,
  money,
  OUTCOMES,
  outcomeTone,
  outcomeWord,
  secondsOf,
  when,
} from './words';

const TYPING_MS = 300;

export function HistoryPage({ filters, me }: { filters: Filters; me: Me }) {
  useTitle('History');
  const path = pathOf(filters);
  const { asked, again } = useAsked<History>(path);
  const first = asked.state === 'here' ? asked.value : asked.state === 'asking' ? asked.kept : null;
  return (
    <main className="page-history">
      <h1 className="unseen">History</h1>
      <FilterBar filters={filters} me={me} />
      {asked.state === 'refused' ? (
        <Note
          tone="trouble"
          title="Past calls cannot be shown"
          actions={<Button onClick={again}>Try again</Button>}
        >
          {asked.refused.message}
        </Note>
      ) : null}
      <div aria-busy={asked.state === 'asking'}>
        {first === null ? (
          asked.state === 'asking' ? (
            <div className="rows-waiting" data-testid="waiting" />
          ) : null
        ) : (
          <Calls key={path} {...{ first, path, filters, me }} />
        )}
      </div>
    </main>
  );
}

function FilterBar({ filters, me }: { filters: Filters; me: Me }) {
  const [words, setWords] = useState(filters.q);
  const field = useRef<HTMLInputElement>(null);
  const latest = useRef(filters);
  latest.current = filters;
  useKeys({ space: () => {}, escape: () => {}, slash: () => field.current?.focus() });
  useEffect(() => {
    if (words === latest.current.q) return;
    const timer = setTimeout(
      () => goTo({ page: 'history', filters: { ...latest.current, q: words } }, 'replace'),
      TYPING_MS,
    );
    return () => clearTimeout(timer);
  }, [words]);
  const choose = (change: Partial<Filters>): void =>
    goTo({ page: 'history', filters: { ...filters, ...change } }, 'replace');
  const filtered = Object.entries(filters).some(([, value]) => value !== null && value !== '');
  return (
    <search className="filters">
      <label className="search">
        <Search size={16} aria-hidden="true" />
        <span className="unseen">Search what was said</span>
        <input
          ref={field}
          type="search"
          placeholder="Search what was said"
          maxLength={MAX_SEARCH}
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      </label>
      <Select
        label="Agent"
        none="Any agent"
        value={filters.agent}
        options={me.agents}
        onChange={(agent) => choose({ agent })}
      />
      <Select
        label="Channel"
        none="Any channel"
        value={filters.channel}
        options={['browser', 'webrtc', 'phone'].map((id) => ({ id, title: channelWord(id) }))}
        onChange={(channel) => choose({ channel })}
      />
      <Select
        label="Outcome"
        none="Any outcome"
        value={filters.outcome}
        options={Object.entries(OUTCOMES).map(([id, title]) => ({ id, title }))}
        onChange={(outcome) => choose({ outcome })}
      />
      <Select
        label="Goals"
        none="Any goals"
        value={filters.goals}
        options={Object.entries(GOALS).map(([id, title]) => ({
          id,
          title: `Goals: ${title.toLowerCase()}`,
        }))}
        onChange={(goals) => choose({ goals })}
      />
      <DayField label="From" value={filters.from} onChange={(from) => choose({ from })} />
      <DayField label="To" value={filters.to} onChange={(to) => choose({ to })} />
      {filtered ? (
        <Button
          look="plain"
          onClick={() => {
            setWords('');
            goTo({ page: 'history', filters: NO_FILTERS }, 'replace');
          }}
        >
          Clear
        </Button>
      ) : null}
    </search>
  );
}

interface DayProps {
  label: string;
  value: string | null;
  onChange: (value: string | null) => void;
}

function DayField({ label, value, onChange }: DayProps) {
  return (
    <label className="day">
      <span>{label}</span>
      <input
        type="date"
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value === '' ? null : event.target.value)}
      />
    </label>
  );
}

interface CallsProps {
  first: History;
  path: string;
  filters: Filters;
  me: Me;
}

function Calls({ first, path, filters, me }: CallsProps) {
  const [more, setMore] = useState<readonly History[]>([]);
  const [fault, setFault] = useState<Refused | null>(null);
  const [asking, setAsking] = useState(false);
  const calls = [first, ...more].flatMap((page) => page.calls);
  const next = (more.at(-1) ?? first).next;
  const showMore = async (): Promise<void> => {
    if (next === null) return;
    setAsking(true);
    setFault(null);
    try {
      const joint = path.includes('?') ? '&' : '?';
      const { signal } = new AbortController();
      const page = await ask<History>(`${path}${joint}before=${encodeURIComponent(next)}`, signal);
      setMore((now) => [...now, page]);
    } catch (error) {
      setFault(asRefused(error));
    }
    setAsking(false);
  };
  if (calls.length === 0) return <Nothing filters={filters} />;
  const nowMs = Date.now();
  return (
    <section className="rows rows-past" aria-label={count(calls.length, 'past call')}>
      <div className="row row-head" aria-hidden="true">
        <span>When</span>
        <span>Caller</span>
        <span>Agent</span>
        <span>Outcome</span>
        <span>What happened</span>
        <span className="number">Answered</span>
        <span className="number">Money</span>
        <span className="number">Length</span>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrows move among the links within */}
      <div className="rows-list" onKeyDown={moveAmong}>
        {calls.map((past) => (
          <PastRow key={past.call.id} {...{ past, me, nowMs }} words={filters.q} />
        ))}
      </div>
      {next === null ? null : (
        <Button className="more" disabled={asking} onClick={() => void showMore()}>
          {asking ? 'Looking…' : 'Show earlier calls'}
        </Button>
      )}
      {fault === null ? null : (
        <p className="fault" role="alert">
          {fault.message}
        </p>
      )}
    </section>
  );
}

function Nothing({ filters }: { filters: Filters }) {
  const all = hashOf({ page: 'history', filters }) === '#/history';
  return (
    <div className="empty">
      <Search size={32} aria-hidden="true" />
      <p className="empty-title">{all ? 'No calls yet' : 'No call is like that'}</p>
      <p>
        {all
          ? 'Every call is kept here once it has begun: what was said, what was done, what it cost.'
          : 'Search for fewer words, or clear a filter.'}
      </p>
    </div>
  );
}

interface RowProps {
  past: PastCall;
  me: Me;
  nowMs: number;
  words: string;
}

function PastRow({ past, me, nowMs, words }: RowProps) {
  const { call } = past;
  const end = call.endedAt === null ? nowMs : call.endedAt * 1_000;
  return (
    <a className="row" href={hashOf({ page: 'call', id: call.id })} data-testid="past">
      <span className="row-when">{when(call.beganAt, nowMs)}</span>
      <span className="row-caller">
        <ChannelIcon channel={call.channel} />
        <span>{callerShort(call)}</span>
      </span>
      <span className="row-agent">
        <AgentDot me={me} agent={call.agent} />
        <span>{agentTitle(me.agents, call.agent)}</span>
      </span>
      <span className={`row-outcome tone-${outcomeTone(call.outcome)}`}>
        {outcomeWord(call.outcome)}
      </span>
      <span className="row-line">
        {past.snippet === null ? (
          <span className="row-said">
            <GoalsWord past={past} />
            {happened(past)}
          </span>
        ) : (
          <span className="row-said">
            <Found text={past.snippet} words={words} />
          </span>
        )}
      </span>
      <span
        className={`number row-latency ${past.latencyMs === null ? '' : `grade-${grade(past.latencyMs)}`}`}
      >
        {secondsOf(past.latencyMs)}
      </span>
      <span className="number row-money">{money(past.costUsd)}</span>
      <span className="number row-length">{lasting(end - call.beganAt * 1_000)}</span>
    </a>
  );
}

function Found({ text, words }: { text: string; words: string }) {
  const [before, found, after] = split(text, words);
  return (
    <>
      {before}
      <mark>{found}</mark>
      {after}
    </>
  );
}

/** What its goals came to, where that says something. */
function GoalsWord({ past: { goals } }: { past: PastCall }) {
  if (goals === null || goals === 'unknown') return null;
  return (
    <>
      <span className={`tone-${goalTone(goals)}`}>Goals {goalWord(goals).toLowerCase()}</span>
      {' · '}
    </>
  );
}

function happened(past: PastCall): string {
  const parts = [count(past.lines, 'line')];
  if (past.tools > 0) parts.push(count(past.tools, 'tool'));
  if (past.toolsFailed > 0) parts.push(`${past.toolsFailed} failed`);
  if (past.interruptions > 0) parts.push(count(past.interruptions, 'interruption'));
  return parts.join(' · ');
}

function pathOf(filters: Filters): string {
  const query = new URLSearchParams();
  const parts = {
    q: filters.q.trim(),
    agent: filters.agent,
    channel: filters.channel,
    outcome: filters.outcome,
    goals: filters.goals,
    since: filters.from === null ? null : String(dayStart(filters.from)),
    until: filters.to === null ? null : String(dayStart(filters.to, 1)),
  };
  for (const [key, value] of Object.entries(parts))
    if (value !== null && value !== '') query.set(key, value);
  return query.size === 0 ? '/history' : `/history?${query}`;
}
