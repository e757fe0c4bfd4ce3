"""The caller's leg of a call over WebRTC: the page is heard by POST and told by an event stream.

It is there as long as the call, with or without a stream; a page without one for too long is gone.
"""

import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

import anyio

from switchboard.access.refusals import TooOften
from switchboard.access.renewal import Renewal
from switchboard.access.standing import Standing
from switchboard.browser import protocol as wire
from switchboard.browser.codec import encode, message_of
from switchboard.browser.limits import Meter, SocketLimits
from switchboard.browser.problems import Refusal
from switchboard.browser.webrtc.board import Board
from switchboard.browser.wording import ended_text
from switchboard.conversation.commands import AskOffer, CallerCommand, Note
from switchboard.conversation.events import (
    CallerDecided,
    CallerEvent,
    CallerLeft,
    CallerPressed,
    CallerTyped,
    HumanWanted,
    WishWithdrawn,
)
from switchboard.conversation.legs import CallerAudio, LegCapabilities, ReplyAudio

logger = logging.getLogger(__name__)

PING: Final = b": ping\n\n"
MAX_WAITING: Final = 256
"""Messages of the page that the call has not taken yet."""


@dataclass(frozen=True, slots=True)
class RtcLimits:
    """Per call. Times in seconds."""

    first_s: float = 30.0
    """For the page's first stream."""
    reattach_s: float = 10.0
    """For its next, once it has lost one."""
    ping_s: float = 15.0
    close_s: float = 1.0
    """For the last event to leave."""
    end_s: float = 6.0
    """For a call whose caller left to be over."""
    page: SocketLimits = field(default_factory=SocketLimits)
    """What the page may ask: as on a socket."""


