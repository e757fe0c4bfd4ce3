import { memo } from 'react';
import type { Latency as LatencyFacts } from '../../voice/protocol.gen';
import type { LineEntry } from '../../voice/session';
import { Latency } from './Latency';
import { cutAt } from './spoken';

interface Props {
  line: LineEntry;
  agent: string;
  answer: LatencyFacts | undefined;
  /** Characters that were spoken by now. */
  upTo: number;
}

/** Drawn again only when it changes: the play head moves ten times a second. */
export const TranscriptLine = memo(function TranscriptLine({ line, agent, answer, upTo }: Props) {
  const { speaker } = line;
  return (
    <div
      className={`line line-${speaker}`}
      data-testid="line"
      data-speaker={speaker}
      data-state={line.state}
    >
      <p className={speaker === 'agent' ? 'line-who' : 'unseen'}>
        {speaker === 'agent' ? agent : 'You'}
      </p>
      <p className="line-text">
        <Words line={line} upTo={upTo} />
      </p>
      {answer === undefined || speaker === 'caller' ? null : <Latency latency={answer} />}
    </div>
  );
});

function Words({ line, upTo }: Pick<Props, 'line' | 'upTo'>) {
  if (line.text === '') return <span className="line-wordless">{wordless(line)}</span>;
  if (line.state !== 'cut' || line.heardChars === null)
    return <Spoken text={line.text} upTo={upTo} />;
  const [heard, unheard] = cutAt(line.text, line.heardChars);
  return (
    <>
      {heard}
      <span className="cut" title="You spoke here: the rest was not heard">
        <span className="unseen"> (cut here; not heard: </span>
      </span>
      <s>{unheard}</s>
      <span className="unseen">)</span>
    </>
  );
}

/** What was said so far in full ink; what is still to be said keeps its place, quietly. */
function Spoken({ text, upTo }: { text: string; upTo: number }) {
  if (upTo >= text.length) return text;
  return (
    <>
      {text.slice(0, upTo)}
      <span className="line-ahead">{text.slice(upTo)}</span>
    </>
  );
}

function wordless(line: LineEntry): string {
  if (line.state === 'partial') return '…';
  return line.speaker === 'caller' ? 'Not understood' : 'Said nothing';
}
