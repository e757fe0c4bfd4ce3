import { expect, test, vi } from 'vitest';
import { Caller, type Parts, type StartOptions } from './caller';
import { type ConnectionEvents, NotPlaced, NoWay, type OpenConnection } from './connection';
import { MicrophoneFailed } from './devices';
import type { MicrophoneEvents } from './microphone';
import { overWebSocket, type SocketParts } from './overwebsocket';
import type { PageMessage, ServerMessage } from './protocol.gen';
import type { SpeakerEvents } from './speaker';
import type { TransportEvents } from './transport';

const WISH: StartOptions = {
  agent: 'bank',
  listen: true,
  device: null,
  speaker: null,
  choice: 'websocket',
  ways: ['webrtc', 'websocket'],
};
const READY: ServerMessage = {
  type: 'ready',
  call: 'call_1',
  resume: 'r',
  reattachSeconds: 10,
  resumed: false,
};

const unreached: OpenConnection = () => {
  throw new Error('nobody wished for WebRTC');
};

/** A peer connection that fails as it is told, or connects. */
function peer(log: string[], failure: NoWay | NotPlaced | null, edge: { line?: ConnectionEvents }) {
  const open: OpenConnection = (events) => {
    edge.line = events;
    return {
      open: async () => undefined,
      openMicrophone: async (device) => {
        log.push(`peer hears ${device}`);
        return { mute: () => undefined, close: () => undefined };
      },
      dial: async () => {
        log.push('peer dialled');
        if (failure !== null) throw failure;
      },
      send: () => true,
      hearOn: async () => undefined,
      levels: () => ({ caller: 0.1, agent: 0.2 }),
      close: () => log.push('peer closed'),
    };
  };
  return open;
}

/** Parts that do nothing by themselves; the test is the world around the caller. */
function world(
  more: Partial<SocketParts> = {},
  webrtc: OpenConnection = unreached,
  token: Parts['token'] = async () => null,
) {
  const sent: PageMessage[] = [];
  const log: string[] = [];
  const edge: { line?: TransportEvents; ear?: SpeakerEvents; mouth?: MicrophoneEvents } = {};
  const parts: SocketParts = {
    place: async () => ({ call: 'call_1', socket: '/s', ticket: 't', expiresInSeconds: 30 }),
    connect: (_, events) => {
      edge.line = events;
      return {
        send: (message) => sent.push(message) > 0,
        close: () => log.push('line closed'),
      };
    },
    openMicrophone: async (_, events) => {
      edge.mouth = events;
      return {
        mute: (muted) => log.push(`muted ${muted}`),
        close: () => log.push('microphone closed'),
      };
    },
    openSpeaker: async (_, events) => {
      edge.ear = events;
      return {
        play: (item) => log.push(`play ${item}`),
        flush: () => log.push('flush'),
        hearOn: async (speaker) => {
          log.push(`heard on ${speaker}`);
        },
        close: () => log.push('speaker closed'),
      };
    },
    clock: () => 1_000,
    ...more,
  };
  const connections = { websocket: overWebSocket(parts), webrtc };
  const caller = new Caller({ connections, newId: () => 'typed_1', token });
  return { caller, sent, log, edge, now: () => caller.session.snapshot() };
}

test('a call carries both voices, and what was played', async () => {
  const { caller, sent, log, edge, now } = world();
  await caller.start(WISH);
  edge.line?.message(READY);
  expect(now()).toMatchObject({ phase: 'live', microphone: 'on' });
  edge.mouth?.frame(new Float32Array(480), 0.3);
  edge.line?.message({ type: 'audio', item: 'item_1', audio: 'AAAA' });
  edge.ear?.played('item_1', 120);
  edge.line?.message({ type: 'flush' });
  expect(sent.map((message) => message.type)).toEqual(['audio', 'played']);
  expect(log).toEqual(['muted false', 'play item_1', 'flush']);
  expect(caller.levels()).toEqual({ caller: 0.3, agent: 0 });
});

