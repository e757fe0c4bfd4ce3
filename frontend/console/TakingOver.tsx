import { Mic, MicOff, Undo2, UserRound } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Button } from '../src/ui/Button';
import { type CallDetail, MAX_WORDS } from './protocol.gen';
import { Unable } from './Unable';
import { type DeskNow, useDesk } from './useDesk';

/** This operator's microphone in the agent's place. */
export function TakingOver({ detail }: { detail: CallDetail }) {
  const desk = useDesk(detail.call.id);
  const icon = <UserRound size={16} aria-hidden="true" />;
  if (desk.state === 'talking' || desk.state === 'private') return <Talking desk={desk} />;
  const { takenBy, can } = detail;
  const why = takenBy === null ? (can?.takeOver.why ?? null) : `This call is with ${takenBy}.`;
  if (can === null || (why !== null && (takenBy !== null || !MAY_CHANGE.test(why))))
    return (
      <Unable can={{ ok: false, why }} icon={icon}>
        Take over
      </Unable>
    );
  return (
    <div className="action">
      <Button disabled={desk.state === 'opening'} onClick={desk.take}>
        {icon}
        Take over
      </Button>
      <p className={desk.fault === null ? 'hint' : 'fault'} role="status">
        {desk.fault ??
          (desk.state === 'opening'
            ? 'Asking for the microphone…'
            : 'You speak with the caller in the agent’s place. The caller is told.')}
      </p>
    </div>
  );
}

/** Who had the call when this page was opened may have given it back since. */
const MAY_CHANGE = /^This call is with /;

function Talking({ desk }: { desk: DeskNow }) {
  const [summary, setSummary] = useState('');
  useSpace(() => desk.mute(!desk.muted));
  const handBack = (event: FormEvent): void => {
    event.preventDefault();
    desk.handBack(summary);
  };
  const share = desk.muted ? 0 : Math.min(1, desk.level * 6);
  return (
    <form className="desk" onSubmit={handBack} data-testid="desk" data-state={desk.state}>
      <p className="desk-title" role="status">
        <Mic size={20} aria-hidden="true" />
        {desk.muted ? 'You are muted' : 'You are talking to the caller'}
      </p>
      <div className="desk-level" aria-hidden="true">
        <span style={{ inlineSize: `${Math.round(share * 100)}%` }} />
      </div>
      <p className="hint">
        {desk.state === 'private'
          ? 'The caller keys something private: you hear nothing until that is over.'
          : 'The agent is silent and keeps listening. The caller’s words are written down, yours are not.'}
      </p>
      <label className="desk-summary">
        What the agent should know (optional)
        <textarea
          rows={2}
          maxLength={MAX_WORDS}
          value={summary}
          placeholder="We agreed on a refund of ten euros."
          onChange={(event) => setSummary(event.target.value)}
        />
      </label>
      <div className="desk-row">
        <Button aria-pressed={desk.muted} onClick={() => desk.mute(!desk.muted)}>
          {desk.muted ? (
            <MicOff size={16} aria-hidden="true" />
          ) : (
            <Mic size={16} aria-hidden="true" />
          )}
          {desk.muted ? 'Unmute' : 'Mute'}
        </Button>
        <Button type="submit" className="desk-back">
          <Undo2 size={16} aria-hidden="true" />
          Hand back to the agent
        </Button>
      </div>
    </form>
  );
}

/** The space bar, except where somebody types or presses what has the focus. Before other keys of the
 * page, which have no use for it. */
function useSpace(act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const target = event.target instanceof Element ? event.target : null;
      const busy = target?.closest('input, textarea, select, button, summary, a, dialog') ?? null;
      if (event.key !== ' ' || event.repeat || busy !== null) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener('keydown', press, true);
    return () => document.removeEventListener('keydown', press, true);
  }, []);
}
