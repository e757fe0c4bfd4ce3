import { ArrowUp } from 'lucide-react';
import { type FormEvent, type RefObject, useState } from 'react';
import { Button } from '../../ui/Button';

interface Props {
  field: RefObject<HTMLInputElement | null>;
  placeholder: string;
  disabled: boolean;
  onSay: (text: string) => void;
}

export function Composer({ field, placeholder, disabled, onSay }: Props) {
  const [text, setText] = useState('');
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() === '' || disabled) return;
    onSay(text);
    setText('');
  };
  return (
    <form className="composer" onSubmit={send}>
      <input
        ref={field}
        value={text}
        onChange={(event) => setText(event.target.value)}
        aria-label="Your message"
        placeholder={placeholder}
        maxLength={2_000}
        autoComplete="off"
        enterKeyHint="send"
      />
      <Button type="submit" look="plain" disabled={disabled || text.trim() === ''}>
        <ArrowUp size={20} aria-hidden="true" />
        Send
      </Button>
    </form>
  );
}
