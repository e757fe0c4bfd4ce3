"""What is said is looked through for whoever watches, and hardly at all for nobody."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from switchboard.console import veil
from switchboard.console.veil import MANY, PAUSE_S, Veil
from switchboard.conversation.commands import LineState, Note, NoteLine, Speaker

WAIT_S = 20.0


@pytest.fixture(autouse=True)
def for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unwatched, it never reads by itself: what is read is read for the reason under test."""
    monkeypatch.setattr(veil, "PAUSES_UNWATCHED", 1_000_000)


@dataclass
class Scene:
    watched: bool = False
    read: list[str] = field(default_factory=list[str])
    shown: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.veil = Veil(self._clean, self._show, lambda: self.watched)

    async def _clean(self, call_id: str, note: Note) -> Note:
        assert isinstance(note, NoteLine)
        self.read.append(note.text)
        return note

    def _show(self, call_id: str, note: Note, at: float) -> None:
        assert isinstance(note, NoteLine)
        self.shown.append(note.text)

    def say(self, text: str, item: str = "i1") -> None:
        self.veil.put("c1", NoteLine(item, Speaker.AGENT, text, LineState.PARTIAL, 0.0), 1.0)

    async def until_shown(self, text: str) -> None:
        with anyio.fail_after(WAIT_S):
            while text not in self.shown:  # noqa: ASYNC110  (it has no event)
                await anyio.sleep(0.01)


@asynccontextmanager
async def running() -> AsyncGenerator[Scene]:
    scene = Scene()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scene.veil.run)
        scene.say("first")
        await scene.until_shown("first")  # now it pauses
        yield scene
        tasks.cancel_scope.cancel()


async def test_a_line_that_grows_unwatched_is_read_when_somebody_asks_for_it() -> None:
    async with running() as scene:
        for length in range(1, 11):
            scene.say("x" * length)
            await anyio.sleep(PAUSE_S / 5)
        assert scene.read == ["first"]
        await scene.veil.settle()
        assert scene.shown == ["first", "x" * 10]


async def test_whoever_begins_to_watch_is_shown_what_is_said_from_then_on() -> None:
    async with running() as scene:
        scene.watched = True
        scene.say("hello")
        await scene.until_shown("hello")
        scene.say("hello there")
        await scene.until_shown("hello there")


async def test_many_lines_are_read_though_nobody_watches() -> None:
    async with running() as scene:
        for number in range(MANY + 1):
            scene.say(f"line {number}", f"i{number}")
        await scene.until_shown(f"line {MANY}")
