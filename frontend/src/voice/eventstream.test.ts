import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { EventStream } from './eventstream';
import type { RtcPlaced, ServerMessage } from './protocol.gen';
import type { Gone } from './transport';

const PLACED: RtcPlaced = {
  call: 'call_1',
  answer: 'v=0',
  events: '/events',
  messages: '/messages',
  offers: '/offers',
  ticket: 'secret',
};
const READY = { type: 'ready', call: 'call_1', resume: '', reattachSeconds: 1, resumed: false };

/** A real server of one call. */
class Desk {
  readonly server: Server = createServer((request, answer) => void this.#serve(request, answer));
  readonly streams: ServerResponse[] = [];
  readonly lastIds: (string | undefined)[] = [];
  readonly received: unknown[] = [];
  refuses: number | null = null;
  reattachSeconds = 1;
  offered: () => { status: number; body: unknown } = () => ({
    status: 200,
    body: { answer: 'v=0' },
  });

  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (request.headers['switchboard-ticket'] !== 'secret') return void answer.writeHead(401).end();
    if (request.url === '/events') return this.#stream(request, answer);
    let body = '';
    for await (const piece of request) body += String(piece);
    this.received.push(JSON.parse(body));
    if (request.url === '/messages') return void answer.writeHead(204).end();
    const { status, body: said } = this.offered();
    answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said));
  }

  #stream(request: IncomingMessage, answer: ServerResponse): void {
    if (this.refuses !== null) return void answer.writeHead(this.refuses).end();
    this.lastIds.push(request.headers['last-event-id'] as string | undefined);
    this.streams.push(answer);
    answer.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (this.streams.length === 1)
      this.say('1', { ...READY, reattachSeconds: this.reattachSeconds });
  }

  say(id: string, message: object): void {
    this.streams.at(-1)?.write(`id: ${id}\ndata: ${JSON.stringify(message)}\n\n`);
  }

  break(): void {
    this.streams.at(-1)?.destroy();
  }
}

interface Heard {
  messages: ServerMessage[];
  states: string[];
  gone: Gone[];
  unsent: (string | null)[];
}

const open: { desk: Desk; stream: EventStream }[] = [];

async function follow(
  desk: Desk,
  silenceMs = 10_000,
  network?: (heard: (on: boolean) => void) => () => void,
) {
  desk.server.listen(0, '127.0.0.1');
  await once(desk.server, 'listening');
  const address = desk.server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  const heard: Heard = { messages: [], states: [], gone: [], unsent: [] };
  const stream = new EventStream(
    PLACED,
    {
      message: (message) => heard.messages.push(message),
      up: () => heard.states.push('up'),
      down: () => heard.states.push('down'),
      gone: (why) => heard.gone.push(why),
      unsent: (text) => heard.unsent.push(text),
    },
    { origin: `http://127.0.0.1:${address.port}/`, backOffMs: [10, 20, 40], silenceMs, network },
  );
  open.push({ desk, stream });
  return { stream, heard };
}

afterEach(() => {
  for (const { desk, stream } of open.splice(0)) {
    stream.close();
    desk.server.close();
    desk.server.closeAllConnections();
  }
});

test('what the server says comes in its order, and what the page says goes out in its own', async () => {
  const desk = new Desk();
  const { stream, heard } = await follow(desk);
  expect(stream.send({ type: 'key', key: '1' }), 'nobody is there yet').toBe(false);
  await expect.poll(() => heard.messages.length).toBe(1);
  expect(stream.reattachMs).toBe(1_000);
  for (const key of ['1', '2', '3']) expect(stream.send({ type: 'key', key })).toBe(true);
  desk.say('2', { type: 'floor', floor: 'agent' });
  await expect.poll(() => heard.messages.length).toBe(2);
  await expect
    .poll(() => desk.received)
    .toEqual(['1', '2', '3'].map((key) => ({ type: 'key', key })));
});

test('a broken stream goes on after the last event, and nobody is troubled', async () => {
  const desk = new Desk();
  const { heard } = await follow(desk);
  await expect.poll(() => heard.messages.length).toBe(1);
  desk.say('7', { type: 'floor', floor: 'caller' });
  await expect.poll(() => heard.messages.length).toBe(2);
  desk.break();
  await expect.poll(() => desk.streams.length).toBe(2);
  desk.say('8', { type: 'floor', floor: 'agent' });
  await expect.poll(() => heard.messages.length).toBe(3);
  expect(desk.lastIds).toEqual([undefined, '7']);
  expect(heard.states).toEqual(['up', 'up']);
});

