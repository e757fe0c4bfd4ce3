import { expect, test } from 'vitest';
import type { Line, ServerMessage, Tool } from './protocol.gen';
import {
  createSession,
  type Entry,
  IDLE,
  RECORDING,
  reduce,
  type SessionEvent,
  type Snapshot,
} from './session';

function after(...events: SessionEvent[]): Snapshot {
  return events.reduce(reduce, IDLE);
}

const READY: ServerMessage = {
  type: 'ready',
  call: 'call_1',
  resume: 'r',
  reattachSeconds: 10,
  resumed: false,
};
const LIVE: SessionEvent[] = [{ type: 'dialling' }, READY];

function line(id: string, beganMs: number, more: Partial<Line> = {}): Line {
  return {
    type: 'line',
    id,
    speaker: 'agent',
    text: id,
    state: 'partial',
    beganMs,
    heardChars: null,
    typed: false,
    ...more,
  };
}

function tool(state: Tool['state'], more: Partial<Tool> = {}): Tool {
  return {
    type: 'tool',
    id: 'tool_1',
    name: 'block_card',
    title: 'Block a card',
    state,
    beganMs: 50,
    arguments: {},
    result: null,
    durationMs: null,
    question: null,
    ...more,
  };
}

function ids(now: Snapshot): string[] {
  return now.entries.map((entry) => entry.id);
}

test('a line grows in place and is not doubled', () => {
  const now = after(
    ...LIVE,
    line('a', 10, { text: 'Good' }),
    line('b', 20),
    line('a', 10, { text: 'Good day' }),
  );
  expect(ids(now)).toEqual(['a', 'b']);
  expect(now.entries[0]).toMatchObject({ text: 'Good day' });
});

test('a caller whose words arrive late is still placed where he spoke', () => {
  const now = after(...LIVE, line('greeting', 0), line('answer', 900), line('question', 500));
  expect(ids(now)).toEqual(['greeting', 'question', 'answer']);
});

test('a typed turn shows at once, and the server’s own line takes its place', () => {
  const typed = after(...LIVE, line('a', 10), { type: 'typed', id: 't1', text: 'Hello' });
  expect(typed.entries.at(-1)).toMatchObject({ id: 't1', sending: true });
  for (const id of ['t1', 'item_9']) {
    const now = reduce(typed, line(id, 700, { speaker: 'caller', text: 'Hello', typed: true }));
    expect(ids(now)).toEqual(['a', id]);
    expect(now.entries.at(-1)).toMatchObject({ sending: false });
  }
});

test('a latency told before the first sound belongs to the item that sounds next', () => {
  const now = after(
    ...LIVE,
    { type: 'audio', item: 'greeting', audio: '' },
    { type: 'floor', floor: 'caller' },
    { type: 'latency', reply: 'r1', firstAudioMs: 600, firstHeardMs: null },
    { type: 'audio', item: 'answer', audio: '' },
    { type: 'latency', reply: 'r1', firstAudioMs: 600, firstHeardMs: 640 },
  );
  expect(Object.keys(now.answers)).toEqual(['answer']);
  expect(now.answers['answer']).toMatchObject({ firstHeardMs: 640 });
});

test('a latency told after the first sound belongs to the item that sounds now', () => {
  const now = after(
    ...LIVE,
    { type: 'floor', floor: 'thinking' },
    { type: 'audio', item: 'answer', audio: '' },
    { type: 'latency', reply: 'r1', firstAudioMs: 600, firstHeardMs: null },
  );
  expect(Object.keys(now.answers)).toEqual(['answer']);
});

test('an answer given on a consent card stays given until the tool moves on', () => {
  const asked = after(...LIVE, tool('asking', { question: 'Block it?' }), {
    type: 'decided',
    call: 'tool_1',
    agreed: true,
  });
  expect(reduce(asked, tool('asking')).entries[0]).toMatchObject({ decided: true });
  expect(reduce(asked, tool('running')).entries[0]).toMatchObject({ decided: null });
});

