import { useId } from 'react';
import type { Snapshot } from '../../voice/session';
import { connectionWords, wayWords } from './words';

/** The state of the line, and how it is carried: hover or focus tells what that means. */
export function Connection({ snapshot }: { snapshot: Snapshot }) {
  const id = useId();
  const { phase, way } = snapshot;
  const connected = phase === 'live' || phase === 'away';
  return (
    <div className="connection" data-phase={phase}>
      <p className="connection-state" role="status">
        {connectionWords(snapshot)}
      </p>
      {connected && way !== null ? (
        <span className="connection-way" data-testid="way" data-way={way}>
          <button type="button" aria-describedby={id}>
            {way === 'webrtc' ? 'WebRTC' : 'WebSocket'}
          </button>
          <span id={id} role="tooltip" className="connection-words">
            {wayWords(snapshot)}
          </span>
        </span>
      ) : null}
    </div>
  );
}
