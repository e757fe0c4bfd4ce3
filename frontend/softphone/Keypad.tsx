import { useEffect, useRef } from 'react';
import { KEYS } from './tones';

const LETTERS: Readonly<Record<string, string>> = {
  ...{ '2': 'ABC', '3': 'DEF', '4': 'GHI', '5': 'JKL', '6': 'MNO' },
  ...{ '7': 'PQRS', '8': 'TUV', '9': 'WXYZ', '0': '+' },
};
const NAMES: Readonly<Record<string, string>> = { '*': 'Star', '#': 'Hash' };

interface Props {
  onPress: (key: string) => void;
  disabled: boolean;
}

/** Twelve keys; those of the keyboard do the same wherever nobody types. */
export function Keypad({ onPress, disabled }: Props) {
  const latest = useRef(onPress);
  latest.current = onPress;
  useEffect(() => {
    if (disabled) return;
    const down = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const typing = event.target instanceof Element && event.target.closest('input, textarea');
      if (!typing && KEYS.some((key) => key === event.key)) latest.current(event.key);
    };
    document.addEventListener('keydown', down);
    return () => document.removeEventListener('keydown', down);
  }, [disabled]);
  return (
    <fieldset className="keypad" aria-label="Keypad">
      {KEYS.map((key) => (
        <button
          key={key}
          type="button"
          aria-label={NAMES[key]}
          disabled={disabled}
          onClick={() => onPress(key)}
        >
          <span className="keypad-key">{key}</span>
          <span className="keypad-letters">{LETTERS[key] ?? ''}</span>
        </button>
      ))}
    </fieldset>
  );
}
