/** The socket to the local cloud: opened again whenever it is lost. */
import { type CloudMessage, PATH, type PageMessage } from './protocol.gen';

const AGAIN_MS = 1_000;

export interface LinkEvents {
  /** It stands: what the page had must be claimed anew. */
  opened(): void;
  lost(): void;
  message(message: CloudMessage): void;
  sound(bytes: ArrayBuffer): void;
}

export interface Link {
  send(message: PageMessage): void;
  sound(bytes: ArrayBuffer): void;
  close(): void;
}

/** `tab` tells the cloud that a page which was reloaded is the same one. */
export function openLink(origin: string, tab: string, events: LinkEvents): Link {
  let socket: WebSocket | null = null;
  let closed = false;
  let again: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    const fresh = new WebSocket(`${origin.replace(/^http/, 'ws')}${PATH}?tab=${tab}`);
    fresh.binaryType = 'arraybuffer';
    fresh.onopen = () => events.opened();
    fresh.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') events.message(JSON.parse(data) as CloudMessage);
      else events.sound(data);
    };
    fresh.onclose = () => {
      if (closed || socket !== fresh) return;
      events.lost();
      again = setTimeout(open, AGAIN_MS);
    };
    socket = fresh;
  };
  open();
  const put = (data: string | ArrayBuffer): void => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(data);
  };
  return {
    send: (message) => put(JSON.stringify(message)),
    sound: put,
    close: () => {
      closed = true;
      clearTimeout(again);
      socket?.close();
    },
  };
}
