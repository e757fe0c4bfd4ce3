import { Pause, Play } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { Button } from '../src/ui/Button';
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

/** A clock over a past call: as it went, or faster. There is no sound. */
export function useReplay(lengthMs: number): ReplayState {
  const [atMs, setAt] = useState<number | null>(null);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(2);
  useEffect(() => {
    if (!playing) return;
    let last = performance.now();
    let frame = requestAnimationFrame(function step(now: number) {
      const passed = (now - last) * speed;
      last = now;
      setAt((at) => Math.min(lengthMs, (at ?? 0) + passed));
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, speed, lengthMs]);
  useEffect(() => {
    if (atMs !== null && atMs >= lengthMs) setPlaying(false);
  }, [atMs, lengthMs]);
  const toggle = useCallback(() => {
    setAt((at) => (at === null || at >= lengthMs ? 0 : at));
    setPlaying((now) => !now);
  }, [lengthMs]);
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

export function Replay({ replay, lengthMs }: { replay: ReplayState; lengthMs: number }) {
  const { atMs, playing } = replay;
  return (
    <div className="replay">
      <Button onClick={replay.toggle}>
        {playing ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
        {playing ? 'Pause' : 'Replay'}
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
      {atMs === null ? null : (
        <Button look="plain" onClick={replay.leave}>
          Show all
        </Button>
      )}
    </div>
  );
}
