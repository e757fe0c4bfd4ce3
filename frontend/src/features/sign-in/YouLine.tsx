import { LogOut } from 'lucide-react';
import { Button } from '../../ui/Button';
import type { PageConfig, SignInChoice } from '../../voice/protocol.gen';
import './sign-in.css';

interface Props {
  config: PageConfig;
  signIn: (choice: SignInChoice) => Promise<void>;
  signOut: (elsewhere: string | null) => void;
  /** Nobody becomes somebody else in the middle of a call. */
  inCall: boolean;
}

/** Who is signed in, and the way out; for a stranger the way in, where there is one. */
export function YouLine({ config: { you, signIn: choice }, signIn, signOut, inCall }: Props) {
  if (you !== null)
    return (
      <div className="you">
        <span className="you-name" title={you.operator ? `${you.name}, operator` : you.name}>
          {you.name}
        </span>
        <Button
          look="plain"
          aria-label="Sign out"
          title={`Sign out ${you.name}`}
          onClick={() => signOut(you.signOut)}
          disabled={inCall}
        >
          <LogOut size={20} aria-hidden="true" />
          <span className="you-word">Sign out</span>
        </Button>
      </div>
    );
  if (choice === null) return null;
  return (
    <Button
      look="plain"
      onClick={() => void signIn(choice).catch(() => undefined)}
      disabled={inCall}
    >
      Sign in
    </Button>
  );
}
