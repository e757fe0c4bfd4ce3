import { PhoneCall, X } from 'lucide-react';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { Button } from '../../ui/Button';
import { Note } from '../../ui/Note';
import type { AgentChoice } from '../../voice/protocol.gen';
import type { Ringer, Ringing } from './ringing';
import { ringWords } from './words';

interface Props {
  agent: AgentChoice;
  ringer: Ringer;
  ringing: Ringing;
  open: boolean;
  onClose: () => void;
}

/** Where one types a number and sees what becomes of it. */
export function CallMe({ agent, ringer, ringing, open, onClose }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (open) box.current?.showModal();
    else box.current?.close();
  }, [open]);
  return (
    <dialog ref={box} className="call-me" aria-labelledby={titleId} onClose={onClose}>
      {open ? (
        <>
          <div className="call-me-head">
            <h2 id={titleId}>Have {agent.title} ring you</h2>
            <Button look="plain" className="call-me-close" onClick={onClose}>
              <X size={20} aria-hidden="true" />
              Close
            </Button>
          </div>
          <NumberForm {...{ agent, ringer, ringing }} />
        </>
      ) : null}
    </dialog>
  );
}

type FormProps = Pick<Props, 'agent' | 'ringer' | 'ringing'>;

function NumberForm({ agent, ringer, ringing }: FormProps) {
  const [number, setNumber] = useState('');
  const id = useId();
  const busy = ringing.phase === 'asking' || ringing.phase === 'under_way';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void ringer.call(number, agent.id);
  };
  return (
    <form className="call-me-form" onSubmit={submit} noValidate>
      <div className="call-me-field">
        <label htmlFor={id}>Your telephone number</label>
        <input
          id={id}
          type="tel"
          autoComplete="tel"
          inputMode="tel"
          maxLength={40}
          value={number}
          readOnly={busy}
          onChange={(event) => setNumber(event.target.value)}
          aria-describedby={`${id}-hint`}
          aria-invalid={ringing.trouble === null ? undefined : true}
        />
        <p id={`${id}-hint`} className="call-me-hint">
          With its country, such as +44 20 7946 0018. It is rung at once, and only this once.
        </p>
      </div>
      <Button type="submit" className="call-me-go" aria-disabled={busy}>
        <PhoneCall size={20} aria-hidden="true" />
        {ringing.phase === 'over' ? 'Ring me again' : 'Ring me'}
      </Button>
      <Outcome {...{ agent, ringing }} />
    </form>
  );
}

/** Last, so that nothing above it moves when there is something to tell. */
function Outcome({ agent, ringing }: Pick<Props, 'agent' | 'ringing'>) {
  const words = ringWords(ringing, agent.title);
  return (
    <div className="call-me-outcome">
      {ringing.trouble === null ? null : (
        <Note tone="trouble" title="Nobody is rung">
          {ringing.trouble}
        </Note>
      )}
      <div role="status" data-testid="ringing" data-state={ringing.state ?? ringing.phase}>
        {words === null ? null : (
          <>
            <p className="call-me-title">{words.title}</p>
            <p className="call-me-text">
              {ringing.stale ? 'The server has not answered for a moment. ' : ''}
              {words.text}
            </p>
          </>
        )}
      </div>
    </div>
  );
}
