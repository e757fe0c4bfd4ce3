/** What a call came to, asked for until it is known. */
import { useCallback, useEffect, useState } from 'react';
import { ask, post, type Refused } from './api';
import { asRefused } from './hooks';
import type { After } from './protocol.gen';

const EVERY_MS = 3_000;
/** Beyond it, whoever still waits opens the page anew. */
const MOST = 100;
/** A call that has just ended is looked for at first as if there were nothing in it. */
const PATIENT = 3;

export interface AfterState {
  readonly after: After | null;
  readonly refused: Refused | null;
  /** Why the webhook was not told again. */
  readonly fault: string | null;
  readonly doing: boolean;
}

const NOTHING: AfterState = { after: null, refused: null, fault: null, doing: false };

export function useAfter(id: string): AfterState & { tellAgain: () => void; again: () => void } {
  const [state, setState] = useState<AfterState>(NOTHING);
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks anew
  useEffect(() => {
    const life = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (times: number): void => {
      ask<After>(`/calls/${id}/after`, life.signal).then(
        (after) => {
          if (life.signal.aborted) return;
          setState((now) => ({ ...now, after, refused: null }));
          if (isOpen(after, times)) timer = setTimeout(() => look(times + 1), EVERY_MS);
        },
        (error: unknown) => {
          if (!life.signal.aborted) setState((now) => ({ ...now, refused: asRefused(error) }));
        },
      );
    };
    look(0);
    return () => {
      life.abort();
      clearTimeout(timer);
    };
  }, [id, attempt]);
  const again = useCallback(() => setAttempt((now) => now + 1), []);
  const tellAgain = useCallback(() => {
    setState((now) => ({ ...now, doing: true, fault: null }));
    post<After>(`/calls/${id}/deliveries`, {}).then(
      (after) => {
        setState((now) => ({ ...now, after, doing: false }));
        again();
      },
      (error: unknown) => {
        const fault = `Not sent. ${asRefused(error).message}`;
        setState((now) => ({ ...now, doing: false, fault }));
      },
    );
  }, [id, again]);
  return { ...state, tellAgain, again };
}

/** Whether more may come by itself. */
function isOpen({ state, deliveries }: After, times: number): boolean {
  if (state === 'none') return times < PATIENT;
  if (times >= MOST) return false;
  return (
    state === 'waiting' ||
    state === 'working' ||
    deliveries.some((each) => each.state === 'waiting' || each.state === 'sending')
  );
}
