/** Trouble in words: what happened, what was kept, what to do. */
import type { Because } from '../../voice/plan';
import type { MicrophoneState, Snapshot, Trouble } from '../../voice/session';

export interface Words {
  readonly title: string;
  readonly text: string;
}

export interface TroubleWords extends Words {
  /** A WebSocket may do what WebRTC could not. */
  readonly otherWay: boolean;
}

export function troubleWords(trouble: Trouble, kept: boolean): TroubleWords {
  const { title, why, way, otherWay = false } = TROUBLE[trouble.code];
  const parts = [trouble.text ?? why, kept ? 'What was said is kept on this page.' : '', way];
  return { title, text: parts.filter((part) => part !== '').join(' '), otherWay };
}

interface Explained {
  readonly title: string;
  /** Unless the server has better words. */
  readonly why: string;
  readonly way: string;
  readonly otherWay?: boolean;
}

const TROUBLE: Readonly<Record<Trouble['code'], Explained>> = {
  unreachable: {
    title: 'The server does not answer',
    why: 'No call was begun.',
    way: 'Check that it is running and that you are online, then try again.',
  },
  busy: {
    title: 'All lines are busy',
    why: 'No call was begun.',
    way: 'A line should be free again in a minute.',
  },
  stopping: {
    title: 'The server is being stopped',
    why: 'No call was begun.',
    way: 'Another one takes over in a moment. Try again.',
  },
  often: {
    title: 'Too many calls in a short time',
    why: 'No call was begun.',
    way: 'Wait a minute, then try again.',
  },
  spent: {
    title: 'That is all for today',
    why: 'No call was begun.',
    way: 'You can call again tomorrow.',
  },
  model: {
    title: 'The voice service cannot be reached',
    why: 'No call was begun.',
    way: 'Try again in a moment.',
  },
  stale: {
    title: 'What you chose is no longer offered',
    why: 'No call was begun.',
    way: 'Reload the page to see what is.',
  },
  refused: {
    title: 'The server would not go on with the call',
    why: 'It did not say why.',
    way: 'You can call again.',
  },
  ticket: {
    title: 'The call could not be connected',
    why: 'The ticket for it was too old, or the server went away.',
    way: 'A new call gets a new ticket.',
  },
  lost: {
    title: 'The connection was lost',
    why: 'It did not come back in time, so the call has ended.',
    way: 'You can call again.',
  },
  sound: {
    title: 'This browser would not play sound',
    why: 'No call was begun.',
    way: 'Close other programs that use the sound device, then try again.',
  },
  blocked: {
    title: 'This network blocks WebRTC',
    why: 'No sound came through within a few seconds, so the call was ended.',
    way: 'A WebSocket should get through.',
    otherWay: true,
  },
  unsupported: {
    title: 'This browser has no WebRTC',
    why: 'No call was begun.',
    way: 'A WebSocket will do.',
    otherWay: true,
  },
  declined: {
    title: 'The call could not be made over WebRTC',
    why: 'The voice service did not take it.',
    way: 'A WebSocket may do.',
    otherWay: true,
  },
};

const BECAUSE: Readonly<Record<Because, string>> = {
  blocked: 'this network blocks WebRTC.',
  unsupported: 'this browser has no WebRTC.',
  declined: 'the voice service did not take a call over WebRTC.',
  model: 'this model cannot be talked to over WebRTC.',
  recorded: 'calls with this agent are recorded, which those over WebRTC cannot be.',
};

/** Why the call is not carried as it was wished; `null` where it is. */
export function becauseWords(because: Because | null): string | null {
  return because === null ? null : `Connected over WebSocket: ${BECAUSE[because]}`;
}

/** What the way of a call means for it. */
export function wayWords({ way, roundTripMs }: Snapshot): string {
  const path =
    way === 'webrtc'
      ? 'Your voice goes straight to the voice service over WebRTC. The words and the tools stay with this server.'
      : 'Your voice goes through this server over a WebSocket.';
  if (roundTripMs === null) return path;
  const end = way === 'webrtc' ? 'to the voice service' : 'to the server';
  return `${path} Round trip ${end}: ${Math.round(roundTripMs)} ms.`;
}

/** `null` where the microphone is as it should be. */
export function microphoneWords(state: MicrophoneState): Words | null {
  switch (state) {
    case 'on':
    case 'off':
    case 'opening':
      return null;
    case 'denied':
      return {
        title: 'Your microphone is blocked',
        text: 'You can type instead. To speak, allow it beside the page’s address, then press Use microphone.',
      };
    case 'missing':
      return {
        title: 'No microphone was found',
        text: 'You can type instead. To speak, connect one, then press Use microphone.',
      };
    case 'busy':
      return {
        title: 'Another program holds your microphone',
        text: 'You can type instead. To speak, close that program, then press Use microphone.',
      };
    case 'lost':
      return {
        title: 'Your microphone went away',
        text: 'You can type instead. To speak, connect it or choose another in Settings, then press Use microphone.',
      };
    case 'unsupported':
      return {
        title: 'This browser cannot use the microphone here',
        text: 'You can type instead. Speaking needs a current browser, and https or localhost.',
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
