"""One telephone in a page's hands: it rings, is rung, talks, and says how it stands."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from msgspec.structs import replace

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.captions import Stretches
from switchboard_local.acs.identifiers import number_of
from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.people import NoAnswer, Phone, PhoneCall, Ring
from switchboard_local.acs.refusals import AcsRefused
from switchboard_local.acs.softphone import Parts
from switchboard_local.acs.sound import SILENCE
from switchboard_local.engine.failures import EarsFailed, VoiceFailed
from switchboard_local.softphone.protocol import (
    CloudMessage,
    KeyHeard,
    LineNow,
    State,
    Trouble,
    Words,
)

MAX_WAITING: Final = 10
CUSHION: Final = 2 * SILENCE
"""Spoken before the first frame of a microphone, so that frames a little late leave no gap."""
MAX_BEHIND_MS: Final = 300
"""More of a microphone's sound than this never waits: it is dropped."""

HUNG_UP: Final = "You hung up."
OTHER_HUNG_UP: Final = "The other side hung up."
DECLINED: Final = "You declined."
MISSED: Final = "It stopped ringing: nobody took it."
VOICELESS: Final = "The local voice failed: say it again, or speak."
UNHEARD: Final = "So much cannot be said at once."


@dataclass(frozen=True, slots=True)
class Ear:
    """Where a line's news and sound go."""

    tell: Callable[[CloudMessage], None]
    sound: Callable[[int, bytes], None]
    """The line, and 20 ms of what it hears."""


