/** The console's requests, and the streams it follows. */
import { withBearer } from '../src/api/bearer';
import { NotLetIn } from '../src/api/http';
import { EventParser } from '../src/voice/sse';
import { isRecord } from '../src/voice/wire';
import type { Deed, Me, StreamMessage } from './protocol.gen';

const BASE = '/api/console';
const PATIENCE_MS = 15_000;
/** The server says something at least this often. */
const SILENCE_MS = 40_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** Before a stream is asked for with a fresh token. */
const COME_BACK_MS = 100;

/** Why there is no answer: the server's own words, where it had some. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

export async function ask<T>(path: string, signal: AbortSignal): Promise<T> {
  return request<T>(path, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
  });
}

/** Who looks. Raises `NotLetIn` for whoever may not, and `Refused`. */
export async function fetchMe(signal: AbortSignal): Promise<Me> {
  return ask<Me>('/me', signal).catch((error: unknown) => {
    if (error instanceof Refused && (error.status === 401 || error.status === 403))
      throw new NotLetIn(error.status, error.message);
    throw error;
  });
}

export async function act<T>(call: string, deed: Deed): Promise<T> {
  return post<T>(`/calls/${call}/actions`, deed);
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  return request<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}

/** The sound of a past call, whole. Written down as having been heard. */
export async function fetchSound(call: string, signal: AbortSignal): Promise<Blob> {
  return fetchFile(`/calls/${call}/recording`, signal);
}

/** Something that is no JSON. */
export async function fetchFile(path: string, signal: AbortSignal): Promise<Blob> {
  const answer = await fetch(BASE + path, { headers: await bearing(), signal });
  if (!answer.ok) throw refusal(answer.status, await answer.json().catch(() => null));
  return answer.blob();
}

type Asked = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

async function bearing(headers: Record<string, string> = {}): Promise<Record<string, string>> {
  return withBearer(headers).catch(() => {
    throw new Refused(401, 'Your sign-in has run out. Reload this page, and sign in again.');
  });
}

async function request<T>(path: string, { headers, ...init }: Asked): Promise<T> {
  const shown = await bearing(headers);
  const answer = await fetch(BASE + path, { ...init, headers: shown }).catch(() => {
    throw new Refused(0, 'The server does not answer.');
  });
  const body: unknown = await answer.json().catch(() => null);
  // The shape is the server's word: page and server are built from one protocol.
  if (answer.ok && body !== null) return body as T;
  throw refusal(answer.status, body);
}

function refusal(status: number, body: unknown): Refused {
  const text = isRecord(body) && typeof body['text'] === 'string' ? body['text'] : null;
  return new Refused(status, text ?? `The server answered ${status}.`);
}

export interface Follower {
  message(message: StreamMessage): void;
  /** The stream is lost; it is being asked for again. */
  lost(): void;
  /** It is not to be had. */
  refused(refused: Refused): void;
}

/** Follow a stream until `life` ends or the call does. It comes back by itself. */
export async function follow(path: string, life: AbortSignal, follower: Follower): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  const take = (message: StreamMessage): void => {
    pause = FIRST_PAUSE_MS;
    follower.message(message);
  };
  while (!life.aborted) {
    const end = await readStream(path, life, take).catch(refusedFor);
    if (life.aborted || end === 'ended') return;
    if (end === 'again') {
      await sleep(COME_BACK_MS, life);
      continue;
    }
    if (end instanceof Refused) {
      follower.refused(end);
      return;
    }
    follower.lost();
    await sleep(pause, life);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** What no patience mends: not signed in, not allowed, no such call, over. */
function refusedFor(error: unknown): Refused | null {
  if (!(error instanceof Refused)) return null;
  const { status } = error;
  const final = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return final ? error : null;
}

/** `ended` where the call did, and with it the stream; `again` where a fresh token goes on. */
async function readStream(
  path: string,
  life: AbortSignal,
  take: (message: StreamMessage) => void,
): Promise<'ended' | 'again' | null> {
  const silence = patience();
  try {
    const signal = AbortSignal.any([life, silence.signal]);
    const answer = await fetch(BASE + path, { headers: await bearing(), signal });
    if (!answer.ok || answer.body === null)
      throw refusal(answer.status, await answer.json().catch(() => null));
    const parser = new EventParser();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return null;
      silence.again();
      const end = tellAll(parser.push(value), take);
      if (end !== null) return end;
    }
  } finally {
    silence.over();
  }
}

function tellAll(
  events: readonly { readonly data: string }[],
  take: (message: StreamMessage) => void,
): 'ended' | 'again' | null {
  for (const { data } of events) {
    const message = parsed(data);
    if (message?.type === 'comeBack') return 'again';
    if (message !== null) take(message);
    if (message?.type === 'ended') return 'ended';
  }
  return null;
}

/** Gives a stream up that says nothing for too long. */
function patience() {
  const stale = new AbortController();
  const arm = (): ReturnType<typeof setTimeout> => setTimeout(() => stale.abort(), SILENCE_MS);
  let timer = arm();
  return {
    signal: stale.signal,
    again: (): void => {
      clearTimeout(timer);
      timer = arm();
    },
    over: (): void => clearTimeout(timer),
  };
}

function parsed(data: string): StreamMessage | null {
  try {
    const message: unknown = JSON.parse(data);
    return isRecord(message) && typeof message['type'] === 'string'
      ? (message as unknown as StreamMessage)
      : null;
  } catch {
    return null;
  }
}

function sleep(ms: number, life: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    life.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
