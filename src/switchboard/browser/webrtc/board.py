"""What a page over WebRTC has been told, numbered, so that it can come back for what it missed."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final

from switchboard.browser import protocol as wire
from switchboard.browser.codec import encode

RING_EVENTS: Final = 1_024
RING_CHARS: Final = 1024 * 1024
SHOWN: Final = 2_000
"""Lines and tools that are shown again; of a longer call, the newest."""
SHOWN_CHARS: Final = 2 * 1024 * 1024
"""Of all of them together: a tool's result may be long."""


class Board:
    """A ring of the latest messages, and every line and tool as it stands. Numbers begin at 1."""

    def __init__(
        self,
        *,
        ring_events: int = RING_EVENTS,
        ring_chars: int = RING_CHARS,
        shown_chars: int = SHOWN_CHARS,
    ) -> None:
        self._ring: deque[str] = deque()
        self._ring_events = ring_events
        self._ring_limit = ring_chars
        self._ring_chars = 0
        self._shown: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._shown_limit = shown_chars
        self._shown_chars = 0
        self.last = 0
        """The number of the newest message."""

    def put(self, message: wire.ServerMessage) -> None:
        frame = encode(message)
        self.last += 1
        self._ring.append(frame)
        self._ring_chars += len(frame)
        while len(self._ring) > self._ring_events or self._ring_chars > self._ring_limit:
            self._ring_chars -= len(self._ring.popleft())
        self._keep(message, frame)

    def since(self, number: int) -> Iterator[tuple[int, str]]:
        """What came after message `number`, each with its own. Where that is forgotten, all that
        stands on the board, under number 0 but for the last: who is cut off midway begins again."""
        oldest = self.last - len(self._ring) + 1
        if oldest - 1 <= number <= self.last:
            yield from enumerate(list(self._ring)[number - oldest + 1 :], start=number + 1)
            return
        last, frames = self.last, list(self._shown.values())
        for at, frame in enumerate(frames, start=1):
            yield (last if at == len(frames) else 0), frame

    def _keep(self, message: wire.ServerMessage, frame: str) -> None:
        match message:
            case wire.Line(id=key) | wire.Tool(id=key):
                place = (type(message).__name__, key)
                former = self._shown.get(place, "")
            case wire.Floor() | wire.Ended():
                place = (type(message).__name__, "")
                former = self._shown.pop(place, "")
            case _:
                return
        self._shown[place] = frame
        self._shown_chars += len(frame) - len(former)
        while len(self._shown) > SHOWN or self._shown_chars > self._shown_limit:
            self._shown_chars -= len(self._shown.popitem(last=False)[1])
