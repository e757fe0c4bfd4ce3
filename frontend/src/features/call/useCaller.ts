import { useEffect, useState, useSyncExternalStore } from 'react';
import { freshToken } from '../../api/bearer';
import { placeCall, placeOffer } from '../../api/http';
import { Caller } from '../../voice/caller';
import { browserParts } from '../../voice/parts';
import type { Snapshot } from '../../voice/session';

/** The page's one caller, and what it knows. Leaving the page ends its call. */
export function useCaller(): { caller: Caller; snapshot: Snapshot } {
  const [caller] = useState(
    () => new Caller(browserParts({ place: placeCall, placeOffer, token: freshToken })),
  );
  useEffect(() => {
    window.addEventListener('pagehide', caller.end);
    const stop = caller.session.subscribe(() => mirror(caller.session.snapshot()));
    mirror(caller.session.snapshot());
    return () => {
      window.removeEventListener('pagehide', caller.end);
      stop();
    };
  }, [caller]);
  const snapshot = useSyncExternalStore(caller.session.subscribe, caller.session.snapshot);
  return { caller, snapshot };
}

/** The state of the call as attributes of the document, in the very task that changed it. */
function mirror(now: Snapshot): void {
  const { dataset } = document.documentElement;
  dataset['phase'] = now.phase;
  dataset['floor'] = now.floor;
  dataset['speaker'] = now.sounding ? 'playing' : 'silent';
  dataset['microphone'] = now.microphone;
  dataset['way'] = now.way ?? 'none';
}
