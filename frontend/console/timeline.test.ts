import { describe, expect, it } from 'vitest';
import { entriesOf } from './entries';
import type { Tool } from './protocol.gen';
import { detail, line } from './samples';
import { layOut, ticksOf, voiceOf } from './timeline';

function tool(id: string, beganMs: number, durationMs: number | null): Tool {
  const state = durationMs === null ? 'running' : 'done';
  return {
    ...{ id, name: id, title: id, state, beganMs, durationMs },
    ...{ arguments: {}, result: null, question: null },
  };
}

describe('the timeline', () => {
  it('ends a line where the caller cut in', () => {
    const cut = { item: 'a', heardMs: 900, receivedMs: 2_000, atMs: 1_900 };
    const said = line('a', 'x'.repeat(100), 1_000, { state: 'cut', heardChars: 20 });
    const { stretches, cutsMs } = layOut(detail({ lines: [said], interruptions: [cut] }), 20_000);
    expect(stretches[0]).toMatchObject({ fromMs: 1_000, toMs: 1_900, cut: true });
    expect(cutsMs).toEqual([1_900]);
  });

  it('shows when an operator had the call, to its end or to now', () => {
    const deed = { by: 'Ada', text: null, tool: null, outcome: 'taken' } as const;
    const actions = [
      { ...deed, id: '1', kind: 'take_over', atMs: 2_000 },
      { ...deed, id: '2', kind: 'hand_back', atMs: 9_000 },
      { ...deed, id: '3', kind: 'take_over', atMs: 12_000 },
    ] as const;
    expect(layOut(detail({ actions }), 20_000).desks).toEqual([
      { by: 'Ada', fromMs: 2_000, toMs: 9_000 },
      { by: 'Ada', fromMs: 12_000, toMs: 20_000 },
    ]);
  });

  it('tells the length of a line from its words, and never runs into the next of that side', () => {
    const lines = [line('a', 'x'.repeat(100), 0), line('b', 'short', 3_000)];
    const { stretches } = layOut(detail({ lines }), 20_000);
    expect(stretches.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
      [0, 3_000],
      [3_000, 3_500],
    ]);
  });

  it('believes the floor while the call lives', () => {
    const floors = [
      { floor: 'agent', atMs: 1_000 },
      { floor: 'nobody', atMs: 2_400 },
    ] as const;
    const { stretches } = layOut(detail({ lines: [line('a', 'Hello', 1_000)], floors }), 20_000);
    expect(stretches[0]?.toMs).toBe(2_400);
  });

  it('lets a line that is still being spoken reach to now', () => {
    const lines = [line('a', 'I would', 5_000, { speaker: 'caller', state: 'partial' })];
    expect(layOut(detail({ lines }), 12_000).stretches[0]?.toMs).toBe(12_000);
  });

  it('puts tools at the same time below one another, and open ones up to now', () => {
    const tools = [tool('a', 0, 6_000), tool('b', 1_000, 500), tool('c', 30_000, null)];
    const { tools: spans, toolRows } = layOut(detail({ tools }), 31_000);
    expect(spans.map(({ row, toMs }) => [row, toMs])).toEqual([
      [0, 6_000],
      [1, 1_500],
      [0, 31_000],
    ]);
    expect(toolRows).toBe(2);
  });

  it('shows a wait from the last word to the first sound', () => {
    const answers = [
      { reply: 'r', atMs: 5_000, firstAudioMs: 700, firstHeardMs: null },
      { reply: 'older', atMs: null, firstAudioMs: 700, firstHeardMs: null },
    ];
    const { waits } = layOut(detail({ answers }), 6_000);
    expect(waits.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([[4_300, 5_000]]);
  });

  it('draws the same words in the same shape, loud on vowels', () => {
    expect(voiceOf('Oh no', 10)).toEqual(voiceOf('Oh no', 10));
    const heights = voiceOf('a a', 3);
    expect(heights[1]).toBeLessThan(heights[0] ?? 0);
  });

  it('marks round moments', () => {
    expect(ticksOf(47_000, 10)).toEqual(
      [0, 5, 10, 15, 20, 25, 30, 35, 40, 45].map((s) => s * 1_000),
    );
    expect(ticksOf(1_800_000, 6)[1]).toBe(300_000);
  });
});

describe('the transcript', () => {
  it('gives an answer to the line that began with it, and keeps everything in time', () => {
    const now = detail({
      lines: [line('late', 'Second', 9_000), line('soon', 'First', 5_100)],
      tools: [tool('t', 7_000, 100)],
      answers: [{ reply: 'r', atMs: 5_000, firstAudioMs: 700, firstHeardMs: null }],
    });
    const entries = entriesOf(now);
    expect(entries.map(({ key }) => key)).toEqual(['line-soon', 'tool-t', 'line-late']);
    expect(entries[0]).toMatchObject({ answeredMs: 700 });
    expect(entries[2]).toMatchObject({ answeredMs: null });
  });
});
