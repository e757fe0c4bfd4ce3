"""One call's recording, where its audio passes here: the caller as spoken, the agent as heard.

The hot path only appends; one task a call hands on what was appended, and a thread writes it.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import anyio
import anyio.to_thread

from switchboard.conversation.events import RecordingState
from switchboard.exchange.over import always, ignored
from switchboard.records.recordings import HERE
from switchboard.records.reel import Piece, Reel, Side
from switchboard.records.shelf import NoRoom

logger = logging.getLogger(__name__)

WRITE_S: Final = 0.5
END_S: Final = 5.0
SETTLED_MS: Final = 3_000.0
"""What is older is complete: a page reports within this time what was heard."""
GAP_MS: Final = 1_000.0
"""A caller whose audio is later than that was not there; less is the network's doing."""
JITTER_MS: Final = 150.0
MOST_AHEAD_CHARS: Final = 24_000_000
"""Of what was made and not heard yet: about six minutes. More is silence."""
MOST_WAITING: Final = 20_000
"""Pieces that wait for a slow disk: minutes of audio. More is silence."""


class Shelf(Protocol):
    """Where the files are."""

    async def begin(self, call_id: str) -> Reel:
        """Raises `NoRoom`."""
        ...

    def grew(self, size_bytes: int) -> None:
        """Raises `NoRoom`."""
        ...

    def done(self, call_id: str) -> None: ...


