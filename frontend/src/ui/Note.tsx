import { CircleAlert, Info } from 'lucide-react';
import type { ReactNode } from 'react';
import './note.css';

interface Props {
  tone: 'trouble' | 'quiet';
  title: string;
  /** What was kept, and what to do. */
  children?: ReactNode;
  /** The way on. */
  actions?: ReactNode;
}

/** Something that went otherwise than hoped, told next to where it happened. */
export function Note({ tone, title, children, actions }: Props) {
  const Icon = tone === 'trouble' ? CircleAlert : Info;
  return (
    <div className={`note note-${tone}`} role={tone === 'trouble' ? 'alert' : 'status'}>
      <Icon size={20} aria-hidden="true" />
      <div className="note-words">
        <p className="note-title">{title}</p>
        {children === undefined ? null : <p className="note-text">{children}</p>}
      </div>
      {actions === undefined ? null : <div className="note-actions">{actions}</div>}
    </div>
  );
}
