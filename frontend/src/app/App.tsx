import { NoRoleScreen, SignInScreen } from '../features/sign-in/SignInScreen';
import { Button } from '../ui/Button';
import { Note } from '../ui/Note';
import './layout.css';
import { Talk } from './Talk';
import { useConfig } from './useConfig';

export function App() {
  const { entry, again, signIn, signOut } = useConfig();
  if (entry.at === 'asking') return <main className="page" aria-busy="true" />;
  if (entry.at === 'door')
    return (
      <SignInScreen
        title="Sign in to talk"
        how="This server answers people it knows."
        begin={() => signIn(entry.choice)}
      />
    );
  if (entry.at === 'no role')
    return (
      <NoRoleScreen
        title="You are signed in, but may not call"
        text={entry.text}
        signOut={entry.ours ? () => signOut(null) : null}
      />
    );
  if (entry.at === 'unreachable')
    return (
      <main className="page page-alone">
        <h1 className="unseen">Switchboard</h1>
        <Note
          tone="trouble"
          title="The server does not answer"
          actions={<Button onClick={again}>Try again</Button>}
        >
          There is nobody to talk to until it does. Check that it is running and that you are
          online.
        </Note>
      </main>
    );
  return <Talk config={entry.value} signIn={signIn} signOut={signOut} />;
}
