"""A realtime session under way: one task group that owns all that works for it.

Clients of every kind (a WebSocket, a data channel, a sideband) follow and steer it: `client.py`.
"""

import logging
import time
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final, Protocol

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from switchboard_local.engine.parts import Ears, Voice
from switchboard_local.faults.kinds import Service
from switchboard_local.faults.registry import Faults
from switchboard_local.mind.parts import Mind
from switchboard_local.realtime.effects import (
    Dismiss,
    Effect,
    Foresee,
    Forget,
    Generate,
    Send,
    Stop,
    Transcribe,
)
from switchboard_local.realtime.farewell import BROKEN, EXPIRED, Farewell
from switchboard_local.realtime.foresight import Foresight
from switchboard_local.realtime.outbox import Outbox
from switchboard_local.realtime.playout import SILENCE
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.reply import Piece, Sound
from switchboard_local.realtime.session import RealtimeSession
from switchboard_local.realtime.sound import PCM_BYTES_PER_MS
from switchboard_local.realtime.speaking import Speaking, Stalled
from switchboard_local.realtime.victim import Flow, Victim
from switchboard_local.realtime.wire import Append

logger = logging.getLogger(__name__)

EARS_TIMEOUT_S: Final = 20.0
SEND_TIMEOUT_S: Final = 20.0
"""For one event: a client that takes longer is gone."""
MAX_AHEAD_MS: Final = 60_000
"""Audio that may wait to be played: a reply that is made faster waits."""
_SLICE_BYTES: Final = 100 * PCM_BYTES_PER_MS
"""Audio is heard in pieces this large, so that one client's does not hold up the others."""


@dataclass(frozen=True, slots=True)
class Company:
    """The parts of the engine a session works with, and how fast it talks."""

    ears: Ears
    voice: Voice
    mind: Mind
    pace: float
    """Times faster than real time."""
    faults: Faults


class Follower(Protocol):
    """Whoever is told what happens in a session."""

    outbox: Outbox

    def tell(self, event: Mapping[str, Any]) -> None:
        """One server event, without waiting."""
        ...


