import { CircleCheck, CircleHelp, CircleMinus, CircleX, LoaderCircle, Webhook } from 'lucide-react';
import { facts } from '../src/features/tools/facts';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import './after.css';
import type { After, Delivery, Field, Goal } from './protocol.gen';
import { useAfter } from './useAfter';
import { count, deliveryWords, type GoalOutcome, goalTone, goalWord, money, named } from './words';

/** What a past call came to: for whoever must understand it in a minute. */
export function AfterPanel({ id }: { id: string }) {
  const { after, refused, fault, doing, tellAgain, again } = useAfter(id);
  if (refused !== null)
    return (
      <Note
        tone="trouble"
        title="What it came to cannot be shown"
        actions={<Button onClick={again}>Try again</Button>}
      >
        {refused.message}
      </Note>
    );
  if (after === null || after.state === 'none') return null;
  return (
    <section
      className="panel after"
      aria-labelledby="in-short"
      data-testid="after"
      data-state={after.state}
    >
      <h2 id="in-short">In short</h2>
      <Body after={after} />
      {after.deliveries.map((delivery) => (
        <Told key={delivery.id} {...{ delivery, doing, tellAgain }} />
      ))}
      {fault === null ? null : (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
    </section>
  );
}

function Body({ after }: { after: After }) {
  if (after.state === 'waiting' || after.state === 'working')
    return (
      <p className="after-waiting" role="status">
        <LoaderCircle size={16} aria-hidden="true" />
        {after.error === null
          ? 'The call is being read. What it came to will stand here in a moment.'
          : `Not yet: ${after.error} It is tried again by itself.`}
      </p>
    );
  if (after.state === 'failed')
    return (
      <p className="after-failed">
        <CircleX size={16} aria-hidden="true" />
        <span>What it came to could not be found out. {after.error}</span>
      </p>
    );
  return (
    <>
      {after.summary === null ? null : <p className="after-summary">{after.summary}</p>}
      <div className="after-parts">
        {after.goals.length === 0 ? null : <Goals {...after} />}
        {after.fields.length === 0 ? null : <Fields fields={after.fields} />}
      </div>
      <p className="hint">
        Read by {after.model ?? 'a model'} from the record: {count(after.tokens, 'token')},{' '}
        {after.costUsd === null ? 'no price known' : money(after.costUsd)}, beside those of the
        call.
      </p>
    </>
  );
}

function Goals({ goals, outcome }: Pick<After, 'goals' | 'outcome'>) {
  return (
    <div>
      <h3>
        Goals
        {outcome === null ? null : (
          <span className={`after-outcome tone-${goalTone(outcome)}`} data-testid="goals">
            {goalWord(outcome)}
          </span>
        )}
      </h3>
      <ul className="after-goals">
        {goals.map((goal) => (
          <OneGoal key={goal.id} goal={goal} />
        ))}
      </ul>
    </div>
  );
}

function OneGoal({ goal }: { goal: Goal }) {
  return (
    <li className={`tone-${goalTone(goal.outcome)}`}>
      <GoalIcon outcome={goal.outcome} />
      <span>
        <span className="after-goal">
          {named(goal.id)}: {goalWord(goal.outcome).toLowerCase()}
        </span>
        <span className="after-reason">{goal.reason}</span>
      </span>
    </li>
  );
}

function GoalIcon({ outcome }: { outcome: GoalOutcome }) {
  const Icon = {
    achieved: CircleCheck,
    partly: CircleMinus,
    not_achieved: CircleX,
    unknown: CircleHelp,
  }[outcome];
  return <Icon size={16} aria-hidden="true" />;
}

function Fields({ fields }: { fields: readonly Field[] }) {
  return (
    <div>
      <h3>Taken from the call</h3>
      <table className="after-fields">
        <tbody>
          {fields.map(({ name, value }) => (
            <tr key={name}>
              <th scope="row">{named(name)}</th>
              <td>
                {value === null ? <span className="after-unsaid">not said</span> : said(value)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function said(value: unknown): string {
  const rows = facts(value);
  if (rows.length === 1 && rows[0]?.name === 'Value') return rows[0].value;
  return rows.map((row) => `${row.name}: ${row.value}`).join('; ');
}

interface ToldProps {
  delivery: Delivery;
  doing: boolean;
  tellAgain: () => void;
}

function Told({ delivery, doing, tellAgain }: ToldProps) {
  const over = delivery.state === 'stopped' || delivery.state === 'given_up';
  const again = over || (delivery.state === 'waiting' && delivery.attempts > 0);
  return (
    <div className="after-told" data-testid="webhook" data-state={delivery.state}>
      <Webhook size={16} aria-hidden="true" />
      <span className={over ? 'tone-poor' : ''}>{deliveryWords(delivery)}</span>
      {again ? (
        <Button disabled={doing} onClick={tellAgain}>
          {doing ? 'Sending…' : 'Try again'}
        </Button>
      ) : null}
    </div>
  );
}
