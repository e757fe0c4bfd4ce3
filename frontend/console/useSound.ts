/** The sound of a past call, fetched when it is first wanted, and played along with its replay. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { fetchSound } from './api';
import { asRefused } from './hooks';
import type { CallDetail } from './protocol.gen';

export interface Sound {
  readonly state: 'none' | 'unasked' | 'fetching' | 'here' | 'failed';
  readonly fault: string | null;
  /** From the click that wants it, or the browser may keep it silent. */
  readonly want: () => void;
  readonly element: HTMLAudioElement | null;
  /** Where in the call it begins. */
  readonly atMs: number;
}

export function useSound(detail: CallDetail): Sound {
  const { id } = detail.call;
  const [state, setState] = useState<Exclude<Sound['state'], 'none'>>('unasked');
  const [fault, setFault] = useState<string | null>(null);
  const [element, setElement] = useState<HTMLAudioElement | null>(null);
  const life = useRef<AbortController | null>(null);
  useEffect(() => () => life.current?.abort(), []);
  useEffect(
    () => () => {
      if (element === null) return;
      element.pause();
      URL.revokeObjectURL(element.src);
    },
    [element],
  );
  const want = useCallback(() => {
    if (life.current !== null) return;
    const controller = new AbortController();
    life.current = controller;
    setState('fetching');
    fetchSound(id, controller.signal)
      .then(async (blob) => {
        const audio = new Audio(URL.createObjectURL(blob));
        audio.preload = 'auto';
        setElement(audio);
        setState('here');
      })
      .catch((error: unknown) => {
        if (controller.signal.aborted) return;
        life.current = null;
        setState('failed');
        setFault(asRefused(error).message);
      });
  }, [id]);
  const { recording } = detail;
  const there = !detail.live && recording?.audio === true;
  return {
    state: there ? state : 'none',
    fault,
    want,
    element,
    atMs: recording?.atMs ?? 0,
  };
}
