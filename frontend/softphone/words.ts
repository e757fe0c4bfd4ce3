/** What the softphone says of itself. */
import type { Passage } from './protocol.gen';
import type { Snapshot, Telephone } from './store';

/** `+442079460111` as people read it: in groups. */
export function spaced(number: string): string {
  const british = /^(\+44)(\d{2})(\d{4})(\d{4})$/.exec(number);
  if (british !== null) return british.slice(1).join(' ');
  const american = /^(\+1)(\d{3})(\d{3})(\d{4})$/.exec(number);
  if (american !== null) return american.slice(1).join(' ');
  return /^\+1\d{7}$/.test(number) ? `+1 ${number.slice(2, 5)} ${number.slice(5)}` : number;
}

/** A number as typed, as it is dialled; `null` where it is none. */
export function dialled(typed: string): string | null {
  const bare = typed.replace(/[\s().-]/g, '').replace(/^00/, '+');
  return /^\+[1-9]\d{2,14}$/.test(bare) ? bare : null;
}

/** The other side's name: the agent, another line here, or a number. */
export function named(other: string, now: Snapshot): string {
  if (other === now.agentNumber) return 'the agent';
  const line = now.lines.findIndex((one) => one.now.number === other);
  return line < 0 ? spaced(other) : `line ${line + 1}`;
}

export function headline({ now: line }: Telephone, now: Snapshot): string {
  const other = capital(named(line.other, now));
  switch (line.state) {
    case 'unplugged':
      return 'No number';
    case 'idle':
      return 'Ready';
    case 'calling':
      return `Ringing ${named(line.other, now)}`;
    case 'ringing':
      return `${other} is calling`;
    case 'talking':
      return line.held
        ? `On hold with ${named(line.other, now)}`
        : `In a call with ${named(line.other, now)}`;
    case 'ended':
      return 'Call ended';
    default:
      return line.state satisfies never;
  }
}

/** Minutes and seconds. */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The time of day to the millisecond, in the reader's zone. */
export function clock(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

/** JSON as people read it; what was cut off stays as it is. */
export function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

const KINDS: Readonly<Record<Passage['kind'], string>> = {
  request: 'Request',
  callback: 'Callback',
  event: 'Event Grid',
  media: 'Media',
  stop: 'Media',
  key: 'Media',
};

export function kindWord(passage: Passage): string {
  return KINDS[passage.kind];
}

export function wayWord(passage: Passage): string {
  return passage.way === 'to_carrier' ? 'agent to carrier' : 'carrier to agent';
}

/** How it was answered. */
export function outcome({ status }: Passage): string {
  if (status === null) return '';
  return status === 0 ? 'no answer' : String(status);
}

export function isTrouble({ status }: Passage): boolean {
  return status !== null && (status === 0 || status >= 400);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
