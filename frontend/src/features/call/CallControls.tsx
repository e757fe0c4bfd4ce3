import { Mic, MicOff, PhoneOff, UserRound } from 'lucide-react';
import { Button } from '../../ui/Button';
import type { Snapshot } from '../../voice/session';

interface Props {
  snapshot: Snapshot;
  onMute: (muted: boolean) => void;
  onListen: () => void;
}

/** Mute, while there is something to mute; else the way to a microphone. */
export function MuteButton({ snapshot, onMute, onListen }: Props) {
  const { microphone, muted } = snapshot;
  const opening = microphone === 'opening';
  if (microphone !== 'on' && !opening)
    return (
      <Button className="mute" onClick={onListen}>
        <Mic size={20} aria-hidden="true" />
        Use microphone
      </Button>
    );
  return (
    <Button className="mute" disabled={opening} aria-pressed={muted} onClick={() => onMute(!muted)}>
      {muted ? <MicOff size={20} aria-hidden="true" /> : <Mic size={20} aria-hidden="true" />}
      {muted ? 'Unmute' : 'Mute'}
    </Button>
  );
}

interface HumanProps {
  snapshot: Snapshot;
  onAsk: () => void;
  onWithdraw: () => void;
}

/** Asks for a human; the agent answers whether one can be had. Once pressed it keeps the focus. */
export function HumanButton({ snapshot, onAsk, onWithdraw }: HumanProps) {
  const { phase, humanAsked, person } = snapshot;
  const rings = person === 'ringing';
  return (
    <Button
      className="human"
      disabled={phase !== 'live'}
      aria-disabled={person === 'here' || (humanAsked && !rings)}
      onClick={person === 'here' ? undefined : rings ? onWithdraw : onAsk}
    >
      <UserRound size={16} aria-hidden="true" />
      {PERSON_WORDS[person]}
    </Button>
  );
}

const PERSON_WORDS: Readonly<Record<Snapshot['person'], string>> = {
  none: 'Speak to a human',
  ringing: 'Calling a person… Stop',
  here: 'A person is here',
};

export function EndButton({ onEnd }: { onEnd: () => void }) {
  return (
    <Button className="end" onClick={onEnd}>
      <PhoneOff size={20} aria-hidden="true" />
      End
    </Button>
  );
}