test('an ended call keeps its transcript, and nothing in it goes on', () => {
  const now = after(...LIVE, line('a', 10), tool('running'), {
    type: 'ended',
    reason: 'goodbye',
    text: 'You ended the call.',
  });
  expect(now).toMatchObject({ phase: 'ended', floor: 'nobody', ended: { reason: 'goodbye' } });
  expect(now.entries.map((entry) => 'state' in entry && entry.state)).toEqual([
    'final',
    'abandoned',
  ]);
});

test('a call that was lost says so, and a new one begins empty', () => {
  const lost = after(
    ...LIVE,
    line('a', 1),
    { type: 'away' },
    { type: 'gone', trouble: { code: 'lost', text: null } },
  );
  expect(lost).toMatchObject({ phase: 'ended', trouble: { code: 'lost' } });
  expect(reduce(lost, { type: 'dialling' })).toMatchObject({
    phase: 'dialling',
    entries: [],
    trouble: null,
  });
});

test('being turned away before the call is connected leads back to the desk', () => {
  const now = after(
    { type: 'dialling' },
    { type: 'refused', code: 'ticket_spent', text: 'Too old.', fatal: true },
  );
  expect(now).toMatchObject({ phase: 'idle', trouble: { code: 'ticket', text: 'Too old.' } });
});

test('giving up while dialling leaves nothing behind', () => {
  expect(after({ type: 'dialling' }, { type: 'hungUp' })).toEqual({ ...IDLE });
});

test('a notice stands where it was told', () => {
  const now = after(
    ...LIVE,
    line('a', 10),
    { type: 'notice', code: 'x', text: 'Recorded.' },
    line('b', 20),
  );
  expect(now.entries.map((entry) => entry.kind)).toEqual(['line', 'notice', 'line']);
});

test('listeners hear of changes only', () => {
  const session = createSession();
  let told = 0;
  const stop = session.subscribe(() => {
    told += 1;
  });
  session.apply({ type: 'dialling' });
  session.apply({ type: 'pong', at: 1 });
  session.apply({ type: 'sounding', sounding: false });
  stop();
  session.apply({ type: 'hungUp' });
  expect(told).toBe(1);
});

// -- whatever happens, in whatever order --------------------------------------------------------

