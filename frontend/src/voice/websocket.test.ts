import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { WebSocket as NodeSocket, type WebSocket as ServerSocket, WebSocketServer } from 'ws';
import type { Network } from './network';
import type { CallPlaced, ServerMessage } from './protocol.gen';
import type { Gone, Transport } from './transport';
import { isFinal, openWebSocket } from './websocket';

/** A real server on a free port, which lets in whoever shows a ticket that was not used yet. */
class Line {
  readonly server: WebSocketServer;
  readonly sockets: ServerSocket[] = [];
  readonly received: { type: string }[] = [];
  readonly closes: number[] = [];
  readonly tickets = new Set(['first']);
  reattachSeconds = 1;
  silent = false;
  /** It takes whoever comes, and tells them to try again later: their tickets stay good. */
  busy = false;
  readonly turnedAway: string[] = [];

  constructor() {
    this.server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: (protocols) => (protocols.has('switchboard.v1') ? 'switchboard.v1' : false),
      verifyClient: ({
        req,
      }: {
        req: { headers: Record<string, string | string[] | undefined> };
      }) => this.#redeem(String(req.headers['sec-websocket-protocol'])),
    });
    this.server.on('connection', (socket) => this.#welcome(socket));
  }

  placed(): CallPlaced {
    return {
      call: 'call_1',
      socket: '/api/calls/call_1/audio',
      ticket: 'first',
      expiresInSeconds: 30,
    };
  }

  origin(): string {
    const address = this.server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not listening');
    return `http://127.0.0.1:${address.port}/`;
  }

  #redeem(protocols: string): boolean {
    const ticket = protocols.split(/, ?/).find((name) => name.startsWith('ticket.'));
    if (this.busy) {
      this.turnedAway.push(ticket ?? '');
      return true;
    }
    return ticket !== undefined && this.tickets.delete(ticket.slice('ticket.'.length));
  }

  #welcome(socket: ServerSocket): void {
    if (this.busy) {
      socket.close(1013, 'try again later');
      return;
    }
    this.sockets.push(socket);
    socket.on('close', (code) => this.closes.push(code));
    socket.on('message', (data) => {
      const message: { type: string; at: number } = JSON.parse(String(data));
      this.received.push(message);
      if (message.type === 'ping' && !this.silent)
        socket.send(JSON.stringify({ type: 'pong', at: message.at }));
    });
    const resume = `resume-${this.sockets.length}`;
    this.tickets.add(resume);
    socket.send(
      JSON.stringify({
        type: 'ready',
        call: 'call_1',
        resume,
        reattachSeconds: this.reattachSeconds,
        resumed: this.sockets.length > 1,
      }),
    );
  }
}

interface Heard {
  messages: ServerMessage[];
  away: number;
  gone: Gone[];
}

const open: { line: Line; transport: Transport }[] = [];

async function connect(
  line: Line,
  pingMs = 10_000,
  network?: Network,
): Promise<{ transport: Transport; heard: Heard }> {
  if (line.server.address() === null) await once(line.server, 'listening');
  const heard: Heard = { messages: [], away: 0, gone: [] };
  const transport = openWebSocket(
    line.placed(),
    {
      message: (message) => heard.messages.push(message),
      away: () => {
        heard.away += 1;
      },
      gone: (why) => heard.gone.push(why),
    },
    {
      // The client of `ws` has all of a browser's socket that the transport uses.
      dial: (url, protocols) => new NodeSocket(url, protocols) as unknown as WebSocket,
      origin: line.origin(),
      pingMs,
      backOffMs: [10, 20, 40],
      joinMs: 1_000,
      network,
      probeMs: 50,
    },
  );
  open.push({ line, transport });
  return { transport, heard };
}

