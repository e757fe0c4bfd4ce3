import type { Snapshot } from '../../voice/session';
import { connectionWords } from './words';

/** The state of the line, with the round trip for whoever asks. */
export function Connection({ snapshot }: { snapshot: Snapshot }) {
  const { phase, roundTripMs } = snapshot;
  const title =
    roundTripMs === null ? undefined : `Round trip to the server: ${Math.round(roundTripMs)} ms`;
  return (
    <p className="connection" role="status" data-phase={phase} title={title}>
      {connectionWords(snapshot)}
    </p>
  );
}
