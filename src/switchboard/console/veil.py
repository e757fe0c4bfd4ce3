"""Between what is said and who watches: notes without what is not to be kept, a moment later.

What grows is read once for all that came meanwhile, less often while nobody watches, and the calls
go on in between.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import Final

import anyio

from switchboard.conversation.commands import Note, NoteLine, NoteNotice, NoteTool
from switchboard.records.behind import Behind

PAUSE_S: Final = 0.1
PAUSES_UNWATCHED: Final = 50
"""So many, one after the other, while nobody watches: who begins to is told at once."""
MANY: Final = 500
"""So many notes wait for nobody in particular; then they are read after all."""
MOST: Final = 2_000
"""Notes that wait. More, and the newest are not shown: the records have them."""

type Clean = Callable[[str, Note], Awaitable[Note]]
type Show = Callable[[str, Note, float], None]
type IsWatched = Callable[[], bool]


@dataclass(slots=True)
class _Waiting:
    note: Note
    at: float


@dataclass(slots=True)
class _End:
    then: Callable[[], None]


class Veil:
    """`clean` reads a call's note, `show` is told what is left of it; `is_watched` says whether
    anybody looks just now. `run` must run."""

    def __init__(self, clean: Clean, show: Show, is_watched: IsWatched) -> None:
        self._clean = clean
        self._show = show
        self._is_watched = is_watched
        self._waiting: dict[tuple[str, str], _Waiting | _End] = {}
        self._work = anyio.Event()
        self._busy = anyio.Lock()
        self._count = 0

    def put(self, call_id: str, note: Note, at: float) -> None:
        """Show this, in its turn; a newer one of the same thing takes its place. Never waits."""
        key = (call_id, self._name(note))
        known = self._waiting.get(key)
        if isinstance(known, _Waiting):
            known.note = note
        elif len(self._waiting) < MOST:
            self._waiting[key] = _Waiting(note, at)
        self._work.set()

    def end(self, call_id: str, then: Callable[[], None]) -> None:
        """Once all that was put of this call is shown, do this."""
        self._waiting[call_id, ""] = _End(then)
        self._work.set()

    async def run(self) -> None:
        """Read what waits, again and again, until cancelled."""
        while True:
            await self._work.wait()
            self._work = anyio.Event()
            await self.settle()
            for _ in range(PAUSES_UNWATCHED):
                await anyio.sleep(PAUSE_S)
                if self._is_watched() or len(self._waiting) > MANY:
                    break

    async def settle(self) -> None:
        """What waits now is shown when this returns."""
        async with self._busy:
            waiting, self._waiting = self._waiting, {}
            behind = Behind() if self._is_watched() else Behind(inf)
            for (call_id, _), each in waiting.items():
                if isinstance(each, _End):
                    each.then()
                    continue
                self._show(call_id, await self._clean(call_id, each.note), each.at)
                await behind.rest()

    def _name(self, note: Note) -> str:
        match note:
            case NoteLine(item_id):
                return f"line {item_id}"
            case NoteTool(call_id):
                return f"tool {call_id}"
            case _:
                self._count += 1
                return str(self._count)


def speaks(note: Note) -> bool:
    """Whether it holds words."""
    return isinstance(note, NoteLine | NoteTool | NoteNotice)
