import {
  Ban,
  Check,
  ChevronDown,
  CircleAlert,
  CircleDashed,
  MessageCircleQuestion,
} from 'lucide-react';
import { memo } from 'react';
import { Button } from '../../ui/Button';
import type { ToolEntry } from '../../voice/session';
import { type Fact, facts } from './facts';
import './tools.css';
import { told } from './wording';

interface Props {
  tool: ToolEntry;
  onDecide: (call: string, agreed: boolean) => void;
}

/** One tool call: a line that opens to what was asked and what came back, or a question. */
export const ToolLine = memo(function ToolLine({ tool, onDecide }: Props) {
  return (
    <div className="tool" data-testid="tool" data-state={tool.state} data-tool={tool.name}>
      <details className="tool-line">
        <summary>
          <StateIcon state={tool.state} />
          <span className="tool-title">{told(tool)}</span>
          {tool.durationMs === null ? null : (
            <span className="tool-time"> · {seconds(tool.durationMs)}</span>
          )}
          <ChevronDown className="tool-chevron" size={16} aria-hidden="true" />
        </summary>
        <div className="tool-body">
          <Facts title="Asked with" rows={facts(tool.arguments)} none="Nothing" />
          <Facts title="Answer" rows={answered(tool)} none="Nothing yet" />
          <details className="tool-raw">
            <summary>Raw JSON</summary>
            <pre>{JSON.stringify(raw(tool), null, 2)}</pre>
          </details>
        </div>
      </details>
      {tool.state === 'asking' ? <Consent tool={tool} onDecide={onDecide} /> : null}
    </div>
  );
});

function Consent({ tool, onDecide }: Props) {
  const question = tool.question ?? `${tool.title}?`;
  const { decided } = tool;
  return (
    <section className="consent" aria-label={question}>
      <p className="consent-question">{question}</p>
      <div className="consent-answers">
        <Button disabled={decided !== null} onClick={() => onDecide(tool.id, true)}>
          Yes
        </Button>
        <Button disabled={decided !== null} onClick={() => onDecide(tool.id, false)}>
          No
        </Button>
        <span className="consent-hint">
          {decided === null ? 'or just say so' : `You answered ${decided ? 'yes' : 'no'}`}
        </span>
      </div>
    </section>
  );
}

function Facts({ title, rows, none }: { title: string; rows: Fact[]; none: string }) {
  if (rows.length === 0) rows = [{ name: none, value: '' }];
  return (
    <table className="facts">
      <caption>{title}</caption>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            <td>{row.value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function StateIcon({ state }: { state: ToolEntry['state'] }) {
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

function answered(tool: ToolEntry): Fact[] {
  return tool.result === null ? [] : facts(tool.result);
}

function raw(tool: ToolEntry) {
  return { name: tool.name, arguments: tool.arguments, result: tool.result };
}

function seconds(ms: number): string {
  return ms < 50 ? 'under 0.1 s' : `${(ms / 1000).toFixed(1)} s`;
}
