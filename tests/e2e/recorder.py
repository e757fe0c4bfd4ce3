"""What a page got and said over the network, and both voices of a call over WebRTC."""

import base64
from dataclasses import dataclass, field

from playwright.async_api import Page, Request, WebSocket

RECORD_VOICES = """
window.voices = { caller: [], agent: [] };
window.streams = [];
(() => {
  const keep = (stream, pieces) => {
    const context = new AudioContext({ sampleRate: 24000 });
    const node = context.createScriptProcessor(1024, 1, 1);
    node.onaudioprocess = (event) => {
      const samples = event.inputBuffer.getChannelData(0);
      const pcm = new Int16Array(samples.length);
      samples.forEach((value, at) => { pcm[at] = Math.max(-1, Math.min(1, value)) * 32767; });
      const loud = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / pcm.length);
      pieces.push({ at: performance.now(), loud, pcm });
    };
    context.createMediaStreamSource(stream).connect(node).connect(context.destination);
  };
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...given) {
      super(...given);
      this.addEventListener('track', ({ streams }) => keep(streams[0], window.voices.agent));
    }
    addTransceiver(track, ...more) {
      if (typeof track !== 'string') keep(new MediaStream([track]), window.voices.caller);
      return super.addTransceiver(track, ...more);
    }
  };
  const real = window.fetch;
  window.fetch = async (...given) => {
    const answer = await real(...given);
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) return answer;
    const [ours, theirs] = answer.body.tee();
    const at = window.streams.push('') - 1;
    ours.pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({
      write: (text) => { window.streams[at] += text; },
    })).catch(() => undefined);
    return new Response(theirs, answer);
  };
})();
"""
"""Both voices, 1024 samples of 24 kHz a piece, with when they passed; and the event streams."""


@dataclass
class Recorder:
    """Everything that crossed the network, either way."""

    sent: list[str] = field(default_factory=list[str])
    frames: list[str] = field(default_factory=list[str])
    requests: list[Request] = field(default_factory=list[Request])

    def listen(self, page: Page) -> None:
        page.on("request", self._on_request)
        page.on("websocket", self._on_socket)

    async def everything(self, page: Page) -> list[str]:
        """All bodies and frames. For event streams, what the page itself was handed."""
        streams: list[str] = await page.evaluate("window.streams")
        return [*self.sent, *self.frames, *streams, *[await _body(each) for each in self.requests]]

    def _on_request(self, request: Request) -> None:
        self.requests.append(request)
        self.sent.append(f"{request.method} {request.url} {request.post_data or ''}")

    def _on_socket(self, socket: WebSocket) -> None:
        for direction in ("framereceived", "framesent"):
            socket.on(direction, self._on_frame)

    def _on_frame(self, frame: str | bytes) -> None:
        self.frames.append(frame if isinstance(frame, str) else frame.decode("utf-8", "replace"))


async def _body(request: Request) -> str:
    response = await request.response()
    if response is None or response.status == 204:
        return ""
    if "event-stream" in response.headers.get("content-type", ""):
        return ""
    return (await response.body()).decode("utf-8", "replace")


async def heard(page: Page, since_ms: float = 0) -> bytes:
    """The agent's voice over WebRTC, from `since_ms` of the page's clock: PCM 24 kHz."""
    text: str = await page.evaluate(
        """(since) => {
          const pieces = window.voices.agent.filter(({ at }) => at >= since);
          const bytes = pieces.flatMap(({ pcm }) => [...new Uint8Array(pcm.buffer)]);
          let text = '';
          for (const byte of bytes) text += String.fromCharCode(byte);
          return btoa(text);
        }""",
        since_ms,
    )
    return base64.b64decode(text)


async def answered_ms(page: Page) -> float:
    """From the caller's last sound to the agent's first after it."""
    gap: float = await page.evaluate(
        """() => {
          const loud = (pieces) => pieces.filter((piece) => piece.loud > 0.01);
          const last = loud(window.voices.caller).at(-1).at;
          return loud(window.voices.agent).find(({ at }) => at > last).at - last;
        }"""
    )
    return gap
