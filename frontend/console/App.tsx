import { Headset, LogOut } from 'lucide-react';
import { type Entry, useEntrance } from '../src/app/useEntrance';
import { SignInScreen } from '../src/features/sign-in/SignInScreen';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import { AgentPage } from './AgentPage';
import { AgentsPage } from './AgentsPage';
import { fetchMe } from './api';
import { CallPage } from './CallPage';
import { EvalPage } from './EvalPage';
import { EvalsPage } from './EvalsPage';
import { HistoryPage } from './HistoryPage';
import { useRoute } from './hooks';
import { LivePage } from './LivePage';
import { OverviewPage } from './OverviewPage';
import type { Me } from './protocol.gen';
import { Ringing } from './Ringing';
import './ringing.css';
import { hashOf, NO_FILTERS, type Route } from './route';
import { type LiveNow, useLive } from './useLive';

export function App() {
  const route = useRoute();
  const { entry, again, signIn, signOut } = useEntrance(fetchMe);
  if (entry.at === 'asking') return <div className="console" aria-busy="true" />;
  if (entry.at === 'door' && entry.choice !== null)
    return (
      <SignInScreen
        title="Sign in to the console"
        how="It shows operators the calls of this server."
        begin={() => signIn(entry.choice)}
      />
    );
  if (entry.at !== 'desk')
    return (
      <main className="console console-alone">
        <h1 className="unseen">Console</h1>
        <NoEntry {...{ entry, again }} signOut={() => signOut(null)} />
      </main>
    );
  const me = entry.value;
  return <Rooms route={route} me={me} signOut={entry.ours ? () => signOut(null) : null} />;
}

/** What an operator sees. Whoever wants a human rings on every page. */
function Rooms({ route, me, signOut }: { route: Route; me: Me; signOut: (() => void) | null }) {
  const now = useLive();
  return (
    <div className="console">
      <Bar route={route} me={me} signOut={signOut} />
      <Ringing live={now.live} me={me} />
      <Page route={route} me={me} now={now} />
    </div>
  );
}

function Page({ route, me, now }: { route: Route; me: Me; now: LiveNow }) {
  switch (route.page) {
    case 'live':
      return <LivePage {...now} me={me} />;
    case 'call':
      return <CallPage key={route.id} id={route.id} me={me} />;
    case 'history':
      return <HistoryPage filters={route.filters} me={me} />;
    case 'overview':
      return <OverviewPage days={route.days} agent={route.agent} me={me} />;
    case 'agents':
      return <AgentsPage me={me} />;
    case 'agent':
      return <AgentPage key={route.id} id={route.id} me={me} />;
    case 'evals':
      return <EvalsPage />;
    case 'eval':
      return <EvalPage key={route.id} id={route.id} me={me} />;
  }
}

const TABS: readonly { readonly title: string; readonly route: Route }[] = [
  { title: 'Live', route: { page: 'live' } },
  { title: 'History', route: { page: 'history', filters: NO_FILTERS } },
  { title: 'Overview', route: { page: 'overview', days: 7, agent: null } },
  { title: 'Agents', route: { page: 'agents' } },
  { title: 'Evals', route: { page: 'evals' } },
];

function tabOf(route: Route): Route['page'] {
  if (route.page === 'agent') return 'agents';
  return route.page === 'eval' ? 'evals' : route.page;
}

interface BarProps {
  route: Route;
  me: Me;
  /** `null` where nobody has signed in by this page. */
  signOut: (() => void) | null;
}

function Bar({ route, me, signOut }: BarProps) {
  return (
    <header className="console-bar">
      <p className="console-name">
        <Headset size={20} aria-hidden="true" />
        <span>Console</span>
      </p>
      <nav aria-label="Pages">
        {TABS.map((tab) => (
          <a
            key={tab.title}
            className="tab"
            href={hashOf(tab.route)}
            aria-current={tabOf(route) === tab.route.page ? 'page' : undefined}
          >
            {tab.title}
          </a>
        ))}
      </nav>
      <p className="console-who">{me.name === 'You' ? 'This machine’s owner' : me.name}</p>
      {signOut === null ? null : (
        <Button look="plain" aria-label={`Sign out ${me.name}`} onClick={signOut}>
          <LogOut size={20} aria-hidden="true" />
        </Button>
      )}
    </header>
  );
}

interface NoEntryProps {
  entry: Exclude<Entry<Me>, { at: 'desk' }>;
  again: () => void;
  signOut: () => void;
}

function NoEntry({ entry, again, signOut }: NoEntryProps) {
  const retry = <Button onClick={again}>Try again</Button>;
  if (entry.at === 'door')
    return (
      <Note tone="trouble" title="Nobody is signed in" actions={retry}>
        The console is for operators. Sign in where you reach this server, then try again.
      </Note>
    );
  if (entry.at === 'no role')
    return (
      <Note
        tone="quiet"
        title="You may not use the console"
        actions={entry.ours ? <Button onClick={signOut}>Use another account</Button> : retry}
      >
        It needs the role “operator”. Ask whoever runs this server to give it to you.
      </Note>
    );
  return (
    <Note tone="trouble" title="The server does not answer" actions={retry}>
      Calls go on without the console. Check that the server is running and that you are online.
    </Note>
  );
}
