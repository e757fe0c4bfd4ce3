/** What a transcript shows, in the order it happened. Pure. */
import type { Acted, Answer, CallDetail, Line, NoticeAt, Tool } from './protocol.gen';

interface Placed {
  readonly key: string;
  readonly atMs: number;
}

export type Entry =
  | (Placed & { readonly kind: 'line'; readonly line: Line; readonly answeredMs: number | null })
  | (Placed & { readonly kind: 'tool'; readonly tool: Tool })
  | (Placed & { readonly kind: 'notice'; readonly notice: NoticeAt })
  | (Placed & { readonly kind: 'action'; readonly action: Acted });

export function entriesOf(detail: CallDetail): readonly Entry[] {
  const answers = answersOf(detail);
  const entries: Entry[] = [
    ...detail.lines.flatMap((line): Entry[] => {
      // A turn that nothing came of is no line.
      if (line.text === '' && line.state !== 'partial' && line.speaker === 'agent') return [];
      const answeredMs = answers.get(line.id)?.firstAudioMs ?? null;
      return [{ kind: 'line', key: `line-${line.id}`, atMs: line.beganMs, line, answeredMs }];
    }),
    ...detail.tools.map(
      (tool): Entry => ({ kind: 'tool', key: `tool-${tool.id}`, atMs: tool.beganMs, tool }),
    ),
    ...detail.notices.map(
      (notice, at): Entry => ({ kind: 'notice', key: `notice-${at}`, atMs: notice.atMs, notice }),
    ),
    ...detail.actions.map(
      (action): Entry => ({ kind: 'action', key: `act-${action.id}`, atMs: action.atMs, action }),
    ),
  ];
  return entries.sort((one, other) => one.atMs - other.atMs);
}

/** How far from its answer's beginning a line may have begun, and still be that answer. */
const NEAR_MS = 4_000;

/** By the agent's line that began nearest to it. */
function answersOf({ answers, lines }: CallDetail): ReadonlyMap<string, Answer> {
  const found = new Map<string, Answer>();
  for (const answer of answers) {
    const { atMs } = answer;
    if (atMs === null) continue;
    const near = lines
      .filter((line) => line.speaker === 'agent' && !found.has(line.id))
      .map((line) => ({ id: line.id, far: Math.abs(line.beganMs - atMs) }))
      .sort((one, other) => one.far - other.far)[0];
    if (near !== undefined && near.far < NEAR_MS) found.set(near.id, answer);
  }
  return found;
}
