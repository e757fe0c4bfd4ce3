// Holds one conversation with a realtime service through the official JavaScript SDK, and prints
// what happened as one line of JSON. Usage: node converse.mjs WS_URL SPEECH_PCM INTERRUPTION_PCM

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  OpenAIRealtimeWebSocket,
  RealtimeAgent,
  RealtimeSession,
  tool,
} from '@openai/agents-realtime';
import { z } from 'zod';

const [url, token, speechPath, interruptionPath] = process.argv.slice(2);
const FRAME_BYTES = 960;
const STEP_TIMEOUT_MS = 20_000;

const seen = { types: {}, errors: [], toolCalls: [], cancelled: 0, truncated: [] };
const waiting = new Set();

const trackParcel = tool({
  name: 'track_parcel',
  description: 'Say where a parcel is, by its number.',
  parameters: z.object({ parcel_number: z.string().describe("The parcel's four digits") }),
  execute: async (given) => {
    seen.toolCalls.push(given);
    return JSON.stringify({ parcel: given.parcel_number, place: 'Lisbon' });
  },
});

const agent = new RealtimeAgent({
  name: 'Dispatcher',
  instructions: 'You are the telephone agent of a parcel service.',
  tools: [trackParcel],
});

const transport = new OpenAIRealtimeWebSocket({ url });
const session = new RealtimeSession(agent, {
  transport,
  model: 'gpt-realtime',
  tracingDisabled: true,
  config: {
    audio: {
      input: {
        transcription: { model: 'whisper-1' },
        turnDetection: {
          type: 'server_vad',
          silenceDurationMs: 400,
          interruptResponse: true,
          createResponse: true,
        },
      },
    },
  },
});

session.on('error', (error) => seen.errors.push(JSON.stringify(error)));
transport.on('*', (event) => {
  seen.types[event.type] = (seen.types[event.type] ?? 0) + 1;
  if (event.type === 'response.done' && event.response.status === 'cancelled') seen.cancelled += 1;
  if (event.type === 'conversation.item.truncated') seen.truncated.push(event);
  for (const wait of waiting) wait(event);
});

/** The next event that `test` accepts. */
function next(what, test) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), STEP_TIMEOUT_MS);
    const wait = (event) => {
      if (!test(event)) return;
      clearTimeout(late);
      waiting.delete(wait);
      resolve(event);
    };
    waiting.add(wait);
  });
}

const replyWith = (kind) => (event) =>
  event.type === 'response.done' && event.response.output.some((item) => item.type === kind);
const spokenWords = (done) =>
  done.response.output
    .flatMap((item) => item.content ?? [])
    .map((part) => part.transcript ?? part.text ?? '')
    .join(' ');

async function speak(path) {
  const pcm = await readFile(path);
  for (let at = 0; at < pcm.length; at += FRAME_BYTES) {
    const frame = pcm.subarray(at, at + FRAME_BYTES);
    session.sendAudio(new Uint8Array(frame).buffer);
    await sleep(5);
  }
}

await session.connect({ apiKey: token, url });

let audioBytes = 0;
session.on('audio', (event) => {
  audioBytes += event.data.byteLength;
});

// A text turn.
let done = next('a reply to text', replyWith('message'));
session.sendMessage('Hello, what can you do?');
seen.textReply = spokenWords(await done);

// A spoken turn, which needs the tool.
const called = next('a tool call', replyWith('function_call'));
await speak(speechPath);
await called;
done = next('a reply to the result', replyWith('message'));
seen.toolReply = spokenWords(await done);

// An interruption: the caller speaks while the agent still does.
let interrupted = '';
transport.on('*', (event) => {
  if (event.type === 'response.output_audio_transcript.done') interrupted ||= event.transcript;
});
const started = next('audio', (event) => event.type === 'response.output_audio.delta');
const truncated = next('a truncation', (event) => event.type === 'conversation.item.truncated');
const shown = next(
  'the truncated item',
  (event) => event.type === 'conversation.item.retrieved' && event.item.role === 'assistant',
);
session.sendMessage('What can you do?');
await started;
await sleep(100);
await speak(interruptionPath);
await truncated;
await shown;

seen.audioBytes = audioBytes;
seen.interrupted = interrupted;
seen.history = session.history.filter((item) => item.type === 'message');
session.close();
process.stdout.write(`${JSON.stringify(seen)}\n`);
