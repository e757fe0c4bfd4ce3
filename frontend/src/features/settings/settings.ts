/** What the page remembers of its person's wishes, in this browser only. */
import { isRecord } from '../../voice/wire';

export interface Settings {
  readonly agent: string | null;
  /** `null` is the agent's own. */
  readonly voice: string | null;
  readonly model: string | null;
  /** `null` is the browser's default microphone. */
  readonly device: string | null;
  readonly theme: 'system' | 'light' | 'dark';
}

export const DEFAULTS: Settings = {
  agent: null,
  voice: null,
  model: null,
  device: null,
  theme: 'system',
};

const KEY = 'switchboard.settings';

/** `storage` is asked for each time: a browser may refuse to hand it out. */
export function recall(storage: () => Storage): Settings {
  try {
    return parse(JSON.parse(storage().getItem(KEY) ?? '{}'));
  } catch {
    return DEFAULTS;
  }
}

/** A browser that refuses to remember is no reason to fail. */
export function remember(storage: () => Storage, settings: Settings): void {
  try {
    storage().setItem(KEY, JSON.stringify(settings));
  } catch {
    return;
  }
}

export function parse(value: unknown): Settings {
  if (!isRecord(value)) return DEFAULTS;
  const text = (field: unknown): string | null =>
    typeof field === 'string' && field !== '' ? field : null;
  const theme = value['theme'];
  return {
    agent: text(value['agent']),
    voice: text(value['voice']),
    model: text(value['model']),
    device: text(value['device']),
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
  };
}
