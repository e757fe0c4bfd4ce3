/** The parts of a real browser, joined for a `Caller`. */
import type { Parts } from './caller';
import { browserMicrophone } from './microphone';
import { browserNetwork } from './network';
import { overWebRtc, type RtcParts } from './overwebrtc';
import { overWebSocket, type SocketParts } from './overwebsocket';
import { browserSpeaker } from './speaker';
import { openWebSocket } from './websocket';
import captureUrl from './worklets/capture.ts?worker&url';
import playbackUrl from './worklets/playback.ts?worker&url';

/** What belongs to the HTTP client. */
export type Placing = Pick<SocketParts, 'place'> &
  Pick<RtcParts, 'placeOffer'> &
  Pick<Parts, 'token'>;

export function browserParts({ place, placeOffer, token }: Placing): Parts {
  const origin = window.location.href;
  return {
    connections: {
      websocket: overWebSocket({
        place,
        connect: (placed, events) =>
          openWebSocket(placed, events, {
            dial: (url, protocols) => new WebSocket(url, protocols),
            origin,
            network: browserNetwork,
          }),
        openMicrophone: browserMicrophone(captureUrl),
        openSpeaker: browserSpeaker(playbackUrl),
        clock: () => performance.now(),
      }),
      webrtc: overWebRtc({ placeOffer, stream: { origin, network: browserNetwork } }),
    },
    newId: () => `typed_${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`,
    token,
  };
}
