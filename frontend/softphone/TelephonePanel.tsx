import { Mic, MicOff, Phone, PhoneOff } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Composer } from '../src/features/call/Composer';
import { LevelLine } from '../src/features/call/LevelLine';
import '../src/features/call/call.css';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import type { Desk } from './desk';
import { Keypad } from './Keypad';
import { NumberField } from './NumberField';
import { inUse, type Snapshot, type Telephone } from './store';
import { dialled, headline, lasting, spaced } from './words';

interface Props {
  desk: Desk;
  now: Snapshot;
  telephone: Telephone;
}

const IDLE = {
  you: 'Ring the agent, or wait to be rung.',
  human: 'A second person: the human whom the agent brings in.',
};

/** The telephone in the hand. */
export function TelephonePanel({ desk, now, telephone }: Props) {
  const { line, state } = telephone.now;
  const [number, setNumber] = useState(spaced(now.agentNumber));
  const field = useRef<HTMLInputElement>(null);
  const press = (key: string): void => {
    desk.press(line, key);
    if (!inUse(telephone)) setNumber((typed) => `${typed}${key}`);
  };
  return (
    <div className="telephone">
      <NumberField
        key={telephone.now.number}
        number={telephone.now.number}
        disabled={inUse(telephone)}
        onClaim={(wanted) => desk.claim(line, wanted)}
      />
      {telephone.trouble === null ? null : (
        <Note tone="trouble" title="That cannot be">
          {telephone.trouble}
        </Note>
      )}
      <Display {...{ now, telephone, desk }} />
      <div className="slot">
        {inUse(telephone) ? null : (
          <Dialler {...{ number, setNumber }} onDial={(to) => desk.dial(line, to)} />
        )}
        {state === 'talking' ? (
          <div className="say">
            <p className="slot-label">Speak, or have the local voice speak for you</p>
            <Composer
              field={field}
              placeholder="Type what to say"
              disabled={false}
              onSay={(text) => desk.say(line, text)}
            />
          </div>
        ) : null}
      </div>
      <Actions {...{ desk, now, telephone }} />
      <Keypad onPress={press} disabled={state === 'unplugged'} />
      {state === 'talking' && now.microphone === 'denied' ? (
        <Note tone="quiet" title="No microphone">
          The browser gives none. Type what to say, or mute and unmute to ask again.
        </Note>
      ) : null}
    </div>
  );
}

/** How the call stands, and both voices. */
function Display({ desk, now, telephone }: Props) {
  const { line, state, other, text } = telephone.now;
  const talking = state === 'talking';
  return (
    <div className="display" data-state={state} data-held={telephone.now.held}>
      <p className="display-head" role="status">
        {headline(telephone, now)}
      </p>
      <p className="display-more">
        {state === 'ended' ? text : null}
        {state === 'unplugged' ? text || 'Choose a number to be rung on.' : null}
        {inUse(telephone) ? (
          <>
            {spaced(other)} · <Elapsed since={telephone.since} />
          </>
        ) : null}
        {state === 'idle' ? IDLE[line === 1 ? 'human' : 'you'] : null}
      </p>
      <div className="display-voices" aria-hidden="true">
        <span className="voice-other">
          <LevelLine level={() => desk.levels.other} cuts={0} live={talking} />
        </span>
        <span className="voice-you">
          <LevelLine level={() => desk.levels.you} cuts={0} live={talking} />
        </span>
      </div>
    </div>
  );
}

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return <time className="elapsed">{lasting(now - since)}</time>;
}

interface DiallerProps {
  number: string;
  setNumber: (number: string) => void;
  onDial: (number: string) => void;
}

function Dialler({ number, setNumber, onDial }: DiallerProps) {
  const to = dialled(number);
  return (
    <form
      className="dialler"
      onSubmit={(event) => {
        event.preventDefault();
        if (to !== null) onDial(to);
      }}
    >
      <label htmlFor="dial">Number to ring</label>
      <input
        id="dial"
        type="tel"
        value={number}
        maxLength={32}
        autoComplete="off"
        onChange={(event) => setNumber(event.target.value)}
      />
      <Button type="submit" look="primary" disabled={to === null}>
        <Phone size={24} aria-hidden="true" />
        Call
      </Button>
    </form>
  );
}

function Actions({ desk, now, telephone }: Props) {
  const { line, state } = telephone.now;
  const MuteIcon = now.muted ? MicOff : Mic;
  return (
    <div className="actions">
      {state === 'ringing' ? (
        <>
          <Button look="primary" onClick={() => desk.answer(line)}>
            <Phone size={24} aria-hidden="true" />
            Answer
          </Button>
          <Button className="end" onClick={() => desk.decline(line)}>
            Decline
          </Button>
        </>
      ) : null}
      {state === 'calling' || state === 'talking' ? (
        <Button className="end" onClick={() => desk.hangUp(line)}>
          <PhoneOff size={20} aria-hidden="true" />
          Hang up
        </Button>
      ) : null}
      <Button className="mute" aria-pressed={now.muted} onClick={() => desk.mute(!now.muted)}>
        <MuteIcon size={20} aria-hidden="true" />
        {now.muted ? 'Muted' : 'Mute'}
      </Button>
    </div>
  );
}
