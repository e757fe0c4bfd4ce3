import { type KeyboardEvent, useRef } from 'react';

interface Props {
  suggestions: readonly string[];
  onChoose: (text: string) => void;
  disabled: boolean;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

/** Things one might say. Arrow keys move along them. */
export function Suggestions({ suggestions, onChoose, disabled }: Props) {
  const list = useRef<HTMLUListElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    const buttons: (Element | null)[] = [...(list.current?.querySelectorAll('button') ?? [])];
    const at = buttons.indexOf(document.activeElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const next = buttons.at((at + step) % buttons.length);
    if (next instanceof HTMLElement) next.focus();
  };
  if (suggestions.length === 0) return null;
  return (
    <ul ref={list} className="suggestions" aria-label="Suggestions" onKeyDown={move}>
      {suggestions.map((text) => (
        <li key={text}>
          <button type="button" disabled={disabled} onClick={() => onChoose(text)}>
            {text}
          </button>
        </li>
      ))}
    </ul>
  );
}
