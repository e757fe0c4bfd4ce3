/** The connections one may choose from, in words. */
import type { Choice, Way } from '../../voice/plan';
import type { PageConfig } from '../../voice/protocol.gen';

interface ConnectionChoice {
  readonly id: Choice;
  readonly title: string;
}

const CHOICES: readonly ConnectionChoice[] = [
  { id: 'automatic', title: 'Automatic' },
  { id: 'webrtc', title: 'WebRTC' },
  { id: 'websocket', title: 'WebSocket' },
];

/** None where the server leaves no choice. */
export function connectionChoices(config: PageConfig): readonly ConnectionChoice[] {
  return config.connections.includes('webrtc') ? CHOICES : [];
}

/** What a choice comes to with this model. */
export function connectionHint(choice: Choice, ways: readonly Way[], model: string): string {
  if (!ways.includes('webrtc')) return `${model} can be talked to over WebSocket only.`;
  switch (choice) {
    case 'automatic':
      return 'WebRTC, or WebSocket where the network blocks it.';
    case 'webrtc':
      return 'Your voice goes straight to the voice service.';
    case 'websocket':
      return 'Your voice goes through this server.';
  }
}
