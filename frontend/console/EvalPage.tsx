import { ArrowLeft, Check, ChevronDown, Download, X } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import { fetchFile } from './api';
import './evals.css';
import { byWord, figureWord, intervalWord, judgesOf, nameOf, verdictOf } from './evals';
import { asRefused, useAsked, useTitle } from './hooks';
import { AgentDot } from './LivePage';
import type { EvalDetail, EvalFigure, EvalResult, EvalRun, Me } from './protocol.gen';
import { hashOf } from './route';
import { agentTitle, count, lasting, when } from './words';

/** One run: its figures, each failure to be read, and what every judge said. */
export function EvalPage({ id, me }: { id: string; me: Me }) {
  useTitle('Evaluation');
  const { asked, again } = useAsked<EvalDetail>(`/evals/${id}`);
  return (
    <main className="page-eval" aria-busy={asked.state === 'asking'}>
      {asked.state === 'refused' ? (
        <>
          <h1 className="unseen">Evaluation</h1>
          <Note
            tone="trouble"
            title={asked.refused.status === 404 ? 'There is no such run' : 'It cannot be shown'}
            actions={<Button onClick={again}>Try again</Button>}
          >
            {asked.refused.message}
          </Note>
        </>
      ) : null}
      {asked.state === 'asking' ? <div className="rows-waiting" data-testid="waiting" /> : null}
      {asked.state === 'here' ? <Detail detail={asked.value} me={me} /> : null}
    </main>
  );
}

function Detail({ detail, me }: { detail: EvalDetail; me: Me }) {
  const { run, figures, results } = detail;
  const failed = results.filter(({ passed }) => !passed);
  return (
    <>
      <Head run={run} />
      <Figures figures={figures} />
      <section className="panel" aria-labelledby="eval-failures">
        <h2 id="eval-failures">
          {failed.length === 0 ? 'No failures' : count(failed.length, 'failure')}
        </h2>
        {failed.map((result) => (
          <Failure
            key={`${result.id} ${result.repetition}`}
            result={result}
            name={nameOf(result, run.repeat)}
            me={me}
          />
        ))}
      </section>
      <Verdicts results={results} repeat={run.repeat} />
    </>
  );
}

function Head({ run }: { run: EvalRun }) {
  const about = [
    when(run.beganAt, Date.now()),
    byWord(run.by),
    `seed ${run.seed}`,
    run.repeat === 1 ? null : `each held ${run.repeat} times`,
    `took ${lasting(run.tookS * 1_000)}`,
  ];
  return (
    <div className="call-head">
      <a className="back" href={hashOf({ page: 'evals' })}>
        <ArrowLeft size={16} aria-hidden="true" />
        Evaluations
      </a>
      <h1>
        {run.passed} of {run.conversations} passed
      </h1>
      <p className="call-what">{about.filter((each) => each !== null).join(' · ')}</p>
      {run.hasPage ? <SavePage id={run.id} /> : null}
    </div>
  );
}

/** The run's own page is a file to be kept: it has sound and styles that this server would not run. */
function SavePage({ id }: { id: string }) {
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    setFault(null);
    try {
      const page = await fetchFile(`/evals/${id}/page`, AbortSignal.timeout(60_000));
      const url = URL.createObjectURL(page);
      const link = document.createElement('a');
      link.href = url;
      link.download = `evaluation-${id}.html`;
      link.click();
      // The download has begun once the click is done; the next task may let go of it.
      setTimeout(() => URL.revokeObjectURL(url), 1_000);
    } catch (error) {
      setFault(asRefused(error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="eval-save">
      <Button onClick={save} disabled={busy}>
        <Download size={20} aria-hidden="true" />
        Save the whole report
      </Button>
      {fault === null ? null : (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}

function Figures({ figures }: { figures: readonly EvalFigure[] }) {
  return (
    <ul className="figures" aria-label="Figures, with their 95 % intervals">
      {figures.map((figure) => (
        <li key={figure.name} className="figure" data-testid="figure">
          <span className="figure-value">{figureWord(figure.value, figure.unit)}</span>{' '}
          <span className="figure-what">{figure.name}</span>
          <span className="figure-what eval-interval">{intervalWord(figure)}</span>
        </li>
      ))}
    </ul>
  );
}

function Failure({ result, name, me }: { result: EvalResult; name: string; me: Me }) {
  const wrong = result.verdicts.filter(({ passed }) => !passed);
  return (
    <details className="eval-failure" data-testid="failure">
      <summary>
        <span className="eval-title">{result.scenario}</span>
        <span className="quiet">
          <AgentDot me={me} agent={result.agent} /> {agentTitle(me.agents, result.agent)} · {name}
        </span>
        <ChevronDown className="eval-chevron" size={16} aria-hidden="true" />
      </summary>
      <ul className="eval-reasons" aria-label="Why it failed">
        {wrong.map(({ judge, text }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they never move
          <li key={at}>
            <strong>{judge}</strong>: {text}
          </li>
        ))}
      </ul>
      <Said result={result} />
      <p className="hint">
        {count(result.turns, 'turn')} of the caller in {result.seconds.toFixed(1)} s; ended by{' '}
        {result.ended ?? 'nobody'}.
      </p>
    </details>
  );
}

interface Entry {
  readonly atMs: number;
  readonly who: string;
  readonly text: string;
}

function Said({ result }: { result: EvalResult }) {
  const lines: Entry[] = result.lines.map(({ atMs, speaker, text, cut }) => ({
    atMs,
    who: speaker,
    text: cut ? `${text} …` : text,
  }));
  const tools: Entry[] = result.tools.map(({ atMs, name, arguments: given, state }) => ({
    atMs,
    who: 'tool',
    text: `${name} ${JSON.stringify(given)} → ${state}`,
  }));
  const entries = [...lines, ...tools].sort((one, other) => one.atMs - other.atMs);
  return (
    <ol className="eval-said" aria-label="What was said and done">
      {entries.map(({ atMs, who, text }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they never move
        <li key={at} data-who={who} data-testid="said">
          <span className="quiet eval-at">{(atMs / 1_000).toFixed(1)} s</span>
          <span className="eval-who">{who}</span>
          <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}

/** Every conversation, and what each judge said of it. */
function Verdicts({ results, repeat }: { results: readonly EvalResult[]; repeat: number }) {
  const judges = judgesOf(results);
  return (
    <section className="panel" aria-labelledby="eval-all">
      <h2 id="eval-all">All conversations</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard */}
      <div className="eval-wide" tabIndex={0}>
        <table className="wide-table eval-table">
          <thead>
            <tr>
              <th scope="col">Scenario</th>
              <th scope="col">Verdict</th>
              {judges.map((judge) => (
                <th key={judge} scope="col" className="eval-mark">
                  {judge}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {results.map((result) => (
              <tr key={`${result.id} ${result.repetition}`} data-testid="result">
                <th scope="row">
                  {result.scenario}
                  <span className="quiet eval-id">{nameOf(result, repeat)}</span>
                </th>
                <td className={result.passed ? 'tone-good' : 'tone-poor'}>
                  {result.passed ? 'passed' : 'failed'}
                </td>
                {judges.map((judge) => (
                  <td key={judge} className="eval-mark">
                    <Mark verdict={verdictOf(result, judge)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Mark({ verdict }: { verdict: boolean | null }) {
  if (verdict === null) return null;
  const Icon = verdict ? Check : X;
  return (
    <span className={verdict ? 'tone-good' : 'tone-poor'}>
      <Icon size={16} aria-hidden="true" />
      <span className="unseen">{verdict ? 'passed' : 'failed'}</span>
    </span>
  );
}
