import { useEffect, useRef, useState } from 'react';
import type { Entry } from '../../voice/session';

interface Props {
  entries: readonly Entry[];
  agent: string;
}

/** Reads whole lines to a screen reader, each once; words still on their way would only chatter. */
export function Announcer({ entries, agent }: Props) {
  const told = useRef(new Set<string>());
  const [words, setWords] = useState('');
  useEffect(() => {
    const fresh = entries.flatMap((entry) => {
      const sentence = announcement(entry, agent);
      if (sentence === null || told.current.has(sentence.key)) return [];
      told.current.add(sentence.key);
      return [sentence.text];
    });
    if (fresh.length > 0) setWords(fresh.join(' '));
  }, [entries, agent]);
  return (
    <p className="unseen" aria-live="polite">
      {words}
    </p>
  );
}

export function announcement(entry: Entry, agent: string): { key: string; text: string } | null {
  if (entry.kind === 'notice') return { key: entry.id, text: entry.text };
  if (entry.kind === 'tool') {
    if (entry.state === 'running' || entry.state === 'abandoned') return null;
    const text =
      entry.state === 'asking'
        ? (entry.question ?? entry.title)
        : `${entry.title}: ${entry.state}.`;
    return { key: `${entry.id}-${entry.state}`, text };
  }
  if (entry.state === 'partial' || entry.text === '') return null;
  return { key: entry.id, text: `${entry.speaker === 'agent' ? agent : 'You'}: ${entry.text}` };
}
