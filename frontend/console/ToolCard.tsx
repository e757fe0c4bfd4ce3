import {
  Ban,
  Check,
  ChevronDown,
  CircleAlert,
  CircleDashed,
  MessageCircleQuestion,
} from 'lucide-react';
import { type Fact, facts } from '../src/features/tools/facts';
import '../src/features/tools/tools.css';
import { told } from '../src/features/tools/wording';
import { Button } from '../src/ui/Button';
import type { Acted, CallDetail, Tool } from './protocol.gen';
import { useAct } from './useAct';
import { secondsOf } from './words';

interface Props {
  tool: Tool;
  detail: CallDetail;
  acted: (action: Acted) => void;
}

/** One tool call: a line that opens to what was asked and answered; while it asks, the question. */
export function ToolCard({ tool, detail, acted }: Props) {
  return (
    <div className="tool" data-testid="tool" data-state={tool.state}>
      <details className="tool-line">
        <summary>
          <StateIcon state={tool.state} />
          <span className="tool-title">{words(tool)}</span>
          {tool.durationMs === null ? null : (
            <span className="tool-time"> · {secondsOf(tool.durationMs)}</span>
          )}
          <ChevronDown className="tool-chevron" size={16} aria-hidden="true" />
        </summary>
        <div className="tool-body">
          <Table title="Asked with" rows={facts(tool.arguments)} />
          <Table title="Answer" rows={tool.result === null ? [] : facts(tool.result)} />
          <details className="tool-raw">
            <summary>Raw JSON</summary>
            <pre>{JSON.stringify(raw(tool), null, 2)}</pre>
          </details>
        </div>
      </details>
      {tool.state === 'asking' && detail.live ? <Question {...{ tool, detail, acted }} /> : null}
    </div>
  );
}

function Question({ tool, detail, acted }: Props) {
  const { doing, fault, act } = useAct(detail.call.id, acted);
  const question = tool.question ?? `${tool.title}?`;
  const done = detail.actions.findLast(
    (action) => action.tool === tool.id && action.outcome === 'taken',
  );
  const shut = doing || done !== undefined;
  return (
    <section className="consent" aria-label={question}>
      <p className="consent-question">{question}</p>
      <p className="consent-how">The agent asks the caller. You may answer in their place.</p>
      <div className="consent-answers">
        <Button disabled={shut} onClick={() => void act({ type: 'approve', tool: tool.id })}>
          Approve
        </Button>
        <Button disabled={shut} onClick={() => void act({ type: 'refuse', tool: tool.id })}>
          Refuse
        </Button>
        {done === undefined ? null : (
          <span className="consent-hint" role="status">
            {done.by} {done.kind === 'approve' ? 'approved' : 'refused'} it
          </span>
        )}
      </div>
      {fault === null ? null : (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
    </section>
  );
}

function Table({ title, rows }: { title: string; rows: Fact[] }) {
  const shown = rows.length === 0 ? [{ name: 'Nothing', value: '' }] : rows;
  return (
    <table className="facts">
      <caption>{title}</caption>
      <tbody>
        {shown.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            <td>{row.value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function words(tool: Tool): string {
  return tool.state === 'declined' ? `${tool.title}: declined` : told(tool);
}

function raw(tool: Tool) {
  return { name: tool.name, arguments: tool.arguments, result: tool.result };
}

function StateIcon({ state }: { state: Tool['state'] }) {
  const Icon = {
    running: CircleDashed,
    asking: MessageCircleQuestion,
    done: Check,
    failed: CircleAlert,
    declined: Ban,
    abandoned: Ban,
  }[state];
  return <Icon className="tool-icon" size={16} aria-hidden="true" />;
}