async function until(done: () => boolean, ms = 4_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!done()) {
    if (Date.now() > deadline) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

afterEach(() => {
  for (const { line, transport } of open.splice(0)) {
    transport.close();
    for (const socket of line.sockets) socket.terminate();
    line.server.close();
  }
});

test('a call is joined with its ticket, and said goodbye to with `end` and 1000', async () => {
  const line = new Line();
  const { transport, heard } = await connect(line);
  expect(transport.send({ type: 'end' })).toBe(false);
  await until(() => heard.messages.length === 1);
  expect(heard.messages[0]).toMatchObject({ type: 'ready', resumed: false });
  transport.close();
  await until(() => line.closes.length === 1);
  expect(line.received).toEqual([{ type: 'end' }]);
  expect(line.closes).toEqual([1000]);
  expect(heard.gone).toEqual([]);
});

test('a link that breaks is joined again with the newest resume ticket, again and again', async () => {
  const line = new Line();
  const { transport, heard } = await connect(line);
  for (const joins of [1, 2, 3]) {
    await until(() => heard.messages.length === joins);
    line.sockets.at(-1)?.terminate();
  }
  await until(() => heard.messages.length === 4);
  expect(heard.messages.map((message) => message.type === 'ready' && message.resumed)).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(heard.away).toBe(3);
  expect(transport.send({ type: 'key', key: '1' })).toBe(true);
  await until(() => line.received.length === 1);
});

test('a ticket that is no longer good is refused before the call begins', async () => {
  const line = new Line();
  line.tickets.clear();
  const { heard } = await connect(line);
  await until(() => heard.gone.length === 1);
  expect(heard.gone).toEqual(['refused']);
  expect(heard.away).toBe(0);
});

test('a link that does not come back in time is lost', async () => {
  const line = new Line();
  line.reattachSeconds = 0.2;
  const { heard } = await connect(line);
  await until(() => heard.messages.length === 1);
  line.tickets.clear();
  const began = Date.now();
  line.sockets[0]?.terminate();
  await until(() => heard.gone.length === 1);
  expect(heard.gone).toEqual(['lost']);
  expect(Date.now() - began).toBeGreaterThanOrEqual(190);
});

test('after `ended` the close is an end, not a loss', async () => {
  const line = new Line();
  const { heard } = await connect(line);
  await until(() => heard.messages.length === 1);
  line.sockets[0]?.send(JSON.stringify({ type: 'ended', reason: 'goodbye', text: 'Bye.' }));
  line.sockets[0]?.close(1001);
  await until(() => heard.gone.length === 1);
  expect(heard.gone).toEqual(['over']);
  expect(line.sockets).toHaveLength(1);
});

test('a link that answers no ping is taken for lost, and joined again', async () => {
  const line = new Line();
  line.silent = true;
  const { heard } = await connect(line, 50);
  await until(() => line.sockets.length >= 2);
  expect(heard.away).toBeGreaterThanOrEqual(1);
  line.silent = false;
});

test('a link that answers its pings is left alone', async () => {
  const line = new Line();
  const { heard } = await connect(line, 20);
  await until(() => heard.messages.filter((message) => message.type === 'pong').length >= 5);
  expect(line.sockets).toHaveLength(1);
});

test('when the network changes, a dead line is noticed at once and a living one is kept', async () => {
  let change: (online: boolean) => void = () => undefined;
  const line = new Line();
  const { heard } = await connect(line, 10_000, (listener) => {
    change = listener;
    return () => undefined;
  });
  await until(() => heard.messages.length === 1);
  change(false);
  await until(() => heard.messages.some((message) => message.type === 'pong'));
  await new Promise((resolve) => setTimeout(resolve, 80));
  expect(heard.away).toBe(0);
  line.silent = true;
  change(true);
  await until(() => line.sockets.length === 2);
  expect(heard.away).toBe(1);
});

test('frames that are none of ours are passed over', async () => {
  const line = new Line();
  const { heard } = await connect(line);
  await until(() => heard.messages.length === 1);
  for (const frame of ['{', '{"type":"dance"}', '{"type":"flush"}']) line.sockets[0]?.send(frame);
  await until(() => heard.messages.length === 2);
  expect(heard.messages[1]).toEqual({ type: 'flush' });
});

test('a page that is told to try again later does so, with the ticket it has', async () => {
  const line = new Line();
  const { heard } = await connect(line);
  await until(() => heard.messages.length === 1);
  line.busy = true;
  line.sockets[0]?.terminate();
  await until(() => line.turnedAway.length >= 2);
  line.busy = false;
  await until(() => heard.messages.length === 2);
  expect(new Set(line.turnedAway)).toEqual(new Set(['ticket.resume-1']));
  expect(heard.messages[1]).toMatchObject({ type: 'ready', resumed: true });
  expect(heard.gone).toEqual([]);
});

test('only decisions of the server are final', () => {
  expect([1000, 1008, 4401, 4404].every(isFinal)).toBe(true);
  expect([1001, 1005, 1006, 1011, 1012, 1013, 4408].some(isFinal)).toBe(false);
});
