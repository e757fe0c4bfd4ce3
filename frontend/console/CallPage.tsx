import { ArrowLeft } from 'lucide-react';
import { type ReactNode, useLayoutEffect } from 'react';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import { Actions } from './Actions';
import { AfterPanel } from './AfterPanel';
import './call.css';
import { Facts } from './Facts';
import { useNow, useTitle } from './hooks';
import { AgentDot, ChannelIcon, ServerMark } from './LivePage';
import type { CallDetail, Me } from './protocol.gen';
import { Replay, useReplay } from './Replay';
import { Timeline } from './Timeline';
import { Transcript } from './Transcript';
import { layOut } from './timeline';
import { useCall } from './useCall';
import { useSound } from './useSound';
import {
  agentTitle,
  callerWords,
  channelWord,
  floorWords,
  lasting,
  outcomeTone,
  outcomeWord,
  reasonWords,
  when,
} from './words';

export function CallPage({ id, me }: { id: string; me: Me }) {
  const { call, acted, again } = useCall(id);
  useTitle('Call');
  if (call.detail === null)
    return call.refused === null ? (
      <main className="page-call" aria-busy="true">
        <h1 className="unseen">Call</h1>
        <div className="rows-waiting" />
      </main>
    ) : (
      <main className="page-call">
        <h1 className="unseen">Call</h1>
        <Note
          tone="trouble"
          title="The call cannot be shown"
          actions={<Button onClick={again}>Try again</Button>}
        >
          {call.refused.message}
        </Note>
      </main>
    );
  return (
    <OneCall {...{ me, acted }} detail={call.detail} stale={call.stale} skewMs={call.skewMs} />
  );
}

interface Props {
  detail: CallDetail;
  stale: boolean;
  skewMs: number;
  me: Me;
  acted: Parameters<typeof Actions>[0]['acted'];
}

function OneCall({ detail, stale, skewMs, me, acted }: Props) {
  const nowMs = useNow(detail.live) + skewMs;
  const { call } = detail;
  const end = call.endedAt === null ? nowMs : call.endedAt * 1_000;
  const lastedMs = end - call.beganAt * 1_000;
  const layout = layOut(detail, lastedMs);
  const sound = useSound(detail);
  const replay = useReplay(layout.lengthMs, sound);
  useAgentAccent(me, call.agent);
  return (
    <main className="page-call" data-live={detail.live} data-testid="one-call">
      <Head {...{ detail, me, lastedMs, nowMs }} />
      {stale && detail.live ? (
        <Note tone="trouble" title="The connection to the server was lost">
          The call goes on; what you see is as it was. It is being tried again.
        </Note>
      ) : null}
      <Timeline
        layout={layout}
        live={detail.live}
        headMs={replay.atMs}
        onSeek={detail.live ? null : replay.seek}
      />
      {detail.live ? null : <Replay replay={replay} sound={sound} lengthMs={layout.lengthMs} />}
      {detail.live ? null : <AfterPanel id={call.id} />}
      <div className="call-columns">
        <div className="call-main">
          <Transcript
            {...{ detail, acted }}
            agent={agentTitle(me.agents, call.agent)}
            headMs={replay.atMs}
          />
          {detail.live ? (
            <div className="facts-row">
              <Facts detail={detail} lastedMs={lastedMs} />
            </div>
          ) : null}
        </div>
        <div className="call-side">
          {detail.live ? (
            <Actions {...{ detail, acted }} />
          ) : (
            <Facts detail={detail} lastedMs={lastedMs} />
          )}
        </div>
      </div>
    </main>
  );
}

interface HeadProps {
  detail: CallDetail;
  me: Me;
  lastedMs: number;
  nowMs: number;
}

function Head({ detail, me, lastedMs, nowMs }: HeadProps) {
  const { call } = detail;
  return (
    <div className="call-head">
      <a className="back" href={detail.live ? '#/' : '#/history'}>
        <ArrowLeft size={16} aria-hidden="true" />
        {detail.live ? 'Live' : 'History'}
      </a>
      <h1>{callerWords(call)}</h1>
      <p className="call-what">
        <Bit>
          <AgentDot me={me} agent={call.agent} />
          {agentTitle(me.agents, call.agent)}
        </Bit>
        <Bit>
          <ChannelIcon channel={call.channel} />
          {channelWord(call.channel)}
          {call.direction === 'out' ? ', we rang' : ''}
        </Bit>
        {call.server === null ? null : (
          <Bit>
            <ServerMark server={call.server} />
          </Bit>
        )}
        <Bit>{when(call.beganAt, nowMs)}</Bit>
        <Bit>{lasting(lastedMs)}</Bit>
      </p>
      {detail.live ? (
        <p className="state" data-floor={detail.floor} data-testid="floor">
          {detail.takenBy === null ? floorWords(detail.floor) : `With ${detail.takenBy}`}
        </p>
      ) : (
        <p className={`state tone-${outcomeTone(call.outcome)}`} data-testid="outcome">
          {outcomeWord(call.outcome)}
          <span className="state-why">{reasonWords(call.endReason)}</span>
        </p>
      )}
    </div>
  );
}

function Bit({ children }: { children: ReactNode }) {
  return <span className="bit">{children}</span>;
}

/** While one call is on screen, the accent is its agent's. */
function useAgentAccent(me: Me, id: string): void {
  const agent = me.agents.find((known) => known.id === id);
  const { accent, accentDark } = agent ?? {};
  useLayoutEffect(() => {
    const { style } = document.documentElement;
    if (accent === undefined || accentDark === undefined) return;
    style.setProperty('--accent-light', accent);
    style.setProperty('--accent-dark', accentDark);
    return () => {
      style.removeProperty('--accent-light');
      style.removeProperty('--accent-dark');
    };
  }, [accent, accentDark]);
}
