/** The requests the page makes before there is a call. */
import { NotPlaced } from '../voice/connection';
import type {
  CallPlaced,
  PageConfig,
  PlaceCall,
  RtcPlaced,
  SignInChoice,
} from '../voice/protocol.gen';
import type { Trouble } from '../voice/session';
import { isRecord } from '../voice/wire';
import { withBearer } from './bearer';

const PATIENCE_MS = 10_000;
/** The server asks the voice service twice before it can answer an offer. */
const NEGOTIATION_MS = 20_000;
const AGAIN_TIMES = 2;
const LONGEST_PAUSE_MS = 2_500;

/** The server does not let this visitor in: it does not know them (401), or they may not (403). */
export class NotLetIn extends Error {
  readonly status: 401 | 403;
  readonly text: string;

  constructor(status: 401 | 403, text: string) {
    super(`not let in: ${status}`);
    this.status = status;
    this.text = text;
  }
}

/**
 * What the page may offer. Raises `NotLetIn`, and otherwise where the server does not answer, or
 * not with that.
 */
export async function fetchConfig(signal: AbortSignal): Promise<PageConfig> {
  const answer = await fetch('/api/config', {
    headers: await withBearer(),
    signal: patient(signal),
  });
  const body: unknown = await answer.json();
  if (answer.status === 401 || answer.status === 403) {
    const text = isRecord(body) && typeof body['text'] === 'string' ? body['text'] : '';
    throw new NotLetIn(answer.status, text);
  }
  if (!answer.ok || !isConfig(body)) throw new Error('no configuration');
  return {
    ...body,
    phone: isPhone(body.phone) ? body.phone : null,
    you: isYou(body.you) ? body.you : null,
    signIn: isSignIn(body.signIn) ? body.signIn : null,
  };
}

/** Where to sign in; `null` where the page has no part in it. Raises where nobody answers. */
export async function fetchSignIn(signal: AbortSignal): Promise<SignInChoice | null> {
  const answer = await fetch('/api/sign-in', { signal: patient(signal) });
  const body: unknown = await answer.json();
  const choice = answer.ok && isRecord(body) ? body['signIn'] : null;
  return isSignIn(choice) ? choice : null;
}

/** A ticket for one call. Raises `NotPlaced`. */
export async function placeCall(wish: PlaceCall, signal: AbortSignal): Promise<CallPlaced> {
  const answer = await posted(wish, patient(signal));
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok && isPlaced(body)) return body;
  throw new NotPlaced(troubleOf(answer.status, body));
}

/**
 * The answer to an offer, with a call that has begun. Raises `NotPlaced`. It is waited for even
 * when the caller has given up: only who has the ticket can end what has begun.
 */
export async function placeOffer(wish: PlaceCall): Promise<RtcPlaced> {
  const answer = await posted(wish, AbortSignal.timeout(NEGOTIATION_MS));
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok && isRtcPlaced(body)) return body;
  throw new NotPlaced(troubleOf(answer.status, body));
}

/** A server that stops says so, and who asks again soon is let in by another one. */
async function posted(wish: PlaceCall, signal: AbortSignal): Promise<Response> {
  let answer = await post(wish, signal);
  for (let again = 0; again < AGAIN_TIMES && (await isStopping(answer)); again += 1) {
    await pause(retryMs(answer), signal);
    answer = await post(wish, signal);
  }
  return answer;
}

async function isStopping(answer: Response): Promise<boolean> {
  if (answer.status !== 503) return false;
  const body: unknown = await answer
    .clone()
    .json()
    .catch(() => null);
  return isRecord(body) && body['code'] === 'stopping';
}

function retryMs(answer: Response): number {
  const wished = Number(answer.headers.get('retry-after') ?? '1') * 1_000;
  return Number.isFinite(wished) ? Math.min(Math.max(wished, 0), LONGEST_PAUSE_MS) : 1_000;
}

/** Raises `NotPlaced` where the caller has given up meanwhile. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((go, stop) => {
    const timer = setTimeout(go, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      stop(new NotPlaced({ code: 'unreachable', text: null }));
    });
  });
}

async function post(wish: PlaceCall, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch('/api/calls', {
      method: 'POST',
      headers: await bearing({ 'content-type': 'application/json' }),
      body: JSON.stringify(wish),
      signal,
    });
  } catch (error) {
    if (error instanceof NotPlaced) throw error;
    throw new NotPlaced({ code: 'unreachable', text: null });
  }
}

async function bearing(headers: Record<string, string>): Promise<Record<string, string>> {
  try {
    return await withBearer(headers);
  } catch {
    const text = 'Your sign-in has run out. Reload this page, and sign in again.';
    throw new NotPlaced({ code: 'refused', text });
  }
}

/** What the server's own codes come to; for the rest the status must do. */
const CODES: Readonly<Record<string, Trouble['code']>> = {
  lines_busy: 'busy',
  stopping: 'stopping',
  too_often: 'often',
  budget_spent: 'spent',
  model_unavailable: 'model',
  unknown_agent: 'stale',
  unknown_voice: 'stale',
  unknown_model: 'stale',
};

export function troubleOf(status: number, body: unknown): Trouble {
  const problem = isRecord(body) ? body : {};
  const text = typeof problem['text'] === 'string' ? problem['text'] : null;
  const known = typeof problem['code'] === 'string' ? CODES[problem['code']] : undefined;
  if (known !== undefined) return { code: known, text };
  if (status === 429 || status === 503) return { code: 'busy', text };
  // A gateway that cannot reach the server answers in its own words, which help nobody here.
  if (status === 502 || status === 504) return { code: 'unreachable', text: null };
  return { code: 'refused', text };
}

function patient(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
}

function isPlaced(body: unknown): body is CallPlaced {
  return hasTexts(body, 'call', 'socket', 'ticket');
}

function isRtcPlaced(body: unknown): body is RtcPlaced {
  return hasTexts(body, 'call', 'answer', 'events', 'messages', 'offers', 'ticket');
}

function hasTexts(body: unknown, ...fields: string[]): boolean {
  return isRecord(body) && fields.every((field) => typeof body[field] === 'string');
}

function isPhone(body: unknown): boolean {
  return hasTexts(body, 'number', 'agent');
}

function isYou(body: unknown): body is NonNullable<PageConfig['you']> {
  return hasTexts(body, 'name');
}

function isSignIn(body: unknown): body is SignInChoice {
  return hasTexts(body, 'clientId', 'authority', 'scope');
}

function isConfig(body: unknown): body is PageConfig {
  return (
    isRecord(body) &&
    Array.isArray(body['agents']) &&
    body['agents'].length > 0 &&
    body['agents'].every((agent) => isRecord(agent) && typeof agent['id'] === 'string') &&
    Array.isArray(body['voices']) &&
    Array.isArray(body['models'])
  );
}
