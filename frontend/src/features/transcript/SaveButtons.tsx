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
      <span className="save-title">
        <Download size={16} aria-hidden="true" /> Save transcript
      </span>
      <Button
        look="plain"
        aria-label="Save transcript as text (.txt)"
        onClick={() => save(`${name}.txt`, 'text/plain', asText(snapshot, agent))}
      >
        .txt
      </Button>
      <Button
        look="plain"
        aria-label="Save transcript as data (.json)"
        onClick={() => save(`${name}.json`, 'application/json', asJson(snapshot, agent))}
      >
        .json
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
