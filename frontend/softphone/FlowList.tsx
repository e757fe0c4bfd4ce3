import { ArrowLeft, ArrowRight } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { Button } from '../src/ui/Button';
import type { Passage } from './protocol.gen';
import { clock, isTrouble, kindWord, outcome, pretty, wayWord } from './words';

interface Props {
  passages: readonly Passage[];
  onForget: () => void;
}

/** The protocol as it flows between the local carrier and the agent's server, newest last. */
export function FlowList({ passages, onForget }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);
  const last = passages.at(-1)?.id;
  useEffect(() => {
    const element = list.current;
    if (element !== null && last !== undefined && atEnd.current)
      element.scrollTop = element.scrollHeight;
  }, [last]);
  return (
    <section className="flow" aria-labelledby="flow">
      <div className="flow-head">
        <h2 id="flow">Protocol</h2>
        <p className="flow-what">between the carrier and the agent's server</p>
        <Button look="plain" disabled={passages.length === 0} onClick={onForget}>
          Clear
        </Button>
      </div>
      {passages.length === 0 ? (
        <p className="flow-empty">
          Requests, callbacks, Event Grid deliveries and media will be listed here once somebody
          rings.
        </p>
      ) : null}
      <ol
        ref={list}
        tabIndex={passages.length === 0 ? -1 : 0}
        aria-label="What passed"
        onScroll={({ currentTarget: at }) => {
          atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 40;
        }}
      >
        {passages.map((passage) => (
          <FlowItem key={passage.id} passage={passage} />
        ))}
      </ol>
    </section>
  );
}

function FlowItem({ passage }: { passage: Passage }) {
  return (
    <li data-kind={passage.kind} data-way={passage.way}>
      {passage.body === '' ? (
        <div className="passage">
          <PassageLine passage={passage} />
        </div>
      ) : (
        <details>
          <summary className="passage">
            <PassageLine passage={passage} />
          </summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
          <pre tabIndex={0}>{pretty(passage.body)}</pre>
        </details>
      )}
    </li>
  );
}

function PassageLine({ passage }: { passage: Passage }) {
  const Arrow = passage.way === 'to_carrier' ? ArrowLeft : ArrowRight;
  const took = passage.took_ms === null ? '' : `${Math.round(passage.took_ms)} ms`;
  return (
    <>
      <time className="passage-at">{clock(passage.at_ms)}</time>
      <Arrow size={16} role="img" aria-label={wayWord(passage)} />
      <span className="passage-kind">{kindWord(passage)}</span>
      <span className="passage-title">
        {passage.title}
        {passage.note === '' ? null : <span className="passage-note"> {passage.note}</span>}
      </span>
      <span className={isTrouble(passage) ? 'passage-status passage-poor' : 'passage-status'}>
        {outcome(passage)}
      </span>
      <span className="passage-took">{took}</span>
    </>
  );
}
