import type { Levels } from '../../voice/connection';
import type { Snapshot } from '../../voice/session';
import './floor.css';
import { LevelLine } from './LevelLine';

interface Props {
  snapshot: Snapshot;
  agent: string;
  levels: () => Levels;
}

/** Who is speaking now: the agent on the left in its colour, the caller on the right. */
export function FloorBand({ snapshot, agent, levels }: Props) {
  const live = snapshot.phase === 'live' || snapshot.phase === 'away';
  const floor = holder(snapshot);
  return (
    <section className="floor" data-testid="floor" data-floor={floor} aria-label="Who is speaking">
      <div className="side side-agent" data-speaking={floor === 'agent'}>
        <p className="side-name">{agent}</p>
        <p className="side-state">{agentState(snapshot, floor)}</p>
        <LevelLine
          level={() => levels().agent}
          cuts={Object.keys(snapshot.interruptions).length}
          live={live}
        />
      </div>
      <div className="side side-caller" data-speaking={floor === 'caller'}>
        <p className="side-name">You</p>
        <p className="side-state">{callerState(snapshot, floor)}</p>
        <LevelLine level={() => levels().caller} cuts={0} live={live} />
      </div>
    </section>
  );
}

/** The server says whose turn it is; the speaker knows when the agent has really fallen silent. */
export function holder(now: Snapshot): Snapshot['floor'] {
  if (now.phase !== 'live') return 'nobody';
  if (now.floor === 'nobody' && now.sounding) return 'agent';
  return now.floor;
}

function agentState(now: Snapshot, floor: Snapshot['floor']): string {
  if (now.phase === 'dialling') return 'connecting';
  if (now.phase === 'away') return 'reconnecting';
  if (now.phase === 'ended') return '\u00a0';
  if (floor === 'agent') return 'speaking';
  return floor === 'thinking' ? 'one moment' : 'listening';
}

function callerState(now: Snapshot, floor: Snapshot['floor']): string {
  if (now.phase !== 'live') return '\u00a0';
  if (now.microphone !== 'on') return 'typing only';
  if (now.muted) return 'muted';
  return floor === 'caller' ? 'speaking' : 'your turn any time';
}
