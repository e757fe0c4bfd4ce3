"""A caller at a page: the browser's WebSocket, as the page speaks it, tickets and all.

The same voice and ear as in process, with a wire between. What happens is judged by what the page
is shown.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin, Subprotocol

from switchboard.browser import protocol as wire
from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import CallerAudio, ReplyAudio
from switchboard.evals.attention import Attention
from switchboard.evals.evidence import Evidence
from switchboard.evals.scenario import Scenario
from switchboard.evals.servers import Server
from switchboard.evals.speech import Speech
from switchboard.evals.talking import Held, Talk, conduct, heard_of
from switchboard.evals.voiceleg import VoiceLeg

CREATED: Final = 201
OPEN_S: Final = 20.0
REPORT_S: Final = 0.1
"""How often a page says what it has played."""
MOST_FRAME_BYTES: Final = 4 * 1024 * 1024
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(wire.ServerMessage).decode


@dataclass(frozen=True, slots=True)
class Site:
    """Where a page is, and how it is let in."""

    address: str
    token: str | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"


async def by_socket(
    talk: Talk, scenario: Scenario, speech: Speech, site: Site, own: Server | None
) -> Held:
    """Speak the conversation at a page of `site`; `own`: at a server of the evaluation's own, whose
    database and costs can be seen. Raises `ConfigurationError` without voice or ears."""
    evidence, attention = Evidence(), Attention()
    leg = VoiceLeg(attention, speech, scenario.caller, talk.seed)
    page = Page(site, leg, evidence)

    async def carry() -> None:
        await page.call(scenario.agent, scenario.model)

    if own is None:
        evidence.unpriced = 1  # a page is told nothing of money
        await conduct(talk, scenario, leg, attention, evidence, carry, leg.run)
        return await heard_of(leg, scenario, evidence, None)
    with own.witness.on(evidence, None):
        await conduct(talk, scenario, leg, attention, evidence, carry, leg.run)
        await own.witness.ended()
    return await heard_of(leg, scenario, evidence, await own.keep(talk.folder))


class Page:
    """One call from a page. What goes wrong stands in the evidence."""

    def __init__(self, site: Site, leg: VoiceLeg, evidence: Evidence) -> None:
        self._site = site
        self._leg = leg
        self._evidence = evidence
        self._began = monotonic()
        self._played: dict[str, float] = {}
        self._reported = 0.0
        self._at_once = False

    async def call(self, agent: str, model: str | None) -> None:
        """Place it, and talk until it is over."""
        try:
            placed = await self._place(agent, model)
            if placed is None:
                return
            address = self._site.origin.replace("http", "ws", 1) + placed.socket
            names = [wire.SUBPROTOCOL, wire.TICKET_PREFIX + placed.ticket]
            async with connect(
                address,
                origin=Origin(self._site.origin),
                subprotocols=[Subprotocol(name) for name in names],
                compression=None,
                proxy=None,
                open_timeout=OPEN_S,
                max_size=MOST_FRAME_BYTES,
            ) as socket:
                await self._talk(socket)
        except (httpx.HTTPError, OSError, InvalidHandshake, msgspec.MsgspecError) as reason:
            self._evidence.trouble = f"The server is not to be had: {type(reason).__name__}."
        finally:
            await self._leg.close("over")

    async def _place(self, agent: str, model: str | None) -> wire.CallPlaced | None:
        headers = {"Origin": self._site.origin}
        if self._site.token is not None:
            headers["Authorization"] = f"Bearer {self._site.token}"
        body = _encode(wire.PlaceCall(agent, model=model))
        async with httpx.AsyncClient(timeout=OPEN_S, trust_env=False) as http:
            url = f"{self._site.origin}/api/calls"
            answer = await http.post(url, content=body, headers=headers)
        if answer.status_code == CREATED:
            return msgspec.json.decode(answer.content, type=wire.CallPlaced)
        self._evidence.trouble = f"No call: {answer.status_code} {answer.text[:200]}"
        return None

    async def _talk(self, socket: ClientConnection) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._speak, socket)
            await self._listen(socket)
            self._evidence.seconds = monotonic() - self._began
            tasks.cancel_scope.cancel()

    async def _speak(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # told by whoever listens
            async for event in self._leg:
                await self._say(socket, event)

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                self._hear(_decode(frame))
        except (ConnectionClosed, msgspec.MsgspecError) as reason:
            self._evidence.trouble = f"The socket broke: {type(reason).__name__}."

    # -- from the caller --------------------------------------------------------------------

    async def _say(self, socket: ClientConnection, event: e.CallerEvent | CallerAudio) -> None:
        match event:
            case CallerAudio(audio):
                await _send(socket, wire.AudioIn(audio))
            case e.Heard(item_id, ms):
                self._played[item_id] = ms
            case e.CallerPressed(key):
                await _send(socket, wire.Key(key))
            case e.CallerLeft():
                await _send(socket, wire.End())
            case _:
                """Nothing else comes of a voice."""
        now = monotonic()
        if self._played and (self._at_once or now - self._reported >= REPORT_S):
            self._reported, self._at_once = now, False
            reports, self._played = self._played, {}
            for item, ms in reports.items():
                await _send(socket, wire.Played(item, ms))

    # -- from the server --------------------------------------------------------------------

    def _hear(self, message: wire.ServerMessage) -> None:
        match message:
            case wire.Ready():
                self._began = monotonic()
            case wire.AudioOut(item, audio):
                self._leg.play(ReplyAudio("", item, audio))
            case wire.Flush():
                self._at_once = True
                self._leg.command(c.StopPlayout())
            case wire.Ended(reason):
                self._evidence.ended = reason
            case wire.Refused(code, text, fatal) if fatal:
                self._evidence.trouble = f"The page was refused: {code}: {text}"
            case _:
                self._shown(message)

    def _shown(self, message: wire.ServerMessage) -> None:
        note = note_of(message)
        if note is not None:
            self._evidence.note(note, (monotonic() - self._began) * 1_000)
            self._leg.show(note)


def note_of(message: wire.ServerMessage) -> c.Note | None:
    """What a page is shown, as it was noted."""
    match message:
        case wire.Line():
            return c.NoteLine(
                message.id,
                c.Speaker(message.speaker),
                message.text,
                c.LineState(message.state),
                message.began_ms,
                message.heard_chars,
                message.typed,
            )
        case wire.Tool():
            return c.NoteTool(
                message.id,
                message.name,
                msgspec.json.encode(message.arguments).decode(),
                c.ToolState(message.state),
                message.began_ms,
                None if message.result is None else msgspec.json.encode(message.result).decode(),
                message.duration_ms,
                message.question,
            )
        case wire.Floor(floor):
            return c.NoteFloor(c.Floor(floor))
        case wire.Interruption(item, heard_ms, at_ms):
            return c.NoteInterruption(item, heard_ms, heard_ms, at_ms)
        case wire.Latency():
            return c.NoteLatency(message.reply, message.first_audio_ms, message.first_heard_ms)
        case wire.Notice(code, text):
            return c.NoteNotice(code, text)
        case _:
            return None


async def _send(socket: ClientConnection, message: wire.PageMessage) -> None:
    await socket.send(_encode(message).decode(), text=True)
