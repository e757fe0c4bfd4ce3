import { Pause, Play } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { Button } from '../src/ui/Button';
import type { Sound } from './useSound';
import { lasting } from './words';

export interface ReplayState {
  /** Where the play head stands; `null` while nothing is replayed. */
  readonly atMs: number | null;
  readonly playing: boolean;
  readonly speed: number;
  readonly seek: (ms: number) => void;
  readonly toggle: () => void;
  readonly faster: () => void;
  readonly leave: () => void;
}

const SPEEDS: readonly number[] = [1, 2, 4, 8];

/** How far sound and clock may part before the sound is moved. */
const APART_S = 0.25;

/** A clock over a past call: as it went, or faster. Where there is sound, it is heard along. */
export function useReplay(lengthMs: number, sound: Sound): ReplayState {
  const [atMs, setAt] = useState<number | null>(null);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(sound.state === 'none' ? 2 : 1);
  const waits = playing && sound.state === 'fetching';
  useEffect(() => {
    if (!playing || waits) return;
    let last = performance.now();
    let frame = requestAnimationFrame(function step(now: number) {
      const passed = (now - last) * speed;
      last = now;
      setAt((at) => Math.min(lengthMs, (at ?? 0) + passed));
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, waits, speed, lengthMs]);
  useEffect(() => follow(sound, playing ? atMs : null, speed), [sound, playing, atMs, speed]);
  useEffect(() => {
    if (atMs !== null && atMs >= lengthMs) setPlaying(false);
  }, [atMs, lengthMs]);
  const { want } = sound;
  const toggle = useCallback(() => {
    if (!playing) want();
    setAt((at) => (at === null || at >= lengthMs ? 0 : at));
    setPlaying((now) => !now);
  }, [lengthMs, playing, want]);
  const faster = useCallback(
    () => setSpeed((now) => SPEEDS[(SPEEDS.indexOf(now) + 1) % SPEEDS.length] ?? 1),
    [],
  );
  const leave = useCallback(() => {
    setPlaying(false);
    setAt(null);
  }, []);
  return { atMs, playing, speed, seek: setAt, toggle, faster, leave };
}

/** Have the sound where the play head is; silent where that stands still, or nothing was recorded. */
function follow({ element, atMs: beginMs }: Sound, headMs: number | null, speed: number): void {
  if (element === null) return;
  const wanted = headMs === null ? -1 : (headMs - beginMs) / 1_000;
  if (wanted < 0 || wanted >= element.duration) {
    element.pause();
    return;
  }
  element.playbackRate = speed;
  if (Math.abs(element.currentTime - wanted) > APART_S * speed) element.currentTime = wanted;
  if (element.paused) void element.play().catch(() => undefined);
}

interface Props {
  replay: ReplayState;
  sound: Sound;
  lengthMs: number;
}

export function Replay({ replay, sound, lengthMs }: Props) {
  const { atMs, playing } = replay;
  return (
    <div className="replay" data-testid="replay" data-sound={sound.state}>
      <Button onClick={replay.toggle}>
        {playing ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
        {playing ? 'Pause' : sound.state === 'none' ? 'Replay' : 'Replay with sound'}
      </Button>
      <input
        type="range"
        aria-label="Where in the call"
        min={0}
        max={Math.round(lengthMs)}
        step={500}
        value={Math.round(atMs ?? 0)}
        aria-valuetext={lasting(atMs ?? 0)}
        onChange={(event) => replay.seek(Number(event.target.value))}
      />
      <span className="replay-at">
        {lasting(atMs ?? 0)} of {lasting(lengthMs)}
      </span>
      <Button look="plain" aria-label={`Speed, now ${replay.speed} times`} onClick={replay.faster}>
        {replay.speed}×
      </Button>
      {sound.state === 'fetching' ? <span className="replay-at">Fetching the sound…</span> : null}
      {sound.fault === null ? null : (
        <span className="fault" role="alert">
          No sound. {sound.fault}
        </span>
      )}
      {atMs === null ? null : (
        <Button look="plain" onClick={replay.leave}>
          Show all
        </Button>
      )}
    </div>
  );
}
