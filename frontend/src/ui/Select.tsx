import { ChevronDown } from 'lucide-react';
import './select.css';

interface Props {
  /** `null` chooses `none`, as does a value that is no longer offered. */
  value: string | null;
  onChange: (value: string | null) => void;
  options: readonly { readonly id: string; readonly title: string }[];
  /** What choosing nothing in particular is called; without it one option is always chosen. */
  none?: string;
  look?: 'field' | 'title';
  /** For a label that stands beside it; `label` names one that has none. */
  id?: string;
  label?: string;
  disabled?: boolean;
}

export function Select(props: Props) {
  const { value, onChange, options, none, look = 'field', id, label, disabled } = props;
  const known = options.some((option) => option.id === value);
  return (
    <span className={`select select-${look}`}>
      <select
        id={id}
        aria-label={label}
        value={known && value !== null ? value : ''}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value === '' ? null : event.target.value)}
      >
        {none === undefined ? null : <option value="">{none}</option>}
        {options.map((option) => (
          <option key={option.id} value={option.id}>
            {option.title}
          </option>
        ))}
      </select>
      <ChevronDown size={look === 'title' ? 20 : 16} aria-hidden="true" />
    </span>
  );
}