test('a stream that cannot be opened again is down, and comes back', async () => {
  const desk = new Desk();
  const { stream, heard } = await follow(desk);
  await expect.poll(() => heard.messages.length).toBe(1);
  desk.refuses = 503;
  desk.break();
  await expect.poll(() => heard.states.at(-1)).toBe('down');
  expect(stream.send({ type: 'key', key: '1' })).toBe(false);
  desk.refuses = null;
  await expect.poll(() => heard.states.at(-1)).toBe('up');
  expect(heard.gone).toEqual([]);
});

test('a stream that stays lost is given up when the server gives the call up', async () => {
  const desk = new Desk();
  desk.reattachSeconds = 0.2;
  const { heard } = await follow(desk);
  await expect.poll(() => heard.messages.length).toBe(1);
  desk.refuses = 503;
  const began = Date.now();
  desk.break();
  await expect.poll(() => heard.gone).toEqual(['lost']);
  expect(Date.now() - began).toBeGreaterThanOrEqual(190);
});

test.each([
  [401, 'refused'],
  [404, 'refused'],
] as const)('a call that is not ours is not asked for again: %i', async (status, why) => {
  const desk = new Desk();
  desk.refuses = status;
  const { heard } = await follow(desk);
  await expect.poll(() => heard.gone).toEqual([why]);
});

test('a call the server no longer knows has ended', async () => {
  const desk = new Desk();
  const { heard } = await follow(desk);
  await expect.poll(() => heard.messages.length).toBe(1);
  desk.refuses = 404;
  desk.break();
  await expect.poll(() => heard.gone).toEqual(['lost']);
});

test('a stream that falls silent is taken for lost, and opened again', async () => {
  const desk = new Desk();
  await follow(desk, 50);
  await expect.poll(() => desk.streams.length).toBeGreaterThanOrEqual(2);
});

test('a pinged stream is left alone', async () => {
  const desk = new Desk();
  await follow(desk, 150);
  await expect.poll(() => desk.streams.length).toBe(1);
  for (let beat = 0; beat < 10; beat += 1) {
    desk.streams[0]?.write(': ping\n\n');
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  expect(desk.streams).toHaveLength(1);
});

test('a network that comes back is used at once', async () => {
  let change: (online: boolean) => void = () => undefined;
  const desk = new Desk();
  const { heard } = await follow(desk, 10_000, (listener) => {
    change = listener;
    return () => undefined;
  });
  await expect.poll(() => heard.messages.length).toBe(1);
  change(true);
  await expect.poll(() => desk.streams.length).toBe(2);
  expect(heard.states).toEqual(['up', 'up']);
});

test('after `ended` nothing more is asked, and the end is no loss', async () => {
  const desk = new Desk();
  const { stream, heard } = await follow(desk);
  await expect.poll(() => heard.messages.length).toBe(1);
  desk.say('2', { type: 'ended', reason: 'goodbye', text: 'Bye.' });
  await expect.poll(() => heard.gone).toEqual(['over']);
  stream.close();
  expect(stream.send({ type: 'key', key: '1' })).toBe(false);
  expect(desk.received).toEqual([]);
});

test('closing says goodbye, even before the stream is open', async () => {
  const desk = new Desk();
  const { stream, heard } = await follow(desk);
  stream.close();
  await expect.poll(() => desk.received).toEqual([{ type: 'end' }]);
  expect(heard.gone).toEqual([]);
});

test.each([
  [{ status: 200, body: { answer: 'v=0 again' } }, { answer: 'v=0 again' }],
  [{ status: 404, body: {} }, 'over'],
  [{ status: 503, body: {} }, 'again'],
  [{ status: 200, body: {} }, 'again'],
])('a new offer is answered, or not: %j', async (said, outcome) => {
  const desk = new Desk();
  desk.offered = () => said;
  const { stream } = await follow(desk);
  expect(await stream.offer('v=0 mine')).toEqual(outcome);
  expect(desk.received).toEqual([{ offer: 'v=0 mine' }]);
});
