import { expect, test } from 'vitest';
import { Caller, NotPlaced, type Parts, type StartOptions } from './caller';
import { type MicrophoneEvents, MicrophoneFailed } from './microphone';
import type { PageMessage, ServerMessage } from './protocol.gen';
import type { SpeakerEvents } from './speaker';
import type { TransportEvents } from './transport';

const WISH: StartOptions = { agent: 'bank', listen: true, device: null };
const READY: ServerMessage = {
  type: 'ready',
  call: 'call_1',
  resume: 'r',
  reattachSeconds: 10,
  resumed: false,
};

/** Parts that do nothing by themselves; the test is the world around the caller. */
function world(more: Partial<Parts> = {}) {
  const sent: PageMessage[] = [];
  const log: string[] = [];
  const edge: { line?: TransportEvents; ear?: SpeakerEvents; mouth?: MicrophoneEvents } = {};
  const parts: Parts = {
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
    openSpeaker: async (events) => {
      edge.ear = events;
      return {
        play: (item) => log.push(`play ${item}`),
        flush: () => log.push('flush'),
        close: () => log.push('speaker closed'),
      };
    },
    newId: () => 'typed_1',
    clock: () => 1_000,
    ...more,
  };
  const caller = new Caller(parts);
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

test('an unplugged microphone is told, and another one can be opened in the same call', async () => {
  const { caller, edge, now } = world();
  await caller.start(WISH);
  edge.line?.message(READY);
  edge.mouth?.lost();
  expect(now().microphone).toBe('lost');
  await caller.listen('other');
  expect(now().microphone).toBe('on');
});
