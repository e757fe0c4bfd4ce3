import { Phone, PhoneIncoming, PhoneOff, Plus } from 'lucide-react';
import { Button } from '../src/ui/Button';
import type { Desk } from './desk';
import { MAX_LINES } from './protocol.gen';
import type { Snapshot, Telephone } from './store';
import { headline, spaced } from './words';

/** Every telephone of the page; those that ring can be answered here, whichever is in the hand. */
export function Lines({ desk, now }: { desk: Desk; now: Snapshot }) {
  return (
    <ul className="lines" aria-label="Lines">
      {now.lines.map((telephone) => (
        <LineItem key={telephone.now.line} {...{ desk, now, telephone }} />
      ))}
      {now.lines.length > 0 && now.lines.length < MAX_LINES ? (
        <li className="lines-more">
          <Button look="plain" onClick={desk.addLine}>
            <Plus size={16} aria-hidden="true" />
            Add a line
          </Button>
        </li>
      ) : null}
    </ul>
  );
}

interface Props {
  desk: Desk;
  now: Snapshot;
  telephone: Telephone;
}

function LineItem({ desk, now, telephone }: Props) {
  const { line, number, state } = telephone.now;
  const rings = state === 'ringing';
  return (
    <li className="line" data-state={state}>
      <button
        type="button"
        className="line-choose"
        aria-pressed={now.selected === line}
        onClick={() => desk.select(line)}
      >
        <LineIcon state={state} />
        <span className="line-name">Line {line + 1}</span>
        <span className="line-number">{number === '' ? 'no number' : spaced(number)}</span>
        <span className="line-state">{headline(telephone, now)}</span>
      </button>
      {rings && now.selected !== line ? (
        <span className="line-ring">
          <Button onClick={() => desk.answer(line)}>Answer line {line + 1}</Button>
          <Button look="plain" onClick={() => desk.decline(line)}>
            Decline line {line + 1}
          </Button>
        </span>
      ) : null}
    </li>
  );
}

function LineIcon({ state }: { state: Telephone['now']['state'] }) {
  if (state === 'ringing') return <PhoneIncoming size={20} aria-hidden="true" />;
  if (state === 'unplugged') return <PhoneOff size={20} aria-hidden="true" />;
  return <Phone size={20} aria-hidden="true" />;
}
