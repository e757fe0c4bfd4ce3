/** The parts of a real browser, joined for a `Caller`. */
import type { Parts } from './caller';
import { browserMicrophone } from './microphone';
import { browserSpeaker } from './speaker';
import { openWebSocket } from './websocket';
import captureUrl from './worklets/capture.ts?worker&url';
import playbackUrl from './worklets/playback.ts?worker&url';

/** Everything but `place`, which belongs to the HTTP client. */
export function browserParts(): Omit<Parts, 'place'> {
  return {
    connect: (placed, events) =>
      openWebSocket(placed, events, {
        dial: (url, protocols) => new WebSocket(url, protocols),
        origin: window.location.href,
      }),
    openMicrophone: browserMicrophone(captureUrl),
    openSpeaker: browserSpeaker(playbackUrl),
    newId: () => `typed_${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`,
    clock: () => performance.now(),
  };
}
