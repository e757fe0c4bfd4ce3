import { Button } from '../../ui/Button';
import type { RecordingNow } from '../../voice/session';
import './recording.css';

interface Props {
  recording: RecordingNow | null;
  onDecide: (agreed: boolean) => void;
}

/** Whether this call is recorded, for as long as it lasts; while it is asked, the question. */
export function RecordingLine({ recording, onDecide }: Props) {
  if (recording === null) return null;
  const { state, notice, decided } = recording;
  if (state === 'asked')
    return (
      <section className="recording recording-asks" aria-label={notice} data-testid="recording">
        <p className="recording-question">{notice}</p>
        <div className="recording-answers">
          <Button disabled={decided !== null} onClick={() => onDecide(true)}>
            Yes, record
          </Button>
          <Button disabled={decided !== null} onClick={() => onDecide(false)}>
            No
          </Button>
          <span className="recording-hint">
            {decided === null ? 'or just say so' : `You answered ${decided ? 'yes' : 'no'}`}
          </span>
        </div>
      </section>
    );
  return (
    <p className="recording" data-testid="recording" data-state={state} role="status">
      <span className="recording-mark" aria-hidden="true" />
      {state === 'told' ? notice : WORDS[state]}
    </p>
  );
}

const WORDS = {
  running: 'This call is recorded',
  paused: 'The recording is paused',
  off: 'This call is not recorded',
} as const;
