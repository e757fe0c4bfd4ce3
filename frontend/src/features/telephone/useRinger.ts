import { useState, useSyncExternalStore } from 'react';
import { look, ring } from '../../api/telephone';
import { Ringer, type Ringing } from './ringing';

/** The page's one ringer. It goes on following while its dialog is shut. */
export function useRinger(): { ringer: Ringer; ringing: Ringing } {
  const [ringer] = useState(
    () =>
      new Ringer({
        ring,
        look,
        newOperation: () => `page-${crypto.randomUUID()}`,
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      }),
  );
  const ringing = useSyncExternalStore(ringer.subscribe, ringer.snapshot);
  return { ringer, ringing };
}