/** A small seeded generator (mulberry32), so that a failure can be had again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

const FLOORS = ['nobody', 'caller', 'agent', 'thinking'] as const;
const TOOLS = ['running', 'asking', 'done', 'failed', 'declined', 'abandoned'] as const;

function anyEvent(roll: (sides: number) => number): SessionEvent {
  const id = `item_${roll(6)}`;
  const makers: (() => SessionEvent)[] = [
    () =>
      line(id, roll(50) * 10, {
        speaker: roll(2) ? 'agent' : 'caller',
        state: roll(2) ? 'final' : 'partial',
      }),
    () => line(id, roll(50) * 10, { state: 'cut', heardChars: roll(9) }),
    () => tool(TOOLS[roll(6)] ?? 'done', { id, beganMs: roll(50) * 10 }),
    () => ({ type: 'floor', floor: FLOORS[roll(4)] ?? 'nobody' }),
    () => ({ type: 'audio', item: id, audio: '' }),
    () => ({
      type: 'latency',
      reply: `reply_${roll(4)}`,
      firstAudioMs: roll(2_000),
      firstHeardMs: null,
    }),
    () => ({ type: 'notice', code: 'n', text: 'n' }),
    () => ({ type: 'typed', id: `typed_${roll(4)}`, text: `words ${roll(3)}` }),
    () => ({ type: 'decided', call: id, agreed: roll(2) === 1 }),
    () => ({ type: 'interruption', item: id, heardMs: 1, atMs: 2 }),
    () => READY,
    () => ({ type: 'away' }),
    () => ({ type: 'dialling' }),
    () => ({ type: 'refused', code: 'x', text: 'x', fatal: roll(4) === 0 }),
    () => ({ type: 'ended', reason: 'x', text: 'x' }),
    () => ({ type: 'hungUp' }),
    () => ({ type: 'gone', trouble: null }),
  ];
  const frequent = roll(3) > 0 ? 10 : makers.length;
  return (makers[roll(frequent)] ?? (() => READY))();
}

function sound(now: Snapshot): void {
  const keys = now.entries.map((entry: Entry) => `${entry.kind} ${entry.id}`);
  expect(new Set(keys).size).toBe(keys.length);
  const began = now.entries.map((entry) => entry.beganMs);
  expect(began).toEqual([...began].sort((a, b) => a - b));
  const replies = Object.values(now.answers).map((answer) => answer.reply);
  expect(new Set(replies).size).toBe(replies.length);
  if (now.phase === 'idle' || now.phase === 'ended') expect(now.floor).toBe('nobody');
}

test('no order of events doubles an entry, misplaces one or leaves a floor to a dead call', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const roll = dice(seed);
    let now = IDLE;
    for (let step = 0; step < 60; step += 1) {
      const before = JSON.stringify(now);
      const next = reduce(now, anyEvent(roll));
      expect(JSON.stringify(now)).toBe(before);
      sound(next);
      now = next;
    }
  }
});

test('over WebRTC, where no audio passes the page, a latency finds its reply by the words', () => {
  const way: SessionEvent = { type: 'way', way: 'webrtc', because: null };
  const latency: ServerMessage = {
    type: 'latency',
    reply: 'r1',
    firstAudioMs: 600,
    firstHeardMs: null,
  };
  const turn: SessionEvent[] = [
    ...LIVE,
    way,
    line('greeting', 0),
    { type: 'floor', floor: 'caller' },
  ];
  const words = after(...turn, line('answer', 900), line('greeting', 0), latency);
  expect(Object.keys(words.answers)).toEqual(['answer']);
  const sound = after(...turn, latency, line('answer', 900));
  expect(Object.keys(sound.answers)).toEqual(['answer']);
});

test('a call is away until it is back, and never back from its end', () => {
  expect(after(...LIVE, { type: 'away' }, { type: 'back' }).phase).toBe('live');
  expect(after(...LIVE, { type: 'away' }, { type: 'hungUp' }, { type: 'back' }).phase).toBe(
    'ended',
  );
});

test('a wish for a human stands until the agent answers it', () => {
  const asked = after(...LIVE, line('before', 0), { type: 'humanAsked' });
  expect(asked.humanAsked).toBe(true);
  const cut = reduce(asked, line('before', 0, { state: 'cut' }));
  expect(cut.humanAsked).toBe(true);
  const mine = reduce(cut, line('wish', 900, { speaker: 'caller', typed: true }));
  expect(mine.humanAsked).toBe(true);
  expect(reduce(mine, line('answer', 1_200)).humanAsked).toBe(false);
});

test.each<SessionEvent>([
  { type: 'away' },
  { type: 'notice', code: 'unsent', text: 'Send it again.' },
  { type: 'refused', code: 'too_fast', text: 'Too fast.', fatal: false },
  { type: 'dialling' },
])('a wish for a human that may be lost can be said again: $type', (event) => {
  expect(after(...LIVE, { type: 'humanAsked' }, event).humanAsked).toBe(false);
});

test('whether the call is recorded is shown as the server says, and the answer meanwhile', () => {
  const said = (state: 'asked' | 'running') =>
    ({ type: 'recording', state, notice: 'May we?' }) as const;
  const asked = reduce(IDLE, said('asked'));
  expect(asked.recording).toEqual({ state: 'asked', notice: 'May we?', decided: null });
  const decided = { type: 'decided', call: RECORDING, agreed: true } as const;
  const answered = reduce(asked, decided);
  expect(answered.recording?.decided).toBe(true);
  expect(reduce(answered, said('running')).recording?.state).toBe('running');
  expect(reduce(IDLE, decided).recording).toBeNull();
});

test.each([
  ['ringing', 'ringing'],
  ['taken_over', 'here'],
  ['handed_back', 'none'],
  ['nobody_came', 'none'],
  ['wish_withdrawn', 'none'],
] as const)('a notice %s says where the human is: %s', (code, person) => {
  expect(after(...LIVE, { type: 'notice', code, text: 'So.' }).person).toBe(person);
});