test('ending a call closes everything it opened, and silences its levels', async () => {
  const { caller, log, edge, now } = world();
  await caller.start(WISH);
  edge.line?.message(READY);
  edge.mouth?.frame(new Float32Array(480), 0.3);
  caller.end();
  expect(log.slice(1).sort()).toEqual(['line closed', 'microphone closed', 'speaker closed']);
  expect(now().phase).toBe('ended');
  expect(caller.levels()).toEqual({ caller: 0, agent: 0 });
});

test('a fresh token is shown when the server wants one', async () => {
  const { caller, sent, edge, now } = world({}, unreached, async () => 'fresh');
  await caller.start(WISH);
  edge.line?.message(READY);
  edge.line?.message({ type: 'tokenWanted' });
  await vi.waitFor(() => expect(sent).toEqual([{ type: 'renew', token: 'fresh' }]));
  expect(now().phase).toBe('live');
});

test('a sign-in that cannot be renewed is said once', async () => {
  const { caller, sent, edge, now } = world({}, unreached, () => Promise.reject(new Error('gone')));
  await caller.start(WISH);
  edge.line?.message(READY);
  for (let asked = 0; asked < 3; asked += 1) edge.line?.message({ type: 'tokenWanted' });
  const notices = () => now().entries.filter((entry) => entry.kind === 'notice');
  await vi.waitFor(() => expect(notices()).toHaveLength(1));
  expect(sent).toEqual([]);
});

test('a human is asked for once, until there is an answer', async () => {
  const { caller, sent, edge, now } = world();
  caller.askForHuman();
  expect(now().humanAsked).toBe(false);
  await caller.start(WISH);
  edge.line?.message(READY);
  caller.askForHuman();
  caller.askForHuman();
  expect(sent).toEqual([{ type: 'human' }]);
  edge.line?.message({
    ...{ type: 'line', id: 'a', speaker: 'agent', text: 'Nobody is free.', state: 'final' },
    ...{ beganMs: 900, heardChars: null, typed: false },
  });
  caller.askForHuman();
  expect(sent).toHaveLength(2);
});

test('a blocked microphone leaves a call one can type into', async () => {
  const { caller, sent, edge, now } = world({
    openMicrophone: () => Promise.reject(new MicrophoneFailed('denied')),
  });
  await caller.start(WISH);
  edge.line?.message(READY);
  expect(now()).toMatchObject({ phase: 'live', microphone: 'denied' });
  caller.say('Hello');
  expect(sent).toEqual([{ type: 'text', id: 'typed_1', text: 'Hello' }]);
});

test('who gives up while the browser still asks gets no open microphone later', async () => {
  let allow: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    allow = resolve;
  });
  let closed = false;
  const { caller, log, now } = world({
    openMicrophone: async () => {
      await asked;
      return {
        mute: () => undefined,
        close: () => {
          closed = true;
        },
      };
    },
  });
  const started = caller.start(WISH);
  caller.end();
  allow();
  await started;
  expect(closed).toBe(true);
  expect(log).toEqual(['speaker closed']);
  expect(now()).toMatchObject({ phase: 'idle', call: null });
});

test('a server that cannot take the call says why, and nothing stays open', async () => {
  const { caller, log, now } = world({
    place: () => Promise.reject(new NotPlaced({ code: 'busy', text: 'All 20.' })),
  });
  await caller.start(WISH);
  expect(now()).toMatchObject({ phase: 'idle', trouble: { code: 'busy', text: 'All 20.' } });
  expect(log.slice(1).sort()).toEqual(['microphone closed', 'speaker closed']);
});

test('a suggestion is said once, when the call is first connected', async () => {
  const { caller, sent, edge } = world();
  await caller.start({ ...WISH, listen: false, first: 'Block my card' });
  edge.line?.message(READY);
  edge.line?.message({ ...READY, resumed: true });
  expect(sent).toEqual([{ type: 'text', id: 'typed_1', text: 'Block my card' }]);
});

test('nothing is heard of a call that is over', async () => {
  const { caller, log, edge, now } = world();
  await caller.start(WISH);
  edge.line?.message(READY);
  caller.end();
  log.length = 0;
  edge.line?.message({ type: 'audio', item: 'late', audio: 'AAAA' });
  edge.line?.message({ type: 'floor', floor: 'agent' });
  edge.line?.gone('lost');
  expect(log).toEqual([]);
  expect(now()).toMatchObject({ phase: 'ended', floor: 'nobody', trouble: null });
});