class RtcLeg:
    """A page whose voice is elsewhere."""

    capabilities = LegCapabilities(paced=False, owns_buffer=True, recordable=False, audible=False)

    def __init__(
        self,
        call_id: str,
        *,
        title_of: Callable[[str], str],
        limits: RtcLimits | None = None,
        standing: Standing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`standing` says whether somebody stands behind it."""
        self.standing = standing or Standing("", None)
        self.renewal = Renewal(
            self.standing,
            ask=lambda: self._tell(wire.TokenWanted()),
            taken=self._token_taken,
            refused=lambda text: self._tell(wire.Refused("token", text, fatal=False)),
        )
        self._call_id = call_id
        self._title_of = title_of
        self._limits = limits or RtcLimits()
        self._clock = clock
        self._meter = Meter(self._limits.page, clock())
        self._board = Board()
        self._said: deque[CallerEvent] = deque()
        self._stirred = anyio.Event()
        """Set, and replaced, whenever the page has said something, or a stream came or went."""
        self._news = anyio.Event()
        """Set, and replaced, whenever there is something to tell."""
        self._ended: str | None = None
        self._signed_out = False
        self._streams = 0
        """Streams so far; the last one counts."""
        self._told = 0
        """The newest message that the stream has taken."""
        self._away_since: float | None = clock()
        self._patience_s = self._limits.first_s

    # -- the exchange's half --------------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[CallerEvent | CallerAudio]:
        while self._ended is None:
            if self._said:
                event = self._said.popleft()
                yield event
                if isinstance(event, CallerLeft):
                    return
            elif await self._page_is_gone():
                logger.info("page gone", extra={"call": self._call_id})
                yield CallerLeft("page_gone")
                return

    def play(self, reply: ReplyAudio) -> None:
        """Nothing: the service plays to the ear itself."""

    def command(self, command: CallerCommand) -> None:
        """The service has been told to be silent; an offer only the page can make."""
        if isinstance(command, AskOffer):
            self._tell(wire.Reoffer())

    def show(self, note: Note) -> None:
        """Tell the page."""
        message = message_of(note, self._title_of)
        if message is not None:
            self._tell(message)

    async def close(self, reason: str) -> None:
        """Say why; at most `close_s` seconds for the page to take it."""
        if self._ended is None:
            self._tell(wire.Ended(reason, ended_text(reason)))
            self._ended = reason
            self._stir()
        with anyio.move_on_after(self._limits.close_s):
            while self._away_since is None:
                await self._stirred.wait()

    # -- the page's half ------------------------------------------------------------------------

    def take(self, message: wire.PageMessage) -> None:
        """One message of the page. Raises `Refusal`, `TooOften`."""
        if not self._meter.admits(message, self._clock()) or len(self._said) >= MAX_WAITING:
            raise TooOften("This is more than the line can take.", retry_after_s=1)
        if isinstance(message, wire.Renew):
            self.renewal.offer(message.token)
            return
        event = _event_of(message)
        if event is not None:
            self._said.append(event)
            self._stir()

    async def stand(self) -> None:
        """Until nobody stands behind this call: then its stream ends, and the call waits as for
        any page that was lost."""
        text = await self.renewal.run()
        self._tell(wire.Refused("signed_out", text, fatal=True))
        self._signed_out = True
        self._stir()

    async def _token_taken(self, until: float) -> None:
        self._tell(wire.TokenTaken(until))

    async def stream(self, since: int) -> AsyncGenerator[bytes]:
        """What the page missed after message `since`, and all that comes: server-sent events.

        It ends with the call, or when a newer stream takes over.
        """
        self._streams += 1
        mine = self._streams
        self._away_since = None
        self._stir()
        try:
            yield self._ready(since, resumed=mine > 1)
            while mine == self._streams:
                news = self._news
                for number, frame in self._board.since(since):
                    since = number
                    yield _event(number, frame)
                self._told = since
                over = self._ended is not None or self._signed_out
                if over and since >= self._board.last:
                    return
                with anyio.move_on_after(self._limits.ping_s) as pause:
                    await news.wait()
                if pause.cancelled_caught:
                    yield PING
        finally:
            if mine == self._streams:
                self._away_since, self._patience_s = self._clock(), self._limits.reattach_s
                self._stir()

    async def gone(self) -> None:
        """Wait for whoever ends this leg to say why; nobody does, so we do."""
        with anyio.move_on_after(self._limits.end_s):
            while self._ended is None:
                await self._stirred.wait()
        await self.close("ended")

    async def linger(self) -> None:
        """After the end: a page that lost its stream may still come and read why."""
        deadline = self._clock() + self._limits.reattach_s
        while self._told < self._board.last and (left_s := deadline - self._clock()) > 0:
            with anyio.move_on_after(left_s):
                await self._stirred.wait()

    # -- within ---------------------------------------------------------------------------------

    async def _page_is_gone(self) -> bool:
        """Wait for something to happen; whether the page's time was up instead."""
        left_s = None
        if self._away_since is not None:
            left_s = max(0.0, self._away_since + self._patience_s - self._clock())
        with anyio.move_on_after(left_s) as patience:
            await self._stirred.wait()
        return patience.cancelled_caught

    def _ready(self, since: int, *, resumed: bool) -> bytes:
        ready = wire.Ready(self._call_id, "", self._limits.reattach_s, resumed)
        # A number that was never given is no place to go on from.
        return _event(since if since <= self._board.last else 0, encode(ready))

    def _tell(self, message: wire.ServerMessage) -> None:
        if self._ended is None:
            self._board.put(message)
            news, self._news = self._news, anyio.Event()
            news.set()

    def _stir(self) -> None:
        stirred, self._stirred = self._stirred, anyio.Event()
        stirred.set()
        news, self._news = self._news, anyio.Event()
        news.set()


def _event_of(message: wire.PageMessage) -> CallerEvent | None:
    """What a page's message means; `None` for a sign of life. Raises `Refusal`."""
    match message:
        case wire.TextIn(id=item_id, text=text):
            return CallerTyped(item_id, text)
        case wire.Key(key=key):
            return CallerPressed(key)
        case wire.Decide(call=call, agreed=agreed):
            return CallerDecided(call, agreed)
        case wire.Human(withdraw=withdraw):
            return WishWithdrawn() if withdraw else HumanWanted()
        case wire.End():
            return CallerLeft("goodbye")
        case wire.Ping():
            return None
        case _:
            raise Refusal(400, "not_here", "Over WebRTC the service hears and plays by itself.")


def _event(number: int, frame: str) -> bytes:
    """One server-sent event."""
    return f"id: {number}\ndata: {frame}\n\n".encode()
