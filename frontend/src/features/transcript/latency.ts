/** What a latency means to somebody who waited for it. */
import type { Latency } from '../../voice/protocol.gen';

export type Grade = 'good' | 'fair' | 'poor';

const GOOD_MS = 800;
const FAIR_MS = 1_500;

export function grade(ms: number): Grade {
  if (ms < GOOD_MS) return 'good';
  return ms < FAIR_MS ? 'fair' : 'poor';
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function meaning(latency: Latency): string {
  const sent = Math.round(latency.firstAudioMs);
  const heard = latency.firstHeardMs === null ? null : Math.round(latency.firstHeardMs);
  const measured = `From the end of your sentence to the first sound of the answer: ${sent} ms`;
  return heard === null
    ? `${measured}.`
    : `${measured} until it was sent, ${heard} ms until you heard it.`;
}