test('an unplugged microphone is told, and the default one goes on in the same call', async () => {
  const asked: (string | null)[] = [];
  let unplug: () => void = () => undefined;
  const { caller, edge, now } = world({
    openMicrophone: async (device, events) => {
      asked.push(device);
      unplug = events.lost;
      return { mute: () => undefined, close: () => undefined };
    },
  });
  await caller.start({ ...WISH, device: 'headset' });
  edge.line?.message(READY);
  unplug();
  await expect.poll(() => now().entries.length).toBe(1);
  expect(asked).toEqual(['headset', null]);
  expect(now().microphone).toBe('on');
  expect(now().entries[0]).toMatchObject({ kind: 'notice', code: 'microphone' });
});

test('where no other microphone is left, the call goes on without one', async () => {
  let unplug: () => void = () => undefined;
  let left = 1;
  const { caller, edge, now } = world({
    openMicrophone: async (_, events) => {
      if (left === 0) throw new MicrophoneFailed('missing');
      left -= 1;
      unplug = events.lost;
      return { mute: () => undefined, close: () => undefined };
    },
  });
  await caller.start(WISH);
  edge.line?.message(READY);
  unplug();
  await expect.poll(() => now().microphone).toBe('lost');
  left = 1;
  await caller.listen('other');
  expect(now()).toMatchObject({ phase: 'live', microphone: 'on', entries: [] });
});

test('another speaker is used in the middle of a call', async () => {
  const { caller, log, edge } = world();
  await caller.start(WISH);
  edge.line?.message(READY);
  await caller.hearOn('headset');
  expect(log.at(-1)).toBe('heard on headset');
});

test('a network that blocks WebRTC is got around, said, and remembered', async () => {
  const tried: string[] = [];
  const failing = peer(tried, new NoWay('blocked'), {});
  const { caller, edge, now } = world({}, failing);
  await caller.start({ ...WISH, choice: 'automatic' });
  edge.line?.message(READY);
  expect(tried).toEqual(['peer hears null', 'peer dialled', 'peer closed']);
  expect(now()).toMatchObject({ phase: 'live', way: 'websocket', because: 'blocked' });
  caller.end();
  await caller.start({ ...WISH, choice: 'automatic' });
  edge.line?.message(READY);
  expect(tried).toHaveLength(3);
  expect(now()).toMatchObject({ phase: 'live', way: 'websocket', because: 'blocked' });
});

test('who chose WebRTC is told that it is blocked, and nothing else is tried', async () => {
  const { caller, edge, now } = world({}, peer([], new NoWay('blocked'), {}));
  await caller.start({ ...WISH, choice: 'webrtc' });
  expect(edge.line).toBeUndefined();
  expect(now()).toMatchObject({ phase: 'idle', trouble: { code: 'blocked' } });
});

test('what no connection would mend is told at once', async () => {
  const busy = new NotPlaced({ code: 'busy', text: 'All 20.' });
  const { caller, edge, now } = world({}, peer([], busy, {}));
  await caller.start({ ...WISH, choice: 'automatic' });
  expect(edge.line).toBeUndefined();
  expect(now()).toMatchObject({ phase: 'idle', trouble: { code: 'busy' } });
});

test('a call over WebRTC is away while it is mended, and comes back by itself', async () => {
  const edge: { line?: ConnectionEvents } = {};
  const { caller, now } = world({}, peer([], null, edge));
  await caller.start({ ...WISH, choice: 'automatic' });
  edge.line?.message({ ...READY, resume: '' });
  expect(now()).toMatchObject({ phase: 'live', way: 'webrtc', because: null });
  expect(caller.levels()).toEqual({ caller: 0.1, agent: 0.2 });
  edge.line?.away();
  expect(now().phase).toBe('away');
  edge.line?.back();
  expect(now().phase).toBe('live');
  edge.line?.away();
  edge.line?.gone('lost');
  expect(now()).toMatchObject({ phase: 'ended', trouble: { code: 'lost' } });
});
