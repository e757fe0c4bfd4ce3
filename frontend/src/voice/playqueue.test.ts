import { expect, test } from 'vitest';
import { PlayQueue } from './playqueue';

const RATE = 24_000;
const QUANTUM = 128;

function audio(ms: number, value = 0.5): Float32Array {
  return new Float32Array((RATE * ms) / 1000).fill(value);
}

/** Pulls for `ms`; returns every sample. */
function listen(queue: PlayQueue, ms: number): number[] {
  const heard: number[] = [];
  for (let at = 0; at < (RATE * ms) / 1000; at += QUANTUM) {
    const out = new Float32Array(QUANTUM);
    queue.pull(out);
    heard.push(...out);
  }
  return heard;
}

function sounding(samples: number[]): number {
  return (samples.filter((sample) => sample !== 0).length * 1000) / RATE;
}

test('it waits for the prebuffer, then plays without a gap', () => {
  const queue = new PlayQueue(RATE, 50);
  queue.push('a', audio(20));
  expect(sounding(listen(queue, 20))).toBe(0);
  queue.push('a', audio(20));
  queue.push('a', audio(20));
  const heard = listen(queue, 100);
  expect(sounding(heard)).toBe(60);
  expect(heard.slice(0, 1440).every((sample) => sample === 0.5)).toBe(true);
});

test('an item shorter than the prebuffer is not kept waiting for ever', () => {
  const queue = new PlayQueue(RATE, 50);
  queue.push('a', audio(20));
  expect(sounding(listen(queue, 200))).toBe(20);
  expect(queue.finished()).toEqual([{ item: 'a', ms: 20 }]);
});

test('each item is told once when it has been played to its end', () => {
  const queue = new PlayQueue(RATE, 50);
  queue.push('a', audio(100));
  queue.push('b', audio(60));
  listen(queue, 300);
  expect(queue.finished()).toEqual([
    { item: 'a', ms: 100 },
    { item: 'b', ms: 60 },
  ]);
  listen(queue, 100);
  expect(queue.finished()).toEqual([]);
});

test('silence of an underrun is not counted as heard', () => {
  const queue = new PlayQueue(RATE, 50);
  queue.push('a', audio(60));
  listen(queue, 500);
  queue.push('a', audio(60));
  listen(queue, 500);
  expect(queue.position()).toEqual({ item: 'a', ms: 120 });
});

test('a flush is silent after a fade of at most 5 ms, and says where it stood', () => {
  const queue = new PlayQueue(RATE, 50);
  queue.push('a', audio(1_000));
  listen(queue, 320);
  expect(queue.flush()).toEqual({ item: 'a', ms: 320 });
  const heard = listen(queue, 100);
  expect(sounding(heard)).toBeLessThanOrEqual(5);
  const fade = heard.slice(0, 120);
  expect(fade).toEqual([...fade].sort((a, b) => b - a));
});

test('late audio of what was flushed is refused, of the item playing and of those behind it', () => {
  const queue = new PlayQueue(RATE, 50);
  queue.push('a', audio(100));
  queue.push('b', audio(100));
  listen(queue, 20);
  queue.flush();
  listen(queue, 20);
  expect([queue.push('a', audio(20)), queue.push('b', audio(20))]).toEqual([false, false]);
  expect(sounding(listen(queue, 200))).toBe(0);
  expect(queue.push('c', audio(60))).toBe(true);
  expect(sounding(listen(queue, 200))).toBe(60);
});

test('a flush with nothing ever played has nothing to say', () => {
  expect(new PlayQueue(RATE, 50).flush()).toBeNull();
});

test('what was flushed before a sound was made was heard for nothing', () => {
  const queue = new PlayQueue(RATE, 50);
  queue.push('a', audio(20));
  expect(queue.flush()).toBeNull();
  expect(queue.push('a', audio(20))).toBe(false);
  expect(sounding(listen(queue, 200))).toBe(0);
});

test('more than ten minutes are not kept', () => {
  const queue = new PlayQueue(RATE, 50);
  const minute = audio(60_000);
  const kept = Array.from({ length: 15 }, () => queue.push('a', minute)).filter(Boolean);
  expect(kept.length).toBeLessThan(13);
});
