"""An open session with the realtime service: the model's leg of one call."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from dataclasses import replace

from websockets.exceptions import ConnectionClosed

from switchboard.conversation.commands import ModelCommand, TruncateItem
from switchboard.conversation.events import ModelEvent, ModelLost, ModelReady, ModelRefused
from switchboard.conversation.legs import ReplyAudio
from switchboard.model.codec import SESSION_UPDATE_ID, MalformedFrame, append
from switchboard.model.config import ModelConfig
from switchboard.model.endings import lost
from switchboard.model.frames import QuickConnection, send_text_at_once, send_whole_text
from switchboard.model.outbox import Outbox
from switchboard.model.profiles import Capabilities
from switchboard.model.wire import NOTHING, Fact, Facts
from switchboard.ticks import Ticks

logger = logging.getLogger(__name__)


class Link:
    """A `ModelLeg`. Whoever opened the socket runs the link's tasks beside it, and closes it."""

    def __init__(
        self,
        socket: QuickConnection,
        config: ModelConfig,
        service: Capabilities,
        opening: bytes,
        *,
        resumed: bool = False,
    ) -> None:
        """`opening` configures the session; `resumed`: it is one that we had before."""
        self._socket = socket
        self._config = config
        self._service = service
        self._decoder = service.decoder()
        self._outbox = Outbox(
            command_limit=config.command_limit, audio_limit_ms=config.audio_limit_ms
        )
        self._outbox.put_command(opening)
        self._resumed = resumed
        self.configured = False
        """The session has taken our configuration."""
        self._expected: Ticks | None = None
        self._sending_since: float | None = None
        self._complaint = "it said nothing"
        self._lost: ModelLost | None = None
        self._play: Callable[[ReplyAudio], bool] = _declines
        self.malformed = 0
        """Frames that could not be understood, and were left out."""

    @property
    def dropped(self) -> int:
        """Pieces of caller audio that the link was too slow for."""
        return self._outbox.dropped

    # -- the leg --------------------------------------------------------------------------------

    def hear(self, audio: str) -> None:
        if self._lost is not None:
            return
        sound = self._outbox.is_idle and audio and audio.isascii()
        if not (sound and send_text_at_once(self._socket, append(audio))):
            self._outbox.put_audio(audio)

    def command(self, command: ModelCommand) -> None:
        if isinstance(command, TruncateItem) and not self._service.truncates_replies:
            return
        if self._lost is not None:
            return
        frame = self._service.encode(command)
        if self._outbox.is_idle and send_text_at_once(self._socket, frame):
            return
        if not self._outbox.put_command(frame):
            self._lose("the link is stalled: too many commands are waiting", retryable=True)

    def straight(self, play: Callable[[ReplyAudio], bool]) -> None:
        """From now on, hand over audio as it comes."""
        self._play = play
        self._socket.hand_over = self._play_at_once

    async def __aiter__(self) -> AsyncIterator[ModelEvent | ReplyAudio]:
        while self._lost is None:
            try:
                frame = await self._socket.recv(decode=False)
            except ConnectionClosed as closed:
                self._lost = self._lost or lost(closed)
                break
            is_audio = False
            for fact in self._read(frame):
                is_audio = isinstance(fact, ReplyAudio)
                yield fact
            if self._socket.recv_messages.frames and not is_audio:
                # A turn of the caller's is six events at once, which take a millisecond: other
                # calls' audio goes between them. Ours stays behind those that wait (`frames.py`).
                await asyncio.sleep(0)
        yield self._lost

    # -- beside it ------------------------------------------------------------------------------

    async def pump(self) -> None:
        """Send what waits, until the link is lost or this task is cancelled."""
        try:
            while True:
                frame = await self._outbox.next()
                self._sending_since = time.monotonic()
                await send_whole_text(self._socket, frame)
                self._sending_since = None
        except OSError:
            return  # the listening side says why

    @contextmanager
    def watched(self) -> Generator[None]:
        """Lose a link that takes nothing any more, or whose service does not configure the session
        in its time. One timer for the one: one per frame would cost half as much again as the
        sending."""
        self._expected = Ticks(self._config.configure_timeout_s, self._not_configured)
        stall = Ticks(self._config.stall_timeout_s / 4, self._watch)
        try:
            yield
        finally:
            self._expected.stop()
            stall.stop()
            # What holds us is held no more. While the socket closes nobody listens: what the
            # service still says must not stand before its goodbye.
            self._socket.hand_over, self._play = _drops, _declines

    # -- inside ---------------------------------------------------------------------------------

    def _watch(self) -> float | None:
        patience_s, since = self._config.stall_timeout_s, self._sending_since
        if since is not None and time.monotonic() - since > patience_s:
            self._lose("the link is stalled: a frame could not be sent", retryable=True)
        return patience_s / 4 if self._lost is None else None

    def _not_configured(self) -> None:
        self._lose(f"the session was not configured in time ({self._complaint})", retryable=True)

    def _play_at_once(self, frame: bytes) -> bool:
        """Whether this was audio, and is played."""
        if self._lost is not None or not self.configured:
            return False
        reply = self._decoder.audio(frame)
        return reply is not None and self._play(reply)

    def _read(self, frame: bytes) -> Facts:
        try:
            facts = self._decoder.decode(frame)
        except MalformedFrame as malformed:
            self._refuse(malformed)
            return NOTHING
        if self.configured:
            return facts
        self._look_for_session(facts)
        return [self._as_resumed(fact) for fact in facts] if self._resumed else facts

    def _as_resumed(self, fact: Fact) -> Fact:
        return replace(fact, resumed=True) if isinstance(fact, ModelReady) else fact

    def _look_for_session(self, facts: Facts) -> None:
        for fact in facts:
            match fact:
                case ModelReady():
                    self.configured = True
                    if self._expected is not None:
                        self._expected.stop()
                    self._outbox.want_audio()
                case ModelRefused(code, _, event_id, param):
                    # The service's sentence goes nowhere: it may quote our configuration, prompt
                    # and all. Which part of it is meant is enough to find the fault.
                    logger.warning(
                        "error before the session", extra={"code": code[:64], "param": param}
                    )
                    self._complaint = code[:64]
                    if event_id == SESSION_UPDATE_ID:
                        self._lose(f"the session was refused ({code})", retryable=False)
                case _:
                    pass

    def _refuse(self, malformed: MalformedFrame) -> None:
        # One line for the first of them: a service gone mad must not fill the log.
        if self.malformed == 0:
            logger.warning("malformed frame from the service", extra={"kind": malformed.kind})
        self.malformed += 1

    def _lose(self, reason: str, *, retryable: bool) -> None:
        """End the leg at once. The listening side wakes, and says so as its last word."""
        if self._lost is None:
            self._lost = ModelLost(reason, retryable)
            self._socket.transport.abort()


def _declines(_: ReplyAudio) -> bool:
    return False


def _drops(_: bytes) -> bool:
    return True
