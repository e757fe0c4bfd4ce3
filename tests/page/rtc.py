"""The scripted server, for calls over WebRTC: a real peer to talk to, and a stream of events."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from switchboard.browser import protocol
from switchboard.browser.protocol import PageMessage, ServerMessage
from switchboard_local.realtime.playout import SILENCE
from switchboard_local.realtime.webrtc.peer import AiortcPeer, answer
from tests.page.desk import CALL, CONFIG, Desk, as_json, as_text

RTC_CONFIG = msgspec.structs.replace(
    CONFIG,
    connections=["websocket", "webrtc"],
    models=[
        protocol.ModelChoice("gpt-realtime", "gpt-realtime", ["websocket", "webrtc"]),
        protocol.ModelChoice("voice-live", "Voice Live", ["websocket"]),
    ],
)
REATTACH_S = 3
PITCH = np.sin(np.arange(480) * 2 * np.pi * 10 / 480) * 8_000
TONE = PITCH.astype(np.int16).tobytes()
"""20 ms at 24 kHz; it goes on without a click."""


class RtcDesk(Desk):
    """What a test may do to a call over WebRTC; its methods are safe from the test's thread."""

    def __init__(self, page: Path, axe: Path) -> None:
        super().__init__(page, axe)
        self.config = RTC_CONFIG
        self.deaf = False
        """Answers offers as a network that lets no packet through does."""
        self.knows_call = True
        self.offers = 0
        self.loudness = 0.0
        """Of the caller's last 20 ms, 0 to 1."""
        self.heard_frames = 0
        self.last_ids: list[str | None] = []
        self.open_peers = 0
        self._speaking = False
        self._ticket_now = ""
        self._ring: list[ServerMessage] = []
        self._news = asyncio.Event()
        self._streams = 0
        self._peer: AiortcPeer | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what a test does -----------------------------------------------------------------------

    def tell(self, *messages: ServerMessage) -> None:
        """Say something on the event stream."""
        self._do(self._tell(*messages))

    def speak(self, speaking: bool) -> None:
        """The agent hums, or is silent."""
        self._speaking = speaking

    def lose_media(self) -> None:
        self._do(self._lose_media())

    def break_stream(self) -> None:
        self._do(self._break_stream())

    def fresh(self) -> None:
        self._ticket_now = ""  # a page that is still leaving says so to the call it had
        super().fresh()
        self.break_stream()
        self.deaf = self._speaking = False
        self.knows_call = True
        self.offers = self.heard_frames = 0
        self.last_ids.clear()
        self._do(self._lose_media())

    # -- the server -----------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _add_routes(self, app: FastAPI) -> None:
        app.get("/api/calls/{call}/events")(self._events)
        app.post("/api/calls/{call}/messages")(self._message)
        app.post("/api/calls/{call}/offers")(self._offer)

    async def _place(self, request: Request) -> Response:
        wish = msgspec.json.decode(await request.body(), type=protocol.PlaceCall)
        if wish.offer is None or self.problem is not None:
            return await super()._place(request)
        self.placed.append(wish)
        self._ticket_now = secrets.token_urlsafe(24)
        self._ring = [protocol.Ready(call=CALL, resume="", reattach_seconds=3, resumed=False)]
        return as_json(
            protocol.RtcPlaced(
                call=CALL,
                answer=await self._answer(wish.offer),
                events=f"/api/calls/{CALL}/events",
                messages=f"/api/calls/{CALL}/messages",
                offers=f"/api/calls/{CALL}/offers",
                ticket=self._ticket_now,
            ),
            201,
        )

    async def _answer(self, offer: str) -> str:
        await self._lose_media()
        self.offers += 1
        peer = await answer(offer)
        sdp = peer.answer
        if self.deaf:
            await peer.aclose()
            return sdp
        self._peer = peer
        self.open_peers += 1
        peer.speak_from(lambda: TONE if self._speaking else SILENCE)
        for work in (self._hear(peer), self._read(peer), self._part(peer)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return sdp

    async def _hear(self, peer: AiortcPeer) -> None:
        await peer.connected()
        async for pcm in peer.heard():
            samples = np.frombuffer(pcm, np.int16) / 32_768
            self.loudness = float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
            self.heard_frames += 1

    async def _read(self, peer: AiortcPeer) -> None:
        """The data channel, on which the page says nothing."""
        channel = await peer.channel()
        async for frame in channel.frames():
            raise AssertionError(f"the page spoke on its data channel: {frame}")

    async def _part(self, peer: AiortcPeer) -> None:
        await peer.gone()
        self.open_peers -= 1
        await peer.aclose()

    async def _lose_media(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.aclose()

    async def _tell(self, *messages: ServerMessage) -> None:
        self._ring += messages
        self._stir()

    async def _break_stream(self) -> None:
        self._streams += 1
        self._stir()

    def _stir(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _refused(self, request: Request) -> Response | None:
        if not self.knows_call:
            return as_json(protocol.Problem(code="unknown_call", text="No such call."), 404)
        if request.headers.get(protocol.TICKET_HEADER) != self._ticket_now:
            return as_json(protocol.Problem(code="ticket", text="Not your call."), 401)
        return None

    async def _events(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        last = request.headers.get("last-event-id")
        self.last_ids.append(last)
        self._streams += 1
        return StreamingResponse(
            self._stream(self._streams, int(last or 0)), media_type="text/event-stream"
        )

    async def _stream(self, number: int, at: int) -> AsyncGenerator[str]:
        while number == self._streams:
            for message in self._ring[at:]:
                at += 1
                yield f"id: {at}\ndata: {as_text(message)}\n\n"
                if isinstance(message, protocol.Ended):
                    return
            await self._news.wait()

    async def _message(self, request: Request) -> Response:
        body = await request.body()  # before the ticket is looked at: then nothing is waited for
        if refused := self._refused(request):
            return refused
        message = msgspec.json.decode(body, type=PageMessage)
        self.received.append(message)
        if isinstance(message, protocol.End):
            await self._tell(protocol.Ended(reason="page", text="You ended the call."))
            await self._lose_media()
        return Response(status_code=204)

    async def _offer(self, request: Request) -> Response:
        body = await request.body()
        if refused := self._refused(request):
            return refused
        offer = msgspec.json.decode(body, type=protocol.NewOffer).offer
        return as_json(protocol.OfferAnswered(answer=await self._answer(offer)))
