import { Ear, EarOff, PhoneForwarded, PhoneOff } from 'lucide-react';
import { type FormEvent, useId, useRef, useState } from 'react';
import { useKeys } from '../src/features/call/useKeys';
import { Button } from '../src/ui/Button';
import { type Acted, type CallDetail, type Deed, MAX_WORDS } from './protocol.gen';
import { TakingOver } from './TakingOver';
import { Unable } from './Unable';
import { useAct } from './useAct';
import { useEar } from './useEar';

interface Props {
  detail: CallDetail;
  acted: (action: Acted) => void;
}

/** What an operator may do to a live call. */
export function Actions({ detail, acted }: Props) {
  return (
    <section className="panel actions" aria-labelledby="actions">
      <h2 id="actions">Help or stop this call</h2>
      <Words {...{ detail, acted }} />
      <div className="actions-rest">
        <TakingOver detail={detail} />
        <Listening detail={detail} />
        <ToHuman {...{ detail, acted }} />
        <Ending {...{ detail, acted }} />
      </div>
    </section>
  );
}

const HOW = {
  whisper: { title: 'Whisper', hint: 'The agent acts on it; the caller does not hear it.' },
  say: { title: 'Have it said', hint: 'The agent says it to the caller, word for word.' },
} as const;

function Words({ detail, acted }: Props) {
  const [how, setHow] = useState<keyof typeof HOW>('whisper');
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const { doing, fault, act } = useAct(detail.call.id, acted);
  const taken = detail.actions.findLast(({ kind }) => kind === 'whisper' || kind === 'say');
  useKeys({ space: () => {}, escape: () => {}, slash: () => field.current?.focus() });
  const send = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    if (text.trim() !== '' && !doing && (await act({ type: how, text: text.trim() }))) setText('');
  };
  return (
    <form className="words" onSubmit={(event) => void send(event)}>
      <fieldset className="choice">
        <legend className="unseen">How</legend>
        {(Object.keys(HOW) as (keyof typeof HOW)[]).map((key) => (
          <label key={key} data-chosen={how === key}>
            <input
              type="radio"
              name="how"
              value={key}
              checked={how === key}
              onChange={() => setHow(key)}
            />
            {HOW[key].title}
          </label>
        ))}
      </fieldset>
      <textarea
        ref={field}
        aria-label={how === 'whisper' ? 'What to whisper' : 'What to have said'}
        rows={3}
        maxLength={MAX_WORDS}
        value={text}
        placeholder={
          how === 'whisper'
            ? 'Offer a refund of ten euros'
            : 'A colleague will ring you back today.'
        }
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send();
        }}
      />
      <div className="words-row">
        <p className="hint">{HOW[how].hint}</p>
        <Button type="submit" disabled={doing || text.trim() === ''}>
          {HOW[how].title}
        </Button>
      </div>
      {fault === null ? null : (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
      <p className="taken" role="status">
        {fault === null && taken !== undefined && taken.outcome === 'taken'
          ? `The agent has it: “${taken.text ?? ''}”`
          : ''}
      </p>
    </form>
  );
}

function Listening({ detail }: { detail: CallDetail }) {
  const ear = useEar(detail.call.id);
  const listening = ear.state !== 'off';
  if (detail.can?.listen.ok !== true)
    return (
      <Unable can={detail.can?.listen} icon={<Ear size={16} aria-hidden="true" />}>
        Listen in
      </Unable>
    );
  return (
    <div className="action">
      <Button aria-pressed={listening} onClick={listening ? ear.stop : ear.start}>
        {listening ? <EarOff size={16} aria-hidden="true" /> : <Ear size={16} aria-hidden="true" />}
        {listening ? 'Stop listening' : 'Listen in'}
      </Button>
      <p className="hint" role="status" data-testid="ear" data-state={ear.state}>
        {ear.words}
      </p>
    </div>
  );
}

function ToHuman({ detail, acted }: Props) {
  const { doing, fault, act } = useAct(detail.call.id, acted);
  const [chosen, setChosen] = useState<string | null>(null);
  const choice = useId();
  const icon = <PhoneForwarded size={16} aria-hidden="true" />;
  if (detail.can?.human.ok !== true)
    return (
      <Unable can={detail.can?.human} icon={icon}>
        Hand to a human
      </Unable>
    );
  const humans = detail.can.humans;
  const to = chosen ?? humans[0] ?? null;
  return (
    <div className="action">
      <Button disabled={doing} onClick={() => void act({ type: 'human', to })}>
        {icon}
        Hand to a human
      </Button>
      <div>
        {humans.length > 1 ? (
          <p>
            <label htmlFor={choice} className="unseen">
              To whom
            </label>
            <select
              id={choice}
              value={to ?? ''}
              onChange={(event) => setChosen(event.target.value)}
            >
              {humans.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </p>
        ) : null}
        <p className={fault === null ? 'hint' : 'fault'}>
          {fault ??
            (detail.takenBy === null
              ? 'The agent says so, and connects them.'
              : 'The caller goes at once: tell them before.')}
        </p>
      </div>
    </div>
  );
}

function Ending({ detail, acted }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { doing, fault, act } = useAct(detail.call.id, acted);
  const end = async (deed: Deed): Promise<void> => {
    if (await act(deed)) dialog.current?.close();
  };
  return (
    <div className="action action-end">
      <Button className="danger" onClick={() => dialog.current?.showModal()}>
        <PhoneOff size={16} aria-hidden="true" />
        End the call…
      </Button>
      <dialog ref={dialog} className="sure" aria-labelledby="sure">
        <h2 id="sure">End this call?</h2>
        <p>The caller will be gone. It cannot be undone, and it is recorded that you did it.</p>
        {fault === null ? null : (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        <div className="sure-row">
          <Button disabled={doing} className="danger" onClick={() => void end({ type: 'end' })}>
            Let the agent say goodbye
          </Button>
          <Button disabled={doing} className="danger" onClick={() => void end({ type: 'cut' })}>
            Cut it off now
          </Button>
          <Button look="plain" onClick={() => dialog.current?.close()}>
            Keep the call
          </Button>
        </div>
      </dialog>
    </div>
  );
}
