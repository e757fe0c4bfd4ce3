import { useEffect, useRef } from 'react';

export interface Keys {
  readonly space: () => void;
  readonly escape: () => void;
  readonly slash: () => void;
}

/**
 * Keys for the whole page, except where somebody types or presses what has the focus. While a dialog
 * is open, what lies below it has none.
 */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const act = actionFor(event, latest.current);
      if (act === null) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

function actionFor(event: KeyboardEvent, keys: Keys): (() => void) | null {
  const target = event.target instanceof Element ? event.target : null;
  const typing = target?.closest('input, textarea, select') ?? null;
  if (event.key === 'Escape')
    return typing instanceof HTMLElement ? () => typing.blur() : keys.escape;
  if (typing !== null) return null;
  if (event.key === '/') return keys.slash;
  const pressing = target?.closest('button, summary, a') ?? null;
  return event.key === ' ' && !event.repeat && pressing === null ? keys.space : null;
}
