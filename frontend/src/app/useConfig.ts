import { useCallback, useEffect, useState } from 'react';
import { fetchConfig } from '../api/http';
import type { PageConfig } from '../voice/protocol.gen';

export type ConfigState = PageConfig | 'asking' | 'unreachable';

export function useConfig(): { config: ConfigState; again: () => void } {
  const [config, setConfig] = useState<ConfigState>('asking');
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks anew
  useEffect(() => {
    const life = new AbortController();
    fetchConfig(life.signal).then(
      (answer) => setConfig(answer),
      () => {
        if (!life.signal.aborted) setConfig('unreachable');
      },
    );
    return () => life.abort();
  }, [attempt]);
  const again = useCallback(() => {
    setConfig('asking');
    setAttempt((count) => count + 1);
  }, []);
  return { config, again };
}
