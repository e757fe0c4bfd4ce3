/** Hooks that the console's pages share. */
import {
  type RefObject,
  useCallback,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { ask, Refused } from './api';
import { hashOf, type Route, routeOf } from './route';

export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (listener) => {
      addEventListener('hashchange', listener);
      return () => removeEventListener('hashchange', listener);
    },
    () => location.hash,
  );
  return routeOf(hash);
}

export function goTo(route: Route, how: 'push' | 'replace' = 'push'): void {
  const hash = hashOf(route);
  if (hash === location.hash) return;
  if (how === 'push') location.hash = hash;
  else {
    history.replaceState(null, '', hash);
    dispatchEvent(new HashChangeEvent('hashchange'));
  }
}

export type Asked<T> =
  | { readonly state: 'asking'; readonly kept: T | null }
  | { readonly state: 'here'; readonly value: T }
  | { readonly state: 'refused'; readonly refused: Refused };

/** What the server says at `path`; asked anew when that changes, and by `again`. */
export function useAsked<T>(path: string): { asked: Asked<T>; again: () => void } {
  const [asked, setAsked] = useState<Asked<T>>({ state: 'asking', kept: null });
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks anew
  useEffect(() => {
    const life = new AbortController();
    setAsked((now) => ({ state: 'asking', kept: now.state === 'here' ? now.value : null }));
    ask<T>(path, life.signal).then(
      (value) => {
        if (!life.signal.aborted) setAsked({ state: 'here', value });
      },
      (error: unknown) => {
        if (!life.signal.aborted) setAsked({ state: 'refused', refused: asRefused(error) });
      },
    );
    return () => life.abort();
  }, [path, attempt]);
  const again = useCallback(() => setAttempt((now) => now + 1), []);
  return { asked, again };
}

export function asRefused(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(0, 'The server does not answer.');
}

/** The time of day, told once a second while something lives. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}

/** The width of an element, as it changes. */
export function useWidth(first: number): [RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(first);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    // In the next frame: drawn anew at once, it would be resized while it is being measured.
    const sized = new ResizeObserver(() =>
      requestAnimationFrame(() => setWidth(element.clientWidth)),
    );
    sized.observe(element);
    setWidth(element.clientWidth);
    return () => sized.disconnect();
  }, []);
  return [box, width];
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Switchboard console`;
  }, [title]);
}
