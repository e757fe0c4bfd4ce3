import { BellRing, Volume2, VolumeX } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../src/ui/Button';
import { useNow } from './hooks';
import type { Acted, LiveCall, Me, Wish } from './protocol.gen';
import { hashOf } from './route';
import { type LiveState, wishing } from './store';
import { useAct } from './useAct';
import { agentTitle, callerWords, lasting } from './words';

/** Callers who wait for a human, above whatever page is open. */
export function Ringing({ live, me }: { live: LiveState; me: Me }) {
  const rows = wishing(live.rows);
  const nowMs = useNow(rows.length > 0) + live.skewMs;
  const [aloud, setAloud] = useState(false);
  useBell(aloud && rows.length > 0);
  if (rows.length === 0) return null;
  return (
    <section className="ringing" aria-label="Callers who want a human" data-testid="ringing">
      {rows.map(({ row, wish }) => (
        <OneWish key={row.call.id} {...{ row, wish, nowMs, me }} />
      ))}
      <Button className="ringing-sound" aria-pressed={aloud} onClick={() => setAloud(!aloud)}>
        {aloud ? (
          <Volume2 size={16} aria-hidden="true" />
        ) : (
          <VolumeX size={16} aria-hidden="true" />
        )}
        Ring aloud
      </Button>
    </section>
  );
}

interface Props {
  row: LiveCall;
  wish: Wish;
  nowMs: number;
  me: Me;
}

function OneWish({ row, wish, nowMs, me }: Props) {
  const { doing, fault, act } = useAct(row.call.id, (_: Acted) => {});
  return (
    <div className="wish">
      <BellRing size={20} aria-hidden="true" />
      <div className="wish-words">
        <p className="wish-who" role="alert">
          {callerWords(row.call)} wants a human, with {agentTitle(me.agents, row.call.agent)}
        </p>
        <p className="wish-why">
          Waiting {lasting(nowMs - wish.since * 1_000)}
          {wish.reason === '' ? null : <q>{wish.reason}</q>}
        </p>
        {wish.reason === '' && wish.said.length > 0 ? (
          <ul className="wish-said">
            {wish.said.map((said, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one moment never change
              <li key={at}>{said}</li>
            ))}
          </ul>
        ) : null}
        {fault === null ? null : <p className="fault">{fault}</p>}
      </div>
      <div className="wish-row">
        <a
          className="button button-outline wish-go"
          href={hashOf({ page: 'call', id: row.call.id })}
        >
          Go to the call
        </a>
        <Button disabled={doing} onClick={() => void act({ type: 'decline' })}>
          Nobody can come
        </Button>
      </div>
    </div>
  );
}

const EVERY_MS = 3_000;

/** Two short tones, again and again. Off until somebody asks for it. */
function useBell(rings: boolean): void {
  const context = useRef<AudioContext | null>(null);
  useEffect(() => {
    if (!rings) return;
    context.current ??= new AudioContext();
    const bell = context.current;
    const strike = (): void => {
      for (const after of [0, 0.25]) tone(bell, bell.currentTime + after);
    };
    strike();
    const timer = setInterval(strike, EVERY_MS);
    return () => clearInterval(timer);
  }, [rings]);
  useEffect(() => () => void context.current?.close(), []);
}

function tone(context: AudioContext, at: number): void {
  const pitch = new OscillatorNode(context, { frequency: 660 });
  const loudness = new GainNode(context, { gain: 0 });
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(0.15, at + 0.02);
  loudness.gain.linearRampToValueAtTime(0, at + 0.2);
  pitch.connect(loudness).connect(context.destination);
  pitch.start(at);
  pitch.stop(at + 0.22);
}
