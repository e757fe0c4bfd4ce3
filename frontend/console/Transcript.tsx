import { Fragment, useEffect, useLayoutEffect, useRef } from 'react';
import { grade, seconds } from '../src/features/transcript/latency';
import { cutAt } from '../src/features/transcript/spoken';
import '../src/features/transcript/transcript.css';
import { type Entry, entriesOf } from './entries';
import type { Acted, CallDetail, Line } from './protocol.gen';
import { ToolCard } from './ToolCard';
import { deedWords, lasting } from './words';

interface Props {
  detail: CallDetail;
  agent: string;
  /** What a replay has not come to yet is shown quietly. */
  headMs: number | null;
  acted: (action: Acted) => void;
}

const AT_END = 64;

export function Transcript({ detail, agent, headMs, acted }: Props) {
  const box = useRef<HTMLElement>(null);
  const following = useRef(true);
  const entries = entriesOf(detail);
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && detail.live && following.current)
      element.scrollTop = element.scrollHeight;
  }, [detail]);

  const last = headMs === null ? undefined : entries.findLast((entry) => entry.atMs <= headMs);
  const lastKey = last?.key;
  useEffect(() => {
    if (lastKey === undefined) return;
    const shown = box.current?.querySelector(`[data-key="${CSS.escape(lastKey)}"]`);
    shown?.scrollIntoView({ block: 'nearest' });
  }, [lastKey]);

  return (
    <section
      ref={box}
      className="call-transcript"
      aria-label="Transcript"
      data-testid="transcript"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: at }) => {
        following.current = at.scrollHeight - at.scrollTop - at.clientHeight < AT_END;
      }}
    >
      {entries.length === 0 ? (
        <p className="transcript-empty">
          {detail.live ? 'What both sides say will be written here.' : 'Nothing was said.'}
        </p>
      ) : null}
      <div className="transcript-lines">
        {entries.map((entry) => (
          <div
            key={entry.key}
            className={`entry entry-${entry.kind}`}
            data-key={entry.key}
            data-ahead={headMs !== null && entry.atMs > headMs}
          >
            <span className="entry-at">{lasting(entry.atMs)}</span>
            <Shown {...{ entry, agent, acted, detail }} />
          </div>
        ))}
      </div>
    </section>
  );
}

interface ShownProps {
  entry: Entry;
  agent: string;
  detail: CallDetail;
  acted: (action: Acted) => void;
}

function Shown({ entry, agent, detail, acted }: ShownProps) {
  switch (entry.kind) {
    case 'line':
      return <LineShown line={entry.line} agent={agent} answeredMs={entry.answeredMs} />;
    case 'tool':
      return <ToolCard tool={entry.tool} {...{ detail, acted }} />;
    case 'notice':
      return <p className="entry-notice">{entry.notice.text}</p>;
    case 'action':
      return (
        <p className="entry-deed">
          {deedWords(entry.action)}
          {entry.action.text === null ? null : <q>{entry.action.text}</q>}
        </p>
      );
  }
}

interface LineProps {
  line: Line;
  agent: string;
  answeredMs: number | null;
}

function LineShown({ line, agent, answeredMs }: LineProps) {
  return (
    <div
      className={`said said-${line.speaker}`}
      data-testid="line"
      data-speaker={line.speaker}
      data-state={line.state}
    >
      <p className="said-who">
        {line.speaker === 'agent' ? agent : 'Caller'}
        {line.typed ? <span className="said-typed"> typed</span> : null}
        {answeredMs === null ? null : (
          <span className={`said-latency grade-${grade(answeredMs)}`}>
            answered in {seconds(answeredMs)}
          </span>
        )}
      </p>
      <p className="said-text">
        <Words line={line} />
      </p>
    </div>
  );
}

function Words({ line }: { line: Line }) {
  if (line.text === '')
    return <span className="quiet">{line.state === 'partial' ? '…' : 'Not understood'}</span>;
  if (line.state !== 'cut' || line.heardChars === null) return <Fragment>{line.text}</Fragment>;
  const [heard, unheard] = cutAt(line.text, line.heardChars);
  return (
    <>
      {heard}
      <span className="cut" title="The caller spoke here: the rest was not heard">
        <span className="unseen"> (cut here; not heard: </span>
      </span>
      <s>{unheard}</s>
      <span className="unseen">)</span>
    </>
  );
}
