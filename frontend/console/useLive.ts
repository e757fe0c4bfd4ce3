/** All live calls, for as long as the console is open. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import { follow, type Refused } from './api';
import { createStore, type LiveState, NO_CALLS, reduceLive } from './store';

export interface LiveNow {
  readonly live: LiveState;
  readonly refused: Refused | null;
}

export function useLive(): LiveNow {
  const [store] = useState(() => createStore(NO_CALLS));
  const [refused, setRefused] = useState<Refused | null>(null);
  useEffect(() => {
    const life = new AbortController();
    void follow('/live', life.signal, {
      message: (message) => store.set((now) => reduceLive(now, message, Date.now())),
      lost: () => store.set((now) => ({ ...now, link: 'lost' })),
      refused: setRefused,
    });
    return () => life.abort();
  }, [store]);
  return { live: useSyncExternalStore(store.subscribe, store.snapshot), refused };
}
