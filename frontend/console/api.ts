/** The console's requests, and the streams it follows. */
import { EventParser } from '../src/voice/sse';
import { isRecord } from '../src/voice/wire';
import type { Deed, StreamMessage } from './protocol.gen';

const BASE = '/api/console';
const PATIENCE_MS = 15_000;
/** The server says something at least this often. */
const SILENCE_MS = 40_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Why there is no answer: the server's own words, where it had some. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

export async function ask<T>(path: string, signal: AbortSignal): Promise<T> {
  return request<T>(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) });
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

async function request<T>(path: string, init: RequestInit): Promise<T> {
  const answer = await fetch(BASE + path, init).catch(() => {
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

/** `ended` where the call did, and with it the stream. */
async function readStream(
  path: string,
  life: AbortSignal,
  take: (message: StreamMessage) => void,
): Promise<'ended' | null> {
  const silence = patience();
  try {
    const answer = await fetch(BASE + path, { signal: AbortSignal.any([life, silence.signal]) });
    if (!answer.ok || answer.body === null)
      throw refusal(answer.status, await answer.json().catch(() => null));
    const parser = new EventParser();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return null;
      silence.again();
      if (tellAll(parser.push(value), take)) return 'ended';
    }
  } finally {
    silence.over();
  }
}

function tellAll(
  events: readonly { readonly data: string }[],
  take: (message: StreamMessage) => void,
): boolean {
  for (const { data } of events) {
    const message = parsed(data);
    if (message !== null) take(message);
    if (message?.type === 'ended') return true;
  }
  return false;
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
