/** Trouble in words: what happened, what was kept, what to do. */
import type { MicrophoneState, Snapshot, Trouble } from '../../voice/session';

export interface Words {
  readonly title: string;
  readonly text: string;
}

export function troubleWords(trouble: Trouble, kept: boolean): Words {
  const words = TROUBLE[trouble.code];
  const keeps = kept ? ' What was said so far is kept on this page.' : '';
  return { title: words.title, text: `${trouble.text ?? words.text}${keeps}` };
}

const TROUBLE: Readonly<Record<Trouble['code'], Words>> = {
  unreachable: {
    title: 'The server does not answer',
    text: 'No call was begun. Check that it is running and that you are online, then try again.',
  },
  busy: {
    title: 'All lines are busy',
    text: 'No call was begun. A line should be free again in a minute.',
  },
  refused: {
    title: 'The server ended the call',
    text: 'It did not say why. You can call again.',
  },
  ticket: {
    title: 'The call could not be connected',
    text: 'The ticket for it was too old, or the server went away. A new call gets a new ticket.',
  },
  lost: {
    title: 'The connection was lost',
    text: 'It did not come back in time, so the call has ended. You can call again.',
  },
  sound: {
    title: 'This browser would not play sound',
    text: 'No call was begun. Close other programs that use the sound device, then try again.',
  },
};

/** `null` where the microphone is as it should be. */
export function microphoneWords(state: MicrophoneState): Words | null {
  switch (state) {
    case 'on':
    case 'off':
      return null;
    case 'opening':
      return {
        title: 'Waiting for your microphone',
        text: 'If your browser asks, choose Allow.',
      };
    case 'denied':
      return {
        title: 'Your microphone is blocked',
        text: 'The call goes on: you can type. To speak, allow the microphone in the settings beside the page’s address, then try again.',
      };
    case 'missing':
      return {
        title: 'No microphone was found',
        text: 'The call goes on: you can type. To speak, connect one, then try again.',
      };
    case 'busy':
      return {
        title: 'Another program holds your microphone',
        text: 'The call goes on: you can type. To speak, close that program, then try again.',
      };
    case 'lost':
      return {
        title: 'Your microphone went away',
        text: 'The call goes on: you can type. To speak, connect it again or choose another in Settings.',
      };
    case 'unsupported':
      return {
        title: 'This browser cannot use the microphone here',
        text: 'The call goes on: you can type. Microphones need a current browser, and https or localhost.',
      };
  }
}

/** One line for the connection. */
export function connectionWords(now: Snapshot): string {
  switch (now.phase) {
    case 'idle':
      return '';
    case 'dialling':
      return 'Connecting…';
    case 'live':
      return 'Connected';
    case 'away':
      return 'Reconnecting…';
    case 'ended':
      return 'Call ended';
  }
}
