/** One call, read once and then followed for as long as it lives. */
import { useCallback, useEffect, useState } from 'react';
import { ask, follow, type Refused } from './api';
import { asRefused } from './hooks';
import type { Acted, CallDetail } from './protocol.gen';
import { reduceDetail, withAction } from './store';

export interface CallState {
  readonly detail: CallDetail | null;
  readonly refused: Refused | null;
  /** The stream of a live call is lost: what is shown may be old. */
  readonly stale: boolean;
  readonly skewMs: number;
}

const NOTHING: CallState = { detail: null, refused: null, stale: false, skewMs: 0 };

export function useCall(id: string): {
  call: CallState;
  acted: (action: Acted) => void;
  again: () => void;
} {
  const [call, setCall] = useState<CallState>(NOTHING);
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks anew
  useEffect(() => {
    const life = new AbortController();
    const { signal } = life;
    void begin(id, signal, setCall);
    return () => life.abort();
  }, [id, attempt]);
  const acted = useCallback((action: Acted) => {
    setCall((now) =>
      now.detail === null ? now : { ...now, detail: withAction(now.detail, action) },
    );
  }, []);
  const again = useCallback(() => {
    setCall(NOTHING);
    setAttempt((now) => now + 1);
  }, []);
  return { call, acted, again };
}

type SetCall = (change: (now: CallState) => CallState) => void;

async function begin(id: string, signal: AbortSignal, setCall: SetCall): Promise<void> {
  try {
    const detail = await ask<CallDetail>(`/calls/${id}`, signal);
    if (signal.aborted) return;
    setCall(() => ({ ...NOTHING, detail }));
    if (detail.live) await stay(id, signal, setCall);
  } catch (error) {
    if (!signal.aborted) setCall((now) => ({ ...now, refused: asRefused(error) }));
  }
}

async function stay(id: string, signal: AbortSignal, setCall: SetCall): Promise<void> {
  await follow(`/calls/${id}/events`, signal, {
    message: (message) =>
      setCall((now) => {
        const skewMs = message.type === 'detail' ? message.at * 1_000 - Date.now() : now.skewMs;
        const detail = now.detail === null ? null : reduceDetail(now.detail, message);
        return { ...now, detail, skewMs, stale: message.type === 'dropped' };
      }),
    lost: () => setCall((now) => ({ ...now, stale: true })),
    // It ended while the stream was away: the records have the rest.
    refused: () => void reread(id, signal, setCall),
  });
}

async function reread(id: string, signal: AbortSignal, setCall: SetCall): Promise<void> {
  try {
    const detail = await ask<CallDetail>(`/calls/${id}`, signal);
    setCall((now) => ({ ...now, detail, stale: false }));
  } catch (error) {
    if (!signal.aborted) setCall((now) => ({ ...now, refused: asRefused(error) }));
  }
}
