"""One page's side: its lines, what it wishes, and what it is told."""

import logging
from dataclasses import dataclass, field
from typing import Final

import anyio
import msgspec
from anyio.abc import TaskGroup
from starlette.websockets import WebSocket

from switchboard_local.acs.flow import Flow
from switchboard_local.softphone.line import Ear, Line
from switchboard_local.softphone.protocol import (
    MAX_SOUND_BYTES,
    Answer,
    Claim,
    CloudMessage,
    Decline,
    Dial,
    Flowed,
    HangUp,
    LineNow,
    PageMessage,
    Passage,
    Press,
    Say,
    Select,
    Trouble,
    Unplug,
    Welcome,
)
from switchboard_local.softphone.room import Held, Room, Taken

logger = logging.getLogger(__name__)

MAX_OUTBOX: Final = 1_000
MAX_SOUND_WAITING: Final = 50
"""One second of frames: a page that reads no faster misses sound, and never gets late."""
SEND_S: Final = 5.0
FLOW_S: Final = 0.1
"""So seldom are pages told of what passes, however much it is."""
TAKEN_AWAY: Final = "Another page has taken this number."

_wish: Final = msgspec.json.Decoder(PageMessage)


class Misfit(Exception):
    """The page said what is none of this protocol."""


@dataclass(slots=True, eq=False)
class _Plugged:
    """A line, the number in its hand, and what ends it."""

    line: Line
    held: Held
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    lost: bool = False


class SoftphonePage:
    """Lives within `serve`; all its telephones are hung up and given back at its end."""

    def __init__(self, socket: WebSocket, room: Room) -> None:
        self._socket = socket
        self._room = room
        self._lines: dict[int, _Plugged] = {}
        self._selected = 0
        self._put, self._outbox = anyio.create_memory_object_stream[str | bytes](MAX_OUTBOX)
        self._tasks: TaskGroup | None = None

    async def serve(self) -> None:
        """Until the page goes, reads too slowly, or says a `Misfit`."""
        async with self._put, self._outbox, anyio.create_task_group() as self._tasks:
            self._tell(Welcome(self._room.agent_number))
            self._tasks.start_soon(self._write)
            self._tasks.start_soon(self._watch, self._room.acs.flow)
            await self._read()
            self._tasks.cancel_scope.cancel()

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if (pcm := message.get("bytes")) is not None:
                self._speak(pcm)
                continue
            try:
                wish = _wish.decode(message.get("text") or "")
            except msgspec.MsgspecError:
                raise Misfit from None
            self._grant(wish)

    def _speak(self, pcm: bytes) -> None:
        if len(pcm) > MAX_SOUND_BYTES or len(pcm) % 2:
            raise Misfit
        plugged = self._lines.get(self._selected)
        if plugged is not None:
            plugged.line.speak(pcm)

    def _grant(self, wish: PageMessage) -> None:
        match wish:
            case Claim():
                self._claim(wish)
                return
            case Unplug(line=index):
                self._unplug(index)
                return
            case Select(line=index):
                self._selected = index
                return
            case _:
                pass
        plugged = self._lines.get(wish.line)
        if plugged is None:
            self._tell(Trouble(wish.line, "This line has no number."))
            return
        _do(plugged.line, wish)

    def _claim(self, claim: Claim) -> None:
        old = self._lines.get(claim.line)
        try:
            if old is not None and old.line.in_use:
                raise Taken("The line is in use: hang up first.")
            if old is not None and old.held.number == claim.number:
                return
            number = self._room.choose(claim.number, insist=claim.insist)
            self._plug(claim.line, number)
        except Taken as reason:
            self._tell(Trouble(claim.line, str(reason)))

    def _plug(self, index: int, number: str) -> None:
        """Raises `Taken`, and leaves what there was."""
        assert self._tasks is not None

        def lose() -> None:
            plugged.lost = True
            plugged.scope.cancel()

        held = self._room.claim(number, lambda: plugged.line.in_use, lose)
        line = Line(
            index, held.phone, self._room.acs, self._room.parts, Ear(self._tell, self._hear)
        )
        plugged = _Plugged(line, held)
        self._unplug(index)
        self._lines[index] = plugged
        self._tasks.start_soon(self._attend, plugged)

    def _unplug(self, index: int) -> None:
        plugged = self._lines.pop(index, None)
        if plugged is not None:
            plugged.scope.cancel()

    async def _attend(self, plugged: _Plugged) -> None:
        """A line for as long as it is plugged in."""
        index, number = plugged.line.index, plugged.held.number
        try:
            with plugged.scope:
                await plugged.line.attend()
        finally:
            self._room.release(plugged.held)
        if plugged.lost:
            self._lines.pop(index, None)
            self._tell(LineNow(index, number, "unplugged", text=TAKEN_AWAY))
        elif index not in self._lines:
            self._tell(LineNow(index, "", "unplugged"))

    async def _watch(self, flow: Flow) -> None:
        """Tell what passes, from the oldest that is kept."""
        known = 0
        while True:
            changed = flow.changed
            if flow.revision > known:
                passages = flow.since(known)
                known = flow.revision
                told = [msgspec.convert(each, Passage, from_attributes=True) for each in passages]
                self._tell(Flowed(told))
                await anyio.sleep(FLOW_S)
            else:
                await changed.wait()

    def _hear(self, index: int, pcm: bytes) -> None:
        waiting = self._put.statistics().current_buffer_used
        if index == self._selected and waiting < MAX_SOUND_WAITING:
            self._put.send_nowait(pcm)

    def _tell(self, message: CloudMessage) -> None:
        try:
            self._put.send_nowait(msgspec.json.encode(message).decode())
        except anyio.WouldBlock:
            logger.warning("softphone page reads too slowly")
            assert self._tasks is not None
            self._tasks.cancel_scope.cancel()

    async def _write(self) -> None:
        async for message in self._outbox:
            with anyio.fail_after(SEND_S):
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_text(message)


def _do(line: Line, wish: Dial | Answer | Decline | HangUp | Press | Say) -> None:
    match wish:
        case Dial(number=number):
            line.dial(number)
        case Answer():
            line.answer()
        case Decline():
            line.decline()
        case HangUp():
            line.hang_up()
        case Press(keys=keys):
            line.press(keys)
        case Say(text=text):
            line.say(text)
