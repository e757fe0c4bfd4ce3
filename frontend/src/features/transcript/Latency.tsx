import { useId, useState } from 'react';
import type { Latency as LatencyFacts } from '../../voice/protocol.gen';
import { grade, meaning, seconds } from './latency';

/** "answered in 0.6 s": hover, focus or a press tells what that measures. */
export function Latency({ latency }: { latency: LatencyFacts }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const text = meaning(latency);
  return (
    <div className="latency-row">
      <button
        type="button"
        className={`latency latency-${grade(latency.firstAudioMs)}`}
        data-testid="latency"
        data-ms={Math.round(latency.firstAudioMs)}
        title={text}
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        answered in {seconds(latency.firstAudioMs)}
      </button>
      <p id={id} className="latency-meaning" hidden={!open}>
        {text}
      </p>
    </div>
  );
}
