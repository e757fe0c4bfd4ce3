/** What the page remembers of its person's wishes, in this browser only. */
import type { Choice } from '../../voice/plan';
import { isRecord } from '../../voice/wire';

export interface Settings {
  readonly agent: string | null;
  /** `null` is the agent's own. */
  readonly voice: string | null;
  readonly model: string | null;
  /** `null` is the browser's default microphone. */
  readonly device: string | null;
  /** `null` is the browser's default speaker. */
  readonly speaker: string | null;
  readonly connection: Choice;
  readonly theme: 'system' | 'light' | 'dark';
}

export const DEFAULTS: Settings = {
  agent: null,
  voice: null,
  model: null,
  device: null,
  speaker: null,
  connection: 'automatic',
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
  const { theme, connection } = value;
  return {
    agent: text(value['agent']),
    voice: text(value['voice']),
    model: text(value['model']),
    device: text(value['device']),
    speaker: text(value['speaker']),
    connection: isChoice(connection) ? connection : 'automatic',
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
  };
}

export function isChoice(value: unknown): value is Choice {
  return value === 'automatic' || value === 'webrtc' || value === 'websocket';
}
