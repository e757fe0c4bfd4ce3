/** The transcript as a file to keep. */
import type { Entry, Snapshot, ToolEntry } from '../../voice/session';

/** Plain text, one line a turn: `0:04  Contoso Bank: Good morning.` */
export function asText(snapshot: Snapshot, agent: string): string {
  const lines = snapshot.entries.map(
    (entry) => `${clock(entry.beganMs)}  ${sentence(entry, agent)}`,
  );
  return `${lines.join('\n')}\n`;
}

export function asJson(snapshot: Snapshot, agent: string): string {
  const { call, entries, answers, interruptions, ended } = snapshot;
  return `${JSON.stringify({ call, agent, entries, answers, interruptions, ended }, null, 2)}\n`;
}

/** Minutes and seconds since the call began. */
export function clock(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function sentence(entry: Entry, agent: string): string {
  if (entry.kind === 'notice') return `(${entry.text})`;
  if (entry.kind === 'tool') return `(${entry.title}: ${outcome(entry)})`;
  const who = entry.speaker === 'agent' ? agent : 'You';
  if (entry.state !== 'cut' || entry.heardChars === null) return `${who}: ${entry.text}`;
  const heard = entry.text.slice(0, entry.heardChars).trimEnd();
  return `${who}: ${heard} [cut off; not heard: ${entry.text.slice(entry.heardChars).trim()}]`;
}

function outcome(tool: ToolEntry): string {
  if (tool.state !== 'done') return tool.state;
  return tool.durationMs === null ? 'done' : `done in ${(tool.durationMs / 1000).toFixed(1)} s`;
}
