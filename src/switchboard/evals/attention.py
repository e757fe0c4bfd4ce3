"""What a caller notices of a call while it goes on: whose turn it is."""

from typing import Final

import anyio

from switchboard.conversation import commands as c

SETTLE_S: Final = 0.15
"""An agent who has been silent for so long has finished: the next reply would have begun."""


class Attention:
    """Follows the notes of one call. Waits here are bounded by whoever waits."""

    def __init__(self) -> None:
        self._floor = c.Floor.NOBODY
        self._lines: dict[str, c.NoteLine] = {}
        self._running: set[str] = set()
        self._answered = False
        self._changed = anyio.Event()
        self.over = False
        """The call has ended."""

    def note(self, note: c.Note) -> None:
        match note:
            case c.NoteFloor(floor):
                self._floor = floor
            case c.NoteLine(speaker=c.Speaker.AGENT):
                self._answered = self._answered or bool(note.text)
                self._lines[note.item_id] = note
            case c.NoteTool(call_id, state=c.ToolState.RUNNING):
                self._running.add(call_id)
            case c.NoteTool(call_id):
                self._running.discard(call_id)
            case _:
                return
        self._tell()

    def end(self) -> None:
        self.over = True
        self._tell()

    def heard(self) -> list[str]:
        """What the agent has said, line by line."""
        lines = sorted((x for x in self._lines.values() if x.text), key=lambda line: line.began_ms)
        return [x.text if x.heard_chars is None else x.text[: x.heard_chars] for x in lines]

    def caller_begins(self) -> None:
        """The caller takes a turn: what comes now is an answer to it."""
        self._answered = False

    async def agent_finished(self) -> None:
        """Until the agent has answered, is silent and does nothing; or the call is over."""
        while not self.over:
            if self._answered and self._floor is c.Floor.NOBODY and not self._running:
                changed = self._changed
                with anyio.move_on_after(SETTLE_S):
                    await changed.wait()
                    continue
                return
            await self._changed.wait()

    async def agent_speaks(self, characters: int) -> None:
        """Until an answer has so many characters, the agent has finished, or the call is over."""
        while not self.over:
            growing = [x for x in self._lines.values() if x.state is c.LineState.PARTIAL]
            if any(len(line.text) >= characters for line in growing):
                return
            if self._answered and self._floor is c.Floor.NOBODY and not self._running:
                return
            await self._changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
