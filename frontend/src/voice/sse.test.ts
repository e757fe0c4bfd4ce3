import { expect, test } from 'vitest';
import { EVENT_LIMIT, EventParser, type StreamEvent } from './sse';

const STREAM = '\uFEFF: hello\n\nid: 1\ndata: {"a":1}\n\nid: 2\r\ndata: one\r\ndata: two\r\n\r\n';
const EVENTS: StreamEvent[] = [
  { id: '1', data: '{"a":1}' },
  { id: '2', data: 'one\ntwo' },
];

test('events are read from a stream that comes at once', () => {
  expect(new EventParser().push(STREAM)).toEqual(EVENTS);
});

test('and from one that is cut anywhere', () => {
  for (let at = 0; at <= STREAM.length; at += 1) {
    const parser = new EventParser();
    expect([...parser.push(STREAM.slice(0, at)), ...parser.push(STREAM.slice(at))]).toEqual(EVENTS);
  }
  const parser = new EventParser();
  expect([...STREAM].flatMap((character) => parser.push(character))).toEqual(EVENTS);
});

test('an event that has not ended is not told, nor one without data', () => {
  const parser = new EventParser();
  expect(parser.push('data: half')).toEqual([]);
  expect(parser.push('\n')).toEqual([]);
  expect(parser.push('\nid: 7\n\n')).toEqual([{ id: '', data: 'half' }]);
  expect(parser.push('data: x\n\n')).toEqual([{ id: '7', data: 'x' }]);
});

test('fields of others, comments and lone carriage returns change nothing', () => {
  const parser = new EventParser();
  expect(parser.push('event: line\rretry: 3\r:ping\rdata\rdata:  a\r\r')).toEqual([
    { id: '', data: '\n a' },
  ]);
});

test('an event without end does not fill the memory, and the next one is heard', () => {
  const parser = new EventParser();
  const flood = 'x'.repeat(EVENT_LIMIT);
  expect(parser.push(`data: ${flood}`)).toEqual([]);
  expect(parser.push(flood)).toEqual([]);
  expect(parser.push('\n\ndata: ok\n\n')).toEqual([{ id: '', data: 'ok' }]);
});