class Labels(Protocol):
    """Where it is written that there is a recording."""

    async def put(
        self, call_id: str, state: str, at: float, *, kept: str, duration_ms: float | None = None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class TapeDeck:
    """What every tape needs."""

    shelf: Shelf
    labels: Labels


@dataclass(slots=True)
class _Item:
    """What was made of one item, and how much of it was heard."""

    made: deque[tuple[float, float, str]] = field(default_factory=deque[tuple[float, float, str]])
    """From where in the item, how long, base64."""
    heard_ms: float = 0.0
    ends_at_ms: float = -JITTER_MS
    """Where on the recording the last that was heard ends."""


class Tape:
    """`private` says whether nobody may hear the call now, `tell` passes on what became of it."""

    def __init__(
        self,
        call_id: str,
        deck: TapeDeck | None,
        *,
        private: Callable[[], bool],
        tell: Callable[[RecordingState], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call_id = call_id
        self._deck = deck
        self._private = private
        self._tell = tell
        self._clock = clock
        self._wanted = False
        self._rolling = self._over = False
        self._began = 0.0
        self._stirred = anyio.Event()
        self._pieces: deque[Piece] = deque(maxlen=MOST_WAITING)
        self._operator_ms = 0.0
        self._caller_ms = -math.inf
        self._items: dict[str, _Item] = {}
        self._stopped: set[str] = set()
        self._ahead_chars = 0

    # -- the call's half: never waits -----------------------------------------------------------

    def want(self, *, on: bool) -> None:
        """Have the call recorded, or not for now."""
        self._wanted = on
        self._stirred.set()

    def caller(self, audio: str, ms: float) -> None:
        """The caller spoke, until now."""
        if not self._runs:
            return
        now_ms = self._now_ms()
        if now_ms - ms - self._caller_ms > GAP_MS:
            self._caller_ms = now_ms - ms
        if self._caller_ms > now_ms + GAP_MS:
            return  # faster than anybody speaks
        self._pieces.append(Piece(Side.CALLER, max(self._caller_ms, 0.0), audio))
        self._caller_ms += ms

    def operator(self, audio: str, ms: float) -> None:
        """An operator speaks in the agent's place, and is heard as soon as there is room."""
        if not self._runs:
            return
        at_ms = max(self._now_ms(), self._operator_ms)
        self._pieces.append(Piece(Side.AGENT, at_ms, audio))
        self._operator_ms = at_ms + ms

    def agent(self, item_id: str, from_ms: float, ms: float, audio: str) -> None:
        """Audio of an item is on its way to the ear: of the part that begins `from_ms` in it."""
        if self._over:
            return
        item = self._items.get(item_id)
        if item is None:
            self._forget()
            item = self._items[item_id] = _Item()
        if self._ahead_chars + len(audio) <= MOST_AHEAD_CHARS:
            self._ahead_chars += len(audio)
            item.made.append((from_ms, ms, audio))

    def heard(self, item_id: str, until_ms: float) -> None:
        """An item was heard up to there, just now."""
        item = self._items.get(item_id)
        if item is None or until_ms <= item.heard_ms:
            return
        now_ms = self._now_ms()
        since_ms, item.heard_ms = item.heard_ms, until_ms
        at_ms = now_ms - (until_ms - since_ms)
        if abs(at_ms - item.ends_at_ms) < JITTER_MS:
            at_ms = item.ends_at_ms
        item.ends_at_ms = at_ms + until_ms - since_ms
        for from_ms, ms, audio in list(item.made):
            begin, end = max(from_ms, since_ms), min(from_ms + ms, until_ms)
            if begin < end and self._runs:
                place = at_ms + begin - since_ms
                self._pieces.append(
                    Piece(Side.AGENT, max(place, 0.0), audio, begin - from_ms, end - begin)
                )
            if from_ms + ms <= until_ms:
                item.made.popleft()
                self._ahead_chars -= len(audio)

    def hush(self) -> None:
        """The agent was silenced: nothing more of what it made will be heard."""
        self._stopped.update(self._items)

    def over(self) -> None:
        """The call has ended, and `run` with it."""
        self._private, self._tell = always, ignored

    @property
    def _runs(self) -> bool:
        return self._rolling and self._wanted and not self._private()

    def _now_ms(self) -> float:
        return (self._clock() - self._began) * 1_000

    def _forget(self) -> None:
        """What is heard out, or never will be."""
        for item_id in [
            i for i, item in self._items.items() if i in self._stopped or not item.made
        ]:
            for *_, audio in self._items.pop(item_id).made:
                self._ahead_chars -= len(audio)
        self._stopped &= set(self._items)

    # -- the task's half ------------------------------------------------------------------------

    async def run(self) -> None:
        """Record from when it is first wanted until cancelled; what was heard is written then."""
        while not self._wanted:
            await self._stir()
        if self._deck is None:
            self._fail()
            return
        try:
            await self._record(self._deck)
        except (NoRoom, OSError) as reason:
            logger.warning(
                "call is not recorded", extra={"call": self._call_id, "why": str(reason)}
            )
            await self._label(self._deck, "failed")
            self._fail()

    def _fail(self) -> None:
        self._over = True
        self._items.clear()
        self._tell(RecordingState.FAILED)

    async def _record(self, deck: TapeDeck) -> None:
        # The row is there before the file: whoever sweeps would take that for nobody's.
        await self._label(deck, "running")
        reel = await deck.shelf.begin(self._call_id)
        self._began, self._rolling = self._clock(), True
        try:
            await self._roll(deck, reel)
        finally:
            self._rolling = False
            with anyio.move_on_after(END_S, shield=True):
                await self._end(deck, reel)

    async def _roll(self, deck: TapeDeck, reel: Reel) -> None:
        told = False
        while True:
            if self._wanted is not told:
                told = self._wanted
                self._tell(RecordingState.RUNNING if told else RecordingState.PAUSED)
            deck.shelf.grew(await self._write(reel, self._now_ms() - SETTLED_MS))
            with anyio.move_on_after(WRITE_S):
                await self._stir()

    async def _stir(self) -> None:
        await self._stirred.wait()
        self._stirred = anyio.Event()

    async def _write(self, reel: Reel, until_ms: float) -> int:
        pieces = list(self._pieces)
        self._pieces.clear()
        grown = 0
        with anyio.CancelScope(shield=True):  # or what was taken would be lost
            grown = await anyio.to_thread.run_sync(reel.write, pieces, until_ms)
        return grown

    async def _end(self, deck: TapeDeck, reel: Reel) -> None:
        try:
            await self._write(reel, self._now_ms())
            await anyio.to_thread.run_sync(reel.close)
        except OSError as reason:
            extra = {"call": self._call_id, "error": type(reason).__name__}
            logger.warning("recording not ended", extra=extra)
        finally:
            deck.shelf.done(self._call_id)
        await self._label(deck, "stopped", reel.lasted_ms)

    async def _label(self, deck: TapeDeck, state: str, duration_ms: float | None = None) -> None:
        try:
            at = time.time()
            await deck.labels.put(self._call_id, state, at, kept=HERE, duration_ms=duration_ms)
        except Exception as reason:  # drivers raise what they like
            if state == "running":
                raise NoRoom("the records are away") from reason
            logger.warning("recording not noted", extra={"error": type(reason).__name__})
