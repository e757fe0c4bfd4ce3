import { useSyncExternalStore } from 'react';
import { useKeys } from '../src/features/call/useKeys';
import { Note } from '../src/ui/Note';
import type { Desk } from './desk';
import { FlowList } from './FlowList';
import { HeardList } from './HeardList';
import { Lines } from './Lines';
import { inUse } from './store';
import { TelephonePanel } from './TelephonePanel';
import { spaced } from './words';

export function App({ desk }: { desk: Desk }) {
  const now = useSyncExternalStore(desk.store.subscribe, desk.store.snapshot);
  const telephone = now.lines[now.selected];
  useKeys({
    space: () => desk.mute(!now.muted),
    escape: () => {
      if (inUse(telephone)) desk.hangUp(now.selected);
    },
    slash: () => document.querySelector<HTMLInputElement>('.say input')?.focus(),
  });
  return (
    <div className="phones">
      <header className="phones-bar">
        <h1>Softphone</h1>
        <p className="phones-where">
          Local carrier{now.agentNumber === '' ? '' : ` · the agent is ${spaced(now.agentNumber)}`}
        </p>
      </header>
      <main className="phones-main">
        <section className="phones-hand" aria-label="Telephones">
          {now.link === 'lost' ? (
            <Note tone="trouble" title="The local cloud does not answer">
              Calls of this page have ended. It comes back by itself once make run runs again.
            </Note>
          ) : null}
          <Lines {...{ desk, now }} />
          {telephone === undefined ? null : (
            <TelephonePanel key={now.selected} {...{ desk, now, telephone }} />
          )}
        </section>
        <HeardList telephone={telephone} />
        <FlowList passages={now.passages} onForget={desk.forgetPassages} />
      </main>
    </div>
  );
}
