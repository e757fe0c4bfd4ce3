import { Fragment, type ReactNode, useEffect, useLayoutEffect, useRef } from 'react';
import type { Entry, Snapshot, ToolEntry } from '../../voice/session';
import { spokenChars } from './spoken';
import { TranscriptLine } from './TranscriptLine';
import './transcript.css';

interface Props {
  snapshot: Snapshot;
  agent: string;
  renderTool: (tool: ToolEntry) => ReactNode;
  /** Something to know of the whole call, above all that was said. */
  preface: string | null;
  /** What stands here before anybody has spoken. */
  empty: string;
}

/** Near enough to the end to be reading along, in pixels. */
const AT_END = 48;

export function Transcript({ snapshot, agent, preface, renderTool, empty }: Props) {
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

  const shown = (entry: Entry): ReactNode => {
    if (entry.kind === 'tool') return renderTool(entry);
    if (entry.kind === 'notice') return <p className="notice">{entry.text}</p>;
    const upTo = spokenChars(entry, snapshot);
    return <TranscriptLine {...{ agent, upTo }} line={entry} answer={snapshot.answers[entry.id]} />;
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
      {preface === null ? null : (
        <p className="notice transcript-preface" role="status">
          {preface}
        </p>
      )}
      {entries.length === 0 ? <p className="transcript-empty">{empty}</p> : null}
      <div className="transcript-lines">
        {entries.map((entry) => (
          <Fragment key={`${entry.kind}-${entry.id}`}>{shown(entry)}</Fragment>
        ))}
      </div>
    </section>
  );
}