@dataclass(slots=True)
class Live:
    """One session, those who follow it, and all that works for it."""

    session: RealtimeSession
    company: Company
    service: Service
    """The way in."""
    expires_in_s: float
    tasks: TaskGroup
    followers: list[Follower] = field(default_factory=list[Follower])
    farewell: Farewell = BROKEN
    over: anyio.Event = field(default_factory=anyio.Event)
    """Set once the session has ended, with `farewell`."""
    flow: Flow = field(default_factory=Flow)
    """Where all that is sent passes, but to sidebands."""
    _replies: dict[str, anyio.CancelScope] = field(default_factory=dict[str, anyio.CancelScope])
    _ears: dict[str, anyio.CancelScope] = field(default_factory=dict[str, anyio.CancelScope])
    _news: anyio.Event = field(default_factory=anyio.Event)
    """Set, and replaced, whenever the ears have answered or a deadline may have moved."""
    _sounded_ms: dict[str, float] = field(default_factory=dict[str, float])
    """Audio of each reply under way."""
    _last_delta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    _foresight: Foresight = field(init=False)
    victim: Victim = field(init=False)

    def __post_init__(self) -> None:
        self.victim = Victim(self.tasks, self.flow, self.close, self._end_expired)
        self._foresight = Foresight(self.company.mind, self.company.voice, self.tasks)

    def begin(self) -> None:
        """Let time pass in it. Before anything is sent: a fault may hold it."""
        if (fault := self.company.faults.strike_of(self.service, "dial")) is not None:
            self.victim.strike(fault)
        self.tasks.start_soon(self._keep_time)
        self.tasks.start_soon(self._expire)

    def do(self, effects: Sequence[Effect]) -> None:
        """Set the session's effects going, in order, without waiting."""
        for effect in effects:
            match effect:
                case Send(event):
                    self._send(event)
                case Generate() | Stop():
                    self._steer(effect)
                case Transcribe() | Forget():
                    self._lend_ear(effect)
                case Foresee(request, aloud):
                    self._foresight.prepare(request, aloud=aloud)
                case Dismiss():
                    self._foresight.forget()
        if effects:
            self._stir()

    def _steer(self, effect: Generate | Stop) -> None:
        match effect:
            case Generate(reply_id):
                self._replies[reply_id] = anyio.CancelScope()
                self.tasks.start_soon(self._reply, reply_id)
            case Stop(reply_id):
                self._replies[reply_id].cancel()

    def _lend_ear(self, effect: Transcribe | Forget) -> None:
        match effect:
            case Transcribe(ear, pcm):
                self._ears[ear] = anyio.CancelScope()
                self.tasks.start_soon(self._transcribe, ear, pcm)
            case Forget(ear):
                if (scope := self._ears.get(ear)) is not None:
                    scope.cancel()

    def close(self, farewell: Farewell) -> None:
        """End the session; its clients are closed with `farewell`."""
        if not self.tasks.cancel_scope.cancel_called:
            self.farewell = farewell
        self.tasks.cancel_scope.cancel()

    def _send(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "response.output_audio.delta":
            self._last_delta = event
        for follower in tuple(self.followers):
            follower.tell(event)

    def _stir(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def hear(self, event: Append) -> None:
        """Take in a client's audio. Raises `Refused`."""
        try:
            audio = b64decode(event.audio, validate=True)
        except (BadBase64, ValueError):
            raise Refused("invalid_value", "'audio' is not base64.", "audio") from None
        for at in range(0, len(audio), _SLICE_BYTES):
            if at:
                await anyio.lowlevel.checkpoint()
            self.do(self.session.hear(audio[at : at + _SLICE_BYTES], event.event_id))

    def play(self) -> bytes:
        """The next 20 ms for the caller's ear, where the session is played here."""
        if self.flow.held:
            return SILENCE
        frame, effects = self.session.play()
        self.do(effects)
        self._stir()
        return frame

    async def _room(self) -> None:
        """Wait until more of a reply may be told."""
        for follower in tuple(self.followers):
            await follower.outbox.room()
        while self.session.ahead_ms > MAX_AHEAD_MS:
            await self._news.wait()

    # Time

    async def _keep_time(self) -> None:
        while True:
            due_s, news = self.session.deadline_s, self._news
            wait_s = None if due_s is None else max(0.0, due_s - anyio.current_time())
            with anyio.move_on_after(wait_s):
                await news.wait()
                continue
            self.do(self.session.tick(anyio.current_time()))

    async def _expire(self) -> None:
        await anyio.sleep(self.expires_in_s)
        await self._end_expired()

    async def _end_expired(self) -> None:
        minutes = self.expires_in_s / 60
        message = f"Your session hit the maximum duration of {minutes:g} minutes."
        self.do(self.session.refuse(Refused("session_expired", message), None))
        with anyio.move_on_after(SEND_TIMEOUT_S):
            for follower in tuple(self.followers):
                await follower.outbox.drained()
        self.close(EXPIRED)

    # The engine's work

    async def _transcribe(self, ear: str, pcm: bytes) -> None:
        text: str | None = None
        with self._ears[ear] as scope:
            try:
                with anyio.fail_after(EARS_TIMEOUT_S):
                    text = await self.company.ears.transcribe(pcm)
            except Exception:
                logger.exception("ears failed")
        del self._ears[ear]
        if not scope.cancelled_caught:
            self.do(self.session.transcribed(ear, text))
            self._stir()

    async def _reply(self, reply_id: str) -> None:
        plan = self.session.plan(reply_id)
        speaking = Speaking(
            self._foresight,
            self.company.voice,
            tell=lambda piece: self._tell(reply_id, piece),
            room=self._room,
            aloud=plan.aloud,
            speed=plan.speed,
            pace=self.company.pace,
        )
        error: str | None = None
        with self._replies[reply_id] as scope:
            error = await self._say(speaking, reply_id)
        if scope.cancelled_caught:
            speaking.leak()
        del self._replies[reply_id]
        self._sounded_ms.pop(reply_id, None)
        self.do(self.session.over(reply_id, anyio.current_time(), error))
        if scope.cancelled_caught:
            self._trail(reply_id)
        self._stir()

    async def _say(self, speaking: Speaking, reply_id: str) -> str | None:
        """What went wrong, if anything did."""
        try:
            while (request := self.session.request(reply_id)) is None:
                await self._news.wait()
            await speaking.say(request)
        except Stalled:
            logger.warning("reply stalled")
            return "The reply took too long to make."
        except Exception:
            logger.exception("reply failed")
            return "The reply could not be made."
        return None

    def _tell(self, reply_id: str, piece: Piece) -> None:
        self.do(self.session.add(reply_id, piece))
        if isinstance(piece, Sound):
            sounded_ms = self._sounded_ms.get(reply_id, 0.0) + len(piece.pcm) / PCM_BYTES_PER_MS
            self._sounded_ms[reply_id] = sounded_ms
            fault = self.company.faults.strike_of(self.service, "reply", sounded_ms)
            if fault is not None:
                self.victim.strike(fault)

    def _trail(self, reply_id: str) -> None:
        """Send what a fault has a cancelled reply send: its last audio, over again."""
        if self._last_delta.get("response_id") == reply_id:
            for _ in range(self.company.faults.late_deltas(self.service)):
                self._send({**self._last_delta, "event_id": fresh_id("event")})


@asynccontextmanager
async def open_live(
    session: RealtimeSession, company: Company, service: Service, expires_in_s: float
) -> AsyncGenerator[Live]:
    """A session whose tasks all end with the block."""
    async with anyio.create_task_group() as tasks:
        live = Live(session, company, service, expires_in_s, tasks)
        try:
            tasks.start_soon(live.victim.attend)
            with company.faults.exposed(service, live.victim.announce):
                yield live
        finally:
            live.over.set()


def fresh_id(prefix: str) -> str:
    """An id as the service makes them."""
    return f"{prefix}_{token_hex(10)}"


def expiry(seconds: float) -> int:
    """Epoch seconds at which a session that begins now ends."""
    return int(time.time() + seconds)
