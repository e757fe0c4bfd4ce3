import { Download } from 'lucide-react';
import { Button } from '../../ui/Button';
import type { Snapshot } from '../../voice/session';
import { asJson, asText } from './export';

interface Props {
  snapshot: Snapshot;
  agent: string;
}

export function SaveButtons({ snapshot, agent }: Props) {
  const name = `transcript-${snapshot.call ?? 'call'}`;
  return (
    <div className="save">
      <Button
        look="plain"
        onClick={() => save(`${name}.txt`, 'text/plain', asText(snapshot, agent))}
      >
        <Download size={20} aria-hidden="true" />
        Save as text
      </Button>
      <Button
        look="plain"
        onClick={() => save(`${name}.json`, 'application/json', asJson(snapshot, agent))}
      >
        <Download size={20} aria-hidden="true" />
        Save as JSON
      </Button>
    </div>
  );
}

function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun once the click is done; the next task may let go of it.
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
