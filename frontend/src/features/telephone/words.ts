/** What became of having oneself rung, in words. */
import type { Ringing } from './ringing';

export interface RingWords {
  readonly title: string;
  readonly text: string;
}

/** `null` where nothing has happened yet. */
export function ringWords({ phase, state, reason }: Ringing, agent: string): RingWords | null {
  if (phase === 'idle') return null;
  if (phase === 'asking' || state === 'booked')
    return { title: 'Placing the call…', text: `${agent} is about to ring you.` };
  switch (state) {
    case 'ringing':
      return { title: 'Your telephone is ringing', text: `Pick up to talk to ${agent}.` };
    case 'answered':
      return { title: 'Answered', text: `You are on the telephone with ${agent}.` };
    case 'busy':
      return { title: 'Your line was busy', text: 'Call again once it is free.' };
    case 'no_answer':
      return { title: 'Nobody answered', text: 'It rang, and nobody took the call.' };
    case 'machine':
      return { title: 'An answering machine took the call', text: 'Nobody spoke with you.' };
    case 'ended':
      return { title: 'The call is over', text: `You have spoken with ${agent}.` };
    case 'failed':
      return { title: 'The call did not come about', text: failure(reason) };
    case null:
      return {
        title: 'The call can no longer be followed',
        text: 'The server says nothing of it any more. Your telephone may still ring.',
      };
  }
}

function failure(reason: string | null): string {
  switch (reason) {
    case 'declined':
      return 'It was declined at the other end.';
    case 'carrier':
      return 'The telephone company did not take it.';
    case 'interrupted':
    case 'server_stopping':
      return 'The server stopped meanwhile.';
    default:
      return 'Something went wrong on the way.';
  }
}

/** What the button is called that leads here. */
export function callMeWords({ phase, state }: Ringing): string {
  if (phase === 'idle' || phase === 'over') return 'Call me instead';
  if (state === 'ringing') return 'Your telephone is ringing';
  return state === 'answered' ? 'You are on the telephone' : 'Placing your call…';
}

/** A telephone number as a `tel:` link has it (RFC 3966, global form). */
export function telLink(number: string): string {
  return `tel:${number.replace(/[^+0-9]/g, '')}`;
}
