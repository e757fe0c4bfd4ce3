/** Does something to a call, and says what came of it. */
import { useState } from 'react';
import { act as send } from './api';
import { asRefused } from './hooks';
import type { Acted, Deed } from './protocol.gen';

export interface Acting {
  /** It is on its way. */
  readonly doing: boolean;
  /** Why the last one was not done. */
  readonly fault: string | null;
  /** Whether the call took it. */
  readonly act: (deed: Deed) => Promise<boolean>;
}

export function useAct(call: string, acted: (action: Acted) => void): Acting {
  const [doing, setDoing] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const act = async (deed: Deed): Promise<boolean> => {
    setDoing(true);
    setFault(null);
    try {
      acted(await send<Acted>(call, deed));
      return true;
    } catch (error) {
      setFault(`Not done. ${asRefused(error).message}`);
      return false;
    } finally {
      setDoing(false);
    }
  };
  return { doing, fault, act };
}
