import { Phone } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/Button';
import type { AgentChoice, PhoneChoice } from '../../voice/protocol.gen';
import { CallMe } from './CallMe';
import type { Ringer, Ringing } from './ringing';
import './telephone.css';
import { callMeWords, telLink } from './words';

interface Props {
  phone: PhoneChoice;
  agents: readonly AgentChoice[];
  /** Whom the visitor has chosen: who rings them. */
  agent: AgentChoice;
  ringer: Ringer;
  ringing: Ringing;
}

/** The other way to talk: ring the number, or be rung. */
export function PhoneLine({ phone, agents, agent, ringer, ringing }: Props) {
  const [open, setOpen] = useState(false);
  const other = phone.agent === agent.id ? undefined : agents.find(({ id }) => id === phone.agent);
  return (
    <div className="phone-line">
      <p className="phone-ring">
        <Phone size={16} aria-hidden="true" />
        <span>
          Or ring <a href={telLink(phone.number)}>{phone.number}</a>
          {other === undefined ? null : `, where ${other.title} answers`}
        </span>
      </p>
      {phone.callMe ? (
        <>
          <Button look="plain" aria-haspopup="dialog" onClick={() => setOpen(true)}>
            {callMeWords(ringing)}
          </Button>
          <CallMe {...{ agent, ringer, ringing, open }} onClose={() => setOpen(false)} />
        </>
      ) : null}
    </div>
  );
}
