/**
 * Which connection a call is made over, and what happens when that one fails. Pure.
 *
 *   webrtc ──blocked, unsupported, declined──▶ websocket   where the page may choose (automatic)
 *      └─────────────any of these────────────▶ told        where the caller chose WebRTC
 */
import type { AgentChoice, PageConfig } from './protocol.gen';

export type Way = PageConfig['connections'][number];
export type Choice = 'automatic' | Way;

/** Why a call is not over WebRTC although it might have been. */
export type Because =
  /** No packet came through: the network lets none pass. */
  | 'blocked'
  /** The browser has no WebRTC. */
  | 'unsupported'
  /** The server or the voice service did not take the offer. */
  | 'declined'
  /** The model speaks over WebSocket only. */
  | 'model'
  /** The agent takes no call that is not recorded, as over WebRTC none is. */
  | 'recorded';

export interface Plan {
  readonly way: Way;
  /** May go on over a WebSocket without asking. */
  readonly yields: boolean;
  /** Told once the call is connected; `null` where it is as wished. */
  readonly because: Because | null;
}

/** The ways a call with this model can take, of those the server offers. WebSocket always is one. */
export function waysOf(
  offered: readonly Way[] | undefined,
  model: readonly Way[] | undefined,
): Way[] {
  const able = (way: Way): boolean => (offered ?? []).includes(way) && (model ?? []).includes(way);
  return able('webrtc') ? ['webrtc', 'websocket'] : ['websocket'];
}

/** Those of them that a call with this agent takes. Whoever chose WebRTC is not recorded there. */
export function recordedWays(
  ways: readonly Way[],
  choice: Choice,
  recorded: AgentChoice['recorded'],
): readonly Way[] {
  const passesHere = recorded === 'always' || (recorded === 'maybe' && choice !== 'webrtc');
  return passesHere ? ['websocket'] : ways;
}

/** How to begin. `blocked` says that an earlier call found no way through this network. */
export function planFor(
  choice: Choice,
  ways: readonly Way[],
  blocked: boolean,
  recorded: AgentChoice['recorded'] = 'never',
): Plan {
  const direct: Plan = { way: 'websocket', yields: false, because: null };
  if (choice === 'websocket') return direct;
  if (!ways.includes('webrtc'))
    return choice === 'webrtc'
      ? { ...direct, because: recorded === 'always' ? 'recorded' : 'model' }
      : direct;
  if (choice === 'webrtc') return { way: 'webrtc', yields: false, because: null };
  if (blocked) return { ...direct, because: 'blocked' };
  return { way: 'webrtc', yields: true, because: null };
}

/** What to try now that the plan's way has failed; `null` where the caller must be told. */
export function planAfter(plan: Plan, because: Because): Plan | null {
  return plan.yields ? { way: 'websocket', yields: false, because } : null;
}
