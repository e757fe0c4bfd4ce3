import { afterEach, expect, test, vi } from 'vitest';
import { NotPlaced } from '../voice/connection';
import { placeCall } from './http';

const WISH = { agent: 'bank' } as Parameters<typeof placeCall>[0];
const PLACED = { call: 'c1', socket: '/api/calls/c1/audio', ticket: 't', expiresSeconds: 30 };
const STOPPING = { code: 'stopping', text: 'This server is stopping.' };

afterEach(() => vi.unstubAllGlobals());

/** A line of servers, each of which is asked once. */
function servers(...answers: Response[]): () => number {
  let asked = 0;
  vi.stubGlobal('fetch', async () => {
    const answer = answers[asked] ?? answers.at(-1);
    asked += 1;
    return answer?.clone();
  });
  return () => asked;
}

function answer(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'retry-after': '0' } });
}

test('who meets a server that stops is let in by another one', async () => {
  const asked = servers(answer(503, STOPPING), answer(201, PLACED));
  expect(await placeCall(WISH, new AbortController().signal)).toMatchObject({ call: 'c1' });
  expect(asked()).toBe(2);
});

test('where there is no other, it says so in words', async () => {
  const asked = servers(answer(503, STOPPING));
  const placing = placeCall(WISH, new AbortController().signal);
  await expect(placing).rejects.toBeInstanceOf(NotPlaced);
  await expect(placing).rejects.toMatchObject({
    trouble: { code: 'stopping', text: STOPPING.text },
  });
  expect(asked()).toBe(3);
});

test('busy lines are not asked again', async () => {
  const asked = servers(answer(503, { code: 'lines_busy', text: 'All lines are busy.' }));
  await expect(placeCall(WISH, new AbortController().signal)).rejects.toMatchObject({
    trouble: { code: 'busy' },
  });
  expect(asked()).toBe(1);
});

test('who gives up meanwhile is let go', async () => {
  const late = new Response(JSON.stringify(STOPPING), {
    status: 503,
    headers: { 'retry-after': '2' },
  });
  servers(late);
  const going = new AbortController();
  const placing = placeCall(WISH, going.signal);
  setTimeout(() => going.abort(), 20);
  await expect(placing).rejects.toMatchObject({ trouble: { code: 'unreachable' } });
});