class Line:
    """Lives within `attend`. At most one call at a time: another that rings meanwhile is busy."""

    def __init__(self, index: int, phone: Phone, acs: Acs, parts: Parts, ear: Ear) -> None:
        self.phone = phone
        self.now = LineNow(index, _named(phone.raw_id), "idle")
        self._acs = acs
        self._parts = parts
        self._ear = ear
        self._ring: Ring | None = None
        self._dialling: anyio.CancelScope | None = None
        self._call: PhoneCall | None = None
        self._left = False
        self._texts: MemoryObjectSendStream[str] | None = None
        self._tasks: TaskGroup | None = None

    @property
    def index(self) -> int:
        return self.now.line

    @property
    def in_use(self) -> bool:
        return self.now.state in ("calling", "ringing", "talking")

    async def attend(self) -> None:
        """Take rings until cancelled; then whatever is under way has been hung up."""
        self._ear.tell(self.now)
        try:
            async with anyio.create_task_group() as self._tasks:
                while True:
                    ring = await self.phone.ringing()
                    if self.in_use:
                        ring.busy()
                    elif not ring.over.is_set():
                        self._show("ringing", other=_named(ring.caller))
                        self._ring = ring
                        self._tasks.start_soon(self._rung, ring)
        finally:
            if self._ring is not None:
                self._ring.stop(Outcome.NO_ANSWER)

    # What the page wishes

    def dial(self, number: str) -> None:
        if not self.in_use and self._tasks is not None:
            self._show("calling", other=number)
            self._dialling = anyio.CancelScope()
            self._tasks.start_soon(self._dial, number, self._dialling)

    def answer(self) -> None:
        if self._ring is not None:
            # A caller who gives up in this moment leaves nobody to talk to: the page will be told.
            with suppress(NoAnswer):
                self._ring.answer()

    def decline(self) -> None:
        if self._ring is not None:
            self._ring.decline()

    def hang_up(self) -> None:
        """Whatever is under way."""
        self._left = True
        self.decline()
        if self._dialling is not None:
            self._dialling.cancel()
        if self._call is not None:
            self._call.hang_up()

    def press(self, keys: str) -> None:
        if self._call is not None:
            self._call.press(keys)

    def say(self, text: str) -> None:
        if self._texts is not None:
            try:
                self._texts.send_nowait(text)
            except anyio.WouldBlock:
                self._ear.tell(Trouble(self.index, UNHEARD))

    def speak(self, pcm: bytes) -> None:
        """A microphone's sound. What comes too fast is dropped; it never gets late.

        So is what comes while typed text is spoken: that would never come to its end.
        """
        call = self._call
        if call is None or self.now.speaking or call.unspoken_ms > MAX_BEHIND_MS:
            return
        call.say(pcm if call.unspoken_ms else CUSHION + pcm)

    # What happens to it

    async def _rung(self, ring: Ring) -> None:
        await ring.over.wait()
        self._ring = None
        if ring.call is not None:
            await self._talk(ring.call)
        else:
            self._end(DECLINED if ring.outcome is Outcome.DECLINED else MISSED)

    async def _dial(self, number: str, scope: anyio.CancelScope) -> None:
        call, why = None, HUNG_UP
        with scope:
            try:
                call = await self._acs.dial(self.phone, number)
            except NoAnswer as reason:
                why = reason.outcome.value.message
            except AcsRefused as reason:
                why = str(reason)
        self._dialling = None
        if call is None:
            self._end(why)
        else:
            await self._talk(call)

    async def _talk(self, call: PhoneCall) -> None:
        self._call, self._left = call, False
        self._show("talking", other=self.now.other)
        self._texts, texts = anyio.create_memory_object_stream[str](MAX_WAITING)
        put, stretches = anyio.create_memory_object_stream[bytes](MAX_WAITING)
        async with stretches, anyio.create_task_group() as ears:
            # Words take their time: a goodbye's are often found only when the call has ended.
            ears.start_soon(self._put_in_words, stretches)
            try:
                async with self._texts, texts, put, anyio.create_task_group() as tasks:
                    tasks.start_soon(self._speak_texts, call, texts)
                    await self._hear(call, put)
                    tasks.cancel_scope.cancel()
            finally:
                call.hang_up()
                self._call = self._texts = None
            self._end(HUNG_UP if self._left else OTHER_HUNG_UP)

    async def _hear(self, call: PhoneCall, stretches: MemoryObjectSendStream[bytes]) -> None:
        """Until the call ends. What was being said then, a goodbye most likely, is put in words
        like all before it."""
        cutter, keys = Stretches(), 0
        async for heard in call.listen():
            if heard.pcm != SILENCE:
                self._ear.sound(self.index, heard.pcm)
            _pass_on(cutter.push(heard.pcm), stretches)
            for key in list(call.keys_heard)[keys:]:
                self._ear.tell(KeyHeard(self.index, key))
            keys = len(call.keys_heard)
            if (other := _named(call.other)) != self.now.other:
                self._update(other=other)
            if call.on_hold is not self.now.held:
                self._update(held=call.on_hold)
        _pass_on(cutter.rest(), stretches)

    async def _speak_texts(self, call: PhoneCall, texts: MemoryObjectReceiveStream[str]) -> None:
        async for text in texts:
            self._update(speaking=True)
            try:
                async for piece in self._parts.voice.speak(text):
                    call.say(piece)
            except ValueError:
                self._ear.tell(Trouble(self.index, UNHEARD))
            except VoiceFailed:
                self._ear.tell(Trouble(self.index, VOICELESS))
            await call.say_out(b"")
            self._update(speaking=False)

    async def _put_in_words(self, stretches: MemoryObjectReceiveStream[bytes]) -> None:
        """All of them, though the call be over. Where the ears fail, the page goes without."""
        async for stretch in stretches:
            with suppress(EarsFailed):
                if words := await self._parts.ears.transcribe(stretch):
                    self._ear.tell(Words(self.index, words))

    def _show(self, state: State, other: str) -> None:
        self.now = LineNow(self.index, self.now.number, state, other)
        self._ear.tell(self.now)

    def _end(self, why: str) -> None:
        self.now = LineNow(self.index, self.now.number, "ended", self.now.other, text=why)
        self._ear.tell(self.now)

    def _update(self, **changes: bool | str) -> None:
        self.now = replace(self.now, **changes)
        self._ear.tell(self.now)


def _pass_on(stretch: bytes | None, stretches: MemoryObjectSendStream[bytes]) -> None:
    """Where ears are slower than speech, they miss some of it."""
    if stretch and stretches.statistics().current_buffer_used < MAX_WAITING:
        stretches.send_nowait(stretch)


def _named(raw_id: str) -> str:
    return number_of(raw_id) or raw_id
