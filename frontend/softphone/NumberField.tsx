import { useState } from 'react';
import { Button } from '../src/ui/Button';
import { dialled, spaced } from './words';

interface Props {
  number: string;
  disabled: boolean;
  onClaim: (number: string) => void;
}

/** Who one is: the number that this line is rung on. */
export function NumberField({ number, disabled, onClaim }: Props) {
  const [typed, setTyped] = useState(spaced(number));
  const wanted = dialled(typed);
  const fresh = wanted !== null && wanted !== number;
  return (
    <form
      className="number"
      onSubmit={(event) => {
        event.preventDefault();
        if (fresh) onClaim(wanted);
      }}
    >
      <label htmlFor="number">I am</label>
      <input
        id="number"
        type="tel"
        value={typed}
        maxLength={32}
        autoComplete="off"
        disabled={disabled}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Button type="submit" look="plain" disabled={disabled || !fresh}>
        Take number
      </Button>
    </form>
  );
}
