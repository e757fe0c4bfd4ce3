import { Button } from '../src/ui/Button';
import { Note } from '../src/ui/Note';
import './agents.css';
import { useAsked, useTitle } from './hooks';
import { AgentDot } from './LivePage';
import { pathOf } from './OverviewPage';
import type { Me, Overview, Sum } from './protocol.gen';
import { hashOf } from './route';
import { count, money, secondsOf, share } from './words';

const DAYS = 7;

/** Every agent, with what became of its calls of the last week. */
export function AgentsPage({ me }: { me: Me }) {
  useTitle('Agents');
  const { asked, again } = useAsked<Overview>(pathOf(DAYS, null, Date.now()));
  const sums = asked.state === 'here' ? asked.value.agents : [];
  return (
    <main className="page-agents" aria-busy={asked.state === 'asking'}>
      <h1 className="unseen">Agents</h1>
      {asked.state === 'refused' ? (
        <Note
          tone="trouble"
          title="The figures cannot be had"
          actions={<Button onClick={again}>Try again</Button>}
        >
          {asked.refused.message}
        </Note>
      ) : null}
      <ul className="agents">
        {me.agents.map((agent) => (
          <li key={agent.id}>
            <a className="agent-row" href={hashOf({ page: 'agent', id: agent.id })}>
              <span className="agent-name">
                <AgentDot me={me} agent={agent.id} />
                {agent.title}
              </span>
              <span className="quiet" data-testid="agent-sum">
                {asked.state === 'here'
                  ? sumWords(sums.find(({ key }) => key === agent.id))
                  : '\u00a0'}
              </span>
            </a>
          </li>
        ))}
      </ul>
      <p className="hint">Figures of the last {DAYS} days, today among them.</p>
    </main>
  );
}

function sumWords(sum: Sum | undefined): string {
  if (sum === undefined) return 'No calls';
  return [
    count(sum.calls, 'call'),
    `answered in ${secondsOf(sum.latency.p50)}`,
    `${share(sum.failed, sum.calls)} failed or lost`,
    money(sum.costUsd),
  ].join(' · ');
}
