import { type ReactNode, useEffect, useLayoutEffect, useRef } from 'react';
import type { Entry, LineEntry, Snapshot, ToolEntry } from '../../voice/session';
import { Latency } from './Latency';
import './transcript.css';

interface Props {
  snapshot: Snapshot;
  agent: string;
  renderTool: (tool: ToolEntry) => ReactNode;
  /** What stands here before anybody has spoken. */
  empty: string;
}

/** Near enough to the end to be reading along, in pixels. */
const AT_END = 48;

export function Transcript({ snapshot, agent, renderTool, empty }: Props) {
  const box = useRef<HTMLElement>(null);
  const following = useRef(true);
  const { entries } = snapshot;

  // biome-ignore lint/correctness/useExhaustiveDependencies: it follows what is on screen
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && following.current) element.scrollTop = element.scrollHeight;
  }, [entries, snapshot.answers]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const sized = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight;
    });
    sized.observe(element);
    return () => sized.disconnect();
  }, []);

  const watch = (): void => {
    const element = box.current;
    if (element === null) return;
    following.current = element.scrollHeight - element.scrollTop - element.clientHeight < AT_END;
  };

  return (
    <section
      ref={box}
      className="transcript"
      data-testid="transcript"
      aria-label="Transcript"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard
      tabIndex={0}
      onScroll={watch}
    >
      {entries.length === 0 ? <p className="transcript-empty">{empty}</p> : null}
      <div className="transcript-lines">
        {entries.map((entry) => (
          <Shown key={`${entry.kind}-${entry.id}`} {...{ entry, agent, snapshot, renderTool }} />
        ))}
      </div>
    </section>
  );
}

interface ShownProps extends Omit<Props, 'empty'> {
  entry: Entry;
}

function Shown({ entry, agent, snapshot, renderTool }: ShownProps) {
  if (entry.kind === 'tool') return renderTool(entry);
  if (entry.kind === 'notice') return <p className="notice">{entry.text}</p>;
  const answer = snapshot.answers[entry.id];
  return (
    <div
      className={`line line-${entry.speaker}`}
      data-testid="line"
      data-speaker={entry.speaker}
      data-state={entry.state}
    >
      <p className={entry.speaker === 'agent' ? 'line-who' : 'unseen'}>
        {entry.speaker === 'agent' ? agent : 'You'}
      </p>
      <p className="line-text">
        <Words line={entry} />
      </p>
      {answer === undefined || entry.speaker === 'caller' ? null : <Latency latency={answer} />}
    </div>
  );
}

function Words({ line }: { line: LineEntry }) {
  if (line.text === '') return <span className="line-wordless">{wordless(line)}</span>;
  if (line.state !== 'cut' || line.heardChars === null) return line.text;
  const heard = Math.max(0, Math.min(line.heardChars, line.text.length));
  return (
    <>
      {line.text.slice(0, heard)}
      <span className="cut" title="You spoke here: the rest was not heard">
        <span className="unseen"> (cut here; not heard: </span>
      </span>
      <s>{line.text.slice(heard)}</s>
      <span className="unseen">)</span>
    </>
  );
}

function wordless(line: LineEntry): string {
  if (line.state === 'partial') return '…';
  return line.speaker === 'caller' ? 'Not understood' : 'Said nothing';
}
