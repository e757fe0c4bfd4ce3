import { useCallback, useEffect, useState } from 'react';
import { recall, remember, type Settings } from './settings';

export type Change = (change: Partial<Settings>) => void;

const storage = (): Storage => window.localStorage;

/** `/?agent=banking` leads to one agent: from the console, say. */
function asked(): Partial<Settings> {
  const agent = new URLSearchParams(window.location.search).get('agent');
  return agent === null || agent === '' ? {} : { agent };
}

export function useSettings(): [Settings, Change] {
  const [settings, setSettings] = useState(() => ({ ...recall(storage), ...asked() }));
  useEffect(() => {
    remember(storage, settings);
    if (settings.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = settings.theme;
  }, [settings]);
  const change = useCallback<Change>((part) => setSettings((now) => ({ ...now, ...part })), []);
  return [settings, change];
}
