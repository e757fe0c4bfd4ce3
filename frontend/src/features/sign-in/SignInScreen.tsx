import { LogIn } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/Button';
import { Note } from '../../ui/Note';
import './sign-in.css';

interface Props {
  title: string;
  how: string;
  /** Raises when it does not come off. */
  begin: () => Promise<void>;
}

/** Before anything else: one thing to do. */
export function SignInScreen({ title, how, begin }: Props) {
  const [state, setState] = useState<'here' | 'elsewhere' | 'failed'>('here');
  const go = (): void => {
    setState('elsewhere');
    begin().catch(() => setState('failed'));
  };
  return (
    <main className="page page-alone sign-in">
      <h1 className="sign-in-title">{title}</h1>
      <p className="sign-in-how">{how}</p>
      <div className="sign-in-line">
        <Button look="primary" onClick={go}>
          <LogIn size={24} aria-hidden="true" />
          Sign in
        </Button>
      </div>
      <div className="sign-in-note">
        {state === 'elsewhere' ? (
          <Note tone="quiet" title="Continue in the window that has opened">
            If there is none, allow this page to open one, and press the button again.
          </Note>
        ) : null}
        {state === 'failed' ? (
          <Note tone="trouble" title="You are not signed in">
            The window could not be opened, or it was broken off there. Nothing was kept; try again.
          </Note>
        ) : null}
      </div>
    </main>
  );
}

interface NoRoleProps {
  title: string;
  /** In the server's words. */
  text: string;
  signOut: (() => void) | null;
}

/** Somebody is known, and may not come in. */
export function NoRoleScreen({ title, text, signOut }: NoRoleProps) {
  return (
    <main className="page page-alone">
      <h1 className="unseen">Switchboard</h1>
      <Note
        tone="trouble"
        title={title}
        actions={
          signOut === null ? undefined : <Button onClick={signOut}>Use another account</Button>
        }
      >
        {text}
      </Note>
    </main>
  );
}
