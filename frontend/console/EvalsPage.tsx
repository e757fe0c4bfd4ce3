import { FlaskConical } from 'lucide-react';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import './evals.css';
import { byWord } from './evals';
import { useAsked, useTitle } from './hooks';
import { moveAmong } from './LivePage';
import type { EvalRun, EvalRuns } from './protocol.gen';
import { hashOf } from './route';
import { count, lasting, when } from './words';

/** The runs of `switchboard eval --store`, the newest first. */
export function EvalsPage() {
  useTitle('Evaluations');
  const { asked, again } = useAsked<EvalRuns>('/evals');
  return (
    <main className="page-evals" aria-busy={asked.state === 'asking'}>
      <h1 className="unseen">Evaluations</h1>
      {asked.state === 'refused' ? (
        <Note
          tone="trouble"
          title="Evaluations cannot be shown"
          actions={<Button onClick={again}>Try again</Button>}
        >
          {asked.refused.message}
        </Note>
      ) : null}
      {asked.state === 'asking' ? <div className="rows-waiting" data-testid="waiting" /> : null}
      {asked.state === 'here' ? <Runs runs={asked.value.runs} /> : null}
    </main>
  );
}

function Runs({ runs }: { runs: readonly EvalRun[] }) {
  const nowMs = Date.now();
  if (runs.length === 0)
    return (
      <div className="empty">
        <FlaskConical size={32} aria-hidden="true" />
        <p className="empty-title">No evaluations yet</p>
        <p>
          <code>switchboard eval --store</code> holds conversations with the agents, judges them,
          and keeps the run here.
        </p>
      </div>
    );
  return (
    <section className="rows rows-evals" aria-label={count(runs.length, 'evaluation')}>
      <div className="row row-head" aria-hidden="true">
        <span>When</span>
        <span>Passed</span>
        <span>Channel</span>
        <span className="number">Seed</span>
        <span className="number">Took</span>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrows move among the links within */}
      <div className="rows-list" onKeyDown={moveAmong}>
        {runs.map((run) => (
          <a
            key={run.id}
            className="row"
            href={hashOf({ page: 'eval', id: run.id })}
            data-testid="run"
            data-need={run.passed === run.conversations ? 'none' : 'trouble'}
          >
            <span className="row-when">{when(run.beganAt, nowMs)}</span>
            <span className={run.passed === run.conversations ? 'tone-good' : 'tone-poor'}>
              {run.passed} of {run.conversations} passed
            </span>
            <span>{byWord(run.by)}</span>
            <span className="number">
              <span className="narrow-word">seed </span>
              {run.seed}
            </span>
            <span className="number">{lasting(run.tookS * 1_000)}</span>
          </a>
        ))}
      </div>
    </section>
  );
}
