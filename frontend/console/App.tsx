import { Headset } from 'lucide-react';
import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import type { Refused } from './api';
import { CallPage } from './CallPage';
import { HistoryPage } from './HistoryPage';
import { useAsked, useRoute } from './hooks';
import { LivePage } from './LivePage';
import { OverviewPage } from './OverviewPage';
import type { Me } from './protocol.gen';
import { hashOf, NO_FILTERS, type Route } from './route';

export function App() {
  const route = useRoute();
  const { asked, again } = useAsked<Me>('/me');
  if (asked.state === 'asking') return <div className="console" aria-busy="true" />;
  if (asked.state === 'refused')
    return (
      <main className="console console-alone">
        <h1 className="unseen">Console</h1>
        <NoEntry refused={asked.refused} again={again} />
      </main>
    );
  const me = asked.value;
  return (
    <div className="console">
      <Bar route={route} me={me} />
      <Page route={route} me={me} />
    </div>
  );
}

function Page({ route, me }: { route: Route; me: Me }) {
  switch (route.page) {
    case 'live':
      return <LivePage me={me} />;
    case 'call':
      return <CallPage key={route.id} id={route.id} me={me} />;
    case 'history':
      return <HistoryPage filters={route.filters} me={me} />;
    case 'overview':
      return <OverviewPage days={route.days} agent={route.agent} me={me} />;
  }
}

const TABS: readonly { readonly title: string; readonly route: Route }[] = [
  { title: 'Live', route: { page: 'live' } },
  { title: 'History', route: { page: 'history', filters: NO_FILTERS } },
  { title: 'Overview', route: { page: 'overview', days: 7, agent: null } },
];

function Bar({ route, me }: { route: Route; me: Me }) {
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
            aria-current={tab.route.page === route.page ? 'page' : undefined}
          >
            {tab.title}
          </a>
        ))}
      </nav>
      <p className="console-who">{me.name === 'You' ? 'This machine’s owner' : me.name}</p>
    </header>
  );
}

function NoEntry({ refused, again }: { refused: Refused; again: () => void }) {
  const retry = <Button onClick={again}>Try again</Button>;
  if (refused.status === 401)
    return (
      <Note tone="trouble" title="Nobody is signed in" actions={retry}>
        The console is for operators. {refused.message}
      </Note>
    );
  if (refused.status === 403)
    return (
      <Note tone="trouble" title="You may not use the console" actions={retry}>
        It needs the role “operator”. Ask whoever runs this server to give it to you.
      </Note>
    );
  return (
    <Note tone="trouble" title="The server does not answer" actions={retry}>
      Calls go on without the console. Check that the server is running and that you are online.
    </Note>
  );
}
