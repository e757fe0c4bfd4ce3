import { Globe, Phone, Radio, TriangleAlert } from 'lucide-react';
import type { KeyboardEvent } from 'react';
import { grade } from '../src/features/transcript/latency';
import { Note } from '../src/ui/Note';
import { useNow, useTitle } from './hooks';
import type { LiveCall, Me } from './protocol.gen';
import { hashOf } from './route';
import { inOrder, type LiveState, type Need, needOf, summed } from './store';
import type { LiveNow } from './useLive';
import {
  agentTitle,
  callerShort,
  channelWord,
  count,
  floorWords,
  lasting,
  money,
  secondsOf,
} from './words';

export function LivePage({ live, refused, me }: LiveNow & { me: Me }) {
  useTitle('Live');
  const nowMs = useNow(true) + live.skewMs;
  return (
    <main className="page-live">
      <h1 className="unseen">Live calls</h1>
      <Figures live={live} />
      {refused === null ? null : (
        <Note tone="trouble" title="Live calls cannot be shown">
          {refused.message}
        </Note>
      )}
      {live.link === 'lost' && refused === null ? (
        <Note tone="trouble" title="The connection to the server was lost">
          What you see is as it was then. It is being tried again; calls go on meanwhile.
        </Note>
      ) : null}
      <Calls live={live} nowMs={nowMs} me={me} />
    </main>
  );
}

function Figures({ live }: { live: LiveState }) {
  const sum = summed(live.rows);
  const known = live.link !== 'connecting';
  return (
    <ul className="figures" aria-label="All live calls">
      <Figure value={known ? String(sum.calls) : '–'} what={sum.calls === 1 ? 'call' : 'calls'} />
      <Figure
        value={known ? String(sum.asking) : '–'}
        what="waiting for a yes"
        tone={sum.asking > 0 ? 'asking' : undefined}
      />
      <Figure
        value={known ? String(sum.trouble) : '–'}
        what="in trouble"
        tone={sum.trouble > 0 ? 'poor' : undefined}
      />
      <Figure
        value={secondsOf(sum.p95Ms)}
        what="p95 to answer"
        tone={sum.p95Ms === null ? undefined : grade(sum.p95Ms)}
      />
      <Figure value={known ? money(sum.costUsd) : '–'} what="on these calls" />
    </ul>
  );
}

interface FigureProps {
  value: string;
  what: string;
  tone?: string | undefined;
}

export function Figure({ value, what, tone }: FigureProps) {
  return (
    <li className="figure" data-tone={tone}>
      <span className="figure-value">{value}</span> <span className="figure-what">{what}</span>
    </li>
  );
}

function Calls({ live, nowMs, me }: { live: LiveState; nowMs: number; me: Me }) {
  if (live.link === 'connecting')
    return <div className="rows-waiting" aria-busy="true" data-testid="waiting" />;
  if (live.rows.length === 0)
    return (
      <div className="empty">
        <Radio size={32} aria-hidden="true" />
        <p className="empty-title">Nobody is calling</p>
        <p>
          Calls appear here as they begin, by browser or telephone. Those that are over are in{' '}
          <a href="#/history">History</a>.
        </p>
      </div>
    );
  return (
    <section className="rows" aria-label={count(live.rows.length, 'live call')}>
      <div className="row row-head" aria-hidden="true">
        <span>Caller</span>
        <span>Agent</span>
        <span>Floor</span>
        <span>Last line</span>
        <span className="number">Answered</span>
        <span className="number">Money</span>
        <span className="number">Length</span>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrows move among the links within */}
      <div className="rows-list" onKeyDown={moveAmong}>
        {inOrder(live.rows).map((row) => (
          <CallRow key={row.call.id} row={row} nowMs={nowMs} me={me} />
        ))}
      </div>
    </section>
  );
}

/** Up and down go from row to row. */
export function moveAmong(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('a.row')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = rows[at + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

function CallRow({ row, nowMs, me }: { row: LiveCall; nowMs: number; me: Me }) {
  const need = needOf(row);
  const { call } = row;
  return (
    <a
      className="row"
      href={hashOf({ page: 'call', id: call.id })}
      data-need={need}
      data-testid="call"
    >
      <span className="row-caller">
        <ChannelIcon channel={call.channel} />
        <span>{callerShort(call)}</span>
        <ServerMark server={call.server} />
      </span>
      <span className="row-agent">
        <AgentDot me={me} agent={call.agent} />
        <span>{agentTitle(me.agents, call.agent)}</span>
      </span>
      <span className="row-floor" data-floor={row.floor}>
        {row.takenBy !== null
          ? `With ${row.takenBy}`
          : row.written
            ? 'As written'
            : floorWords(row.floor)}
      </span>
      <span className="row-line">
        <NeedWords need={need} row={row} />
        <span className="row-said">{saidWords(row)}</span>
      </span>
      <span
        className={`number row-latency ${row.latencyMs === null ? '' : `grade-${grade(row.latencyMs)}`}`}
      >
        {secondsOf(row.latencyMs)}
      </span>
      <span className="number row-money">{money(row.costUsd)}</span>
      <span className="number row-length">{lasting(nowMs - call.beganAt * 1_000)}</span>
    </a>
  );
}

function saidWords(row: LiveCall): string {
  if (row.lastLine === '') return row.lastSpeaker === null ? 'Nothing said yet' : '…';
  return `${row.lastSpeaker === 'caller' ? 'Caller' : 'Agent'}: ${row.lastLine}`;
}

function NeedWords({ need, row }: { need: Need; row: LiveCall }) {
  if (need === 'none') return null;
  const words = {
    wish: 'Wants a human',
    asking: row.asking === 1 ? 'A tool waits for a yes' : `${row.asking} tools wait for a yes`,
    trouble: row.trouble ?? '',
    slow: 'Slow to answer',
  }[need];
  return (
    <span className="need">
      <TriangleAlert size={16} aria-hidden="true" />
      {words}
    </span>
  );
}

export function ChannelIcon({ channel }: { channel: string }) {
  const Icon = channel === 'phone' ? Phone : channel === 'webrtc' ? Radio : Globe;
  return <Icon size={16} role="img" aria-label={channelWord(channel)} />;
}

/** Which server carries a call, where there are several. */
export function ServerMark({ server }: { server: string | null }) {
  if (server === null) return null;
  return (
    <span className="server" title={`Carried by server ${server}`}>
      <span className="unseen">at server </span>
      {server}
    </span>
  );
}

export function AgentDot({ me, agent }: { me: Me; agent: string }) {
  const known = me.agents.findIndex(({ id }) => id === agent);
  const look = me.agents[known];
  if (look === undefined) return <span className="dot" aria-hidden="true" />;
  return (
    <span
      className="dot"
      aria-hidden="true"
      style={{ background: `light-dark(${look.accent}, ${look.accentDark})` }}
    />
  );
}
