/** Having oneself rung: `/api/phone/calls`. */
import { isRecord } from '../voice/wire';
import { withBearer } from './bearer';

const PATIENCE_MS = 10_000;
/** The carrier is asked before the server answers. */
const PLACING_MS = 30_000;

export interface RingWish {
  /** A telephone number with its country. */
  readonly to: string;
  readonly agent: string;
  /** Sent again, it is the same call: nobody is rung twice. */
  readonly operation: string;
}

const STATES = [
  'booked',
  'ringing',
  'answered',
  'busy',
  'no_answer',
  'failed',
  'machine',
  'ended',
] as const;

export type RingState = (typeof STATES)[number];

export interface Rung {
  readonly call: string;
  readonly state: RingState;
  readonly reason: string | null;
}

/** The server will not. `text` is in its words, where it had some. */
export class NotRung extends Error {
  readonly status: number;
  readonly text: string | null;

  constructor(status: number, text: string | null) {
    super(`not rung: ${status}`);
    this.status = status;
    this.text = text;
  }
}

type Asked = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

/** Raises `NotRung` for a refusal, and whatever `fetch` does where nobody knows what came of it. */
export function ring(wish: RingWish): Promise<Rung> {
  return asked('/api/phone/calls', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wish),
    signal: AbortSignal.timeout(PLACING_MS),
  });
}

/** How a call stands. Raises as `ring` does. */
export function look(call: string): Promise<Rung> {
  const path = `/api/phone/calls/${encodeURIComponent(call)}`;
  return asked(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
}

async function asked(path: string, { headers, ...init }: Asked): Promise<Rung> {
  const bearing = await withBearer(headers).catch(() => {
    throw new NotRung(401, 'Your sign-in has run out. Reload this page, and sign in again.');
  });
  const answer = await fetch(path, { ...init, headers: bearing });
  const body: unknown = await answer.json().catch(() => null);
  const rung = answer.ok ? rungOf(body) : null;
  if (rung !== null) return rung;
  const text = isRecord(body) && typeof body['text'] === 'string' ? body['text'] : null;
  throw new NotRung(answer.status, text);
}

/** What the server says of a call; `null` where it is not that. */
export function rungOf(body: unknown): Rung | null {
  if (!isRecord(body) || typeof body['call'] !== 'string') return null;
  const state = STATES.find((known) => known === body['state']);
  if (state === undefined) return null;
  const reason = typeof body['reason'] === 'string' ? body['reason'] : null;
  return { call: body['call'], state, reason };
}
