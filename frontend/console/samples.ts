/** Calls for the tests. */
import type { CallDetail, CallFacts, Line, LiveCall } from './protocol.gen';

export const FACTS: CallFacts = {
  id: 'a',
  agent: 'bank',
  channel: 'browser',
  direction: 'in',
  caller: 'local',
  model: 'm',
  voice: 'v',
  beganAt: 100,
  endedAt: null,
  endReason: null,
  outcome: 'live',
  server: null,
};

export function row(id: string, change: Partial<LiveCall> = {}, beganAt = 100): LiveCall {
  return {
    call: { ...FACTS, id, beganAt },
    floor: 'nobody',
    lastLine: '',
    lastSpeaker: null,
    latencyMs: null,
    costUsd: null,
    asking: 0,
    trouble: null,
    written: false,
    wish: null,
    takenBy: null,
    ...change,
  };
}

export function detail(change: Partial<CallDetail> = {}): CallDetail {
  return {
    call: FACTS,
    live: true,
    floor: 'nobody',
    lines: [],
    tools: [],
    interruptions: [],
    answers: [],
    floors: [],
    notices: [],
    actions: [],
    recording: null,
    usage: {
      inputText: 0,
      inputAudio: 0,
      cachedText: 0,
      cachedAudio: 0,
      outputText: 0,
      outputAudio: 0,
      costUsd: null,
      unpriced: 0,
    },
    can: null,
    wish: null,
    takenBy: null,
    ...change,
  };
}

export function line(id: string, text: string, beganMs = 0, change: Partial<Line> = {}): Line {
  const state = 'final' as const;
  return { id, speaker: 'agent', text, state, beganMs, heardChars: null, typed: false, ...change };
}
