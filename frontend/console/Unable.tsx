import type { ReactNode } from 'react';
import { Button } from '../src/ui/Button';
import type { Can } from './protocol.gen';

interface Props {
  can: Can | undefined;
  icon: ReactNode;
  children: ReactNode;
}

/** What this call cannot do, with its reason. */
export function Unable({ can, icon, children }: Props) {
  return (
    <div className="action">
      <Button disabled>
        {icon}
        {children}
      </Button>
      <p className="hint">{can?.why ?? 'Not now.'}</p>
    </div>
  );
}
