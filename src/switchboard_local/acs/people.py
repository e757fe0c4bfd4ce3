"""People with telephones: they ring, are rung, speak, hear, press keys and hang up.

This is what tests and the softphone are made of. Everything a person hears is kept, with its time,
as far back as `memory_s` says.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import anyio

from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.sound import FRAME_BYTES, FRAME_MS, Spoken, loud, mixed

MAX_WAITING_RINGS: Final = 20
MAX_MOUTH_BYTES: Final = 48_000 * 120
MAX_KEYS: Final = 1000


class NoAnswer(Exception):
    """Ringing came to nothing. `outcome` says how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value.message)
        self.outcome = outcome


class Manner(Enum):
    """What a person does when the telephone rings."""

    BY_HAND = "by hand"
    """Somebody takes the ring from `Phone.ringing`."""
    ANSWERS = "answers"
    BUSY = "busy"
    DECLINES = "declines"
    IGNORES = "ignores"


@dataclass(frozen=True, slots=True)
class Heard:
    """20 ms that reached the ear. The time is the monotonic clock's, in seconds."""

    at_s: float
    pcm: bytes


@dataclass(slots=True, eq=False)
class PhoneCall:
    """One person's side of one call. Audio is 24 kHz mono PCM16."""

    raw_id: str
    other: str
    """Whom one is speaking with, as far as one can know: a raw id."""
    memory_frames: int
    ended: anyio.Event = field(default_factory=anyio.Event)
    heard: deque[Heard] = field(init=False)
    keys_heard: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_KEYS))
    on_hold: bool = False
    _frames: int = 0
    _loud_frames: int = 0
    _mouth: bytearray = field(default_factory=bytearray)
    _spoken_out: anyio.Event = field(default_factory=anyio.Event)
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _on_key: Callable[[str], None] | None = None
    _on_hang_up: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.heard = deque(maxlen=self.memory_frames)

    # What a person does

    def say(self, pcm: bytes) -> None:
        """Speak, after what is being spoken. Raises `ValueError` beyond two minutes ahead."""
        if len(self._mouth) + len(pcm) > MAX_MOUTH_BYTES:
            raise ValueError("nobody speaks that long in one breath")
        self._mouth += pcm
        if self._mouth:
            self._spoken_out = anyio.Event()

    def hush(self) -> None:
        """Stop speaking, in the middle of a word."""
        self._mouth.clear()
        self._spoken_out.set()

    async def say_out(self, pcm: bytes) -> None:
        """Speak, and return when it has been spoken, or the call is over."""
        self.say(pcm)
        await self._spoken_out.wait()

    def press(self, keys: str) -> None:
        """Press keys, one after another: `0`-`9`, `*`, `#`, `A`-`D`."""
        if self._on_key is not None and not self.ended.is_set():
            for key in keys:
                self._on_key(key)

    def hang_up(self) -> None:
        if self._on_hang_up is not None and not self.ended.is_set():
            self._on_hang_up()

    # What a person can tell

    @property
    def unspoken_ms(self) -> int:
        """How long what is being spoken goes on."""
        return len(self._mouth) * FRAME_MS // FRAME_BYTES

    @property
    def heard_pcm(self) -> bytes:
        """All that was heard, silences included."""
        return b"".join(each.pcm for each in self.heard)

    @property
    def heard_ms(self) -> int:
        """How much of what was heard was sound, and not silence: of the whole call."""
        return FRAME_MS * self._loud_frames

    async def hear_ms(self, ms: int) -> None:
        """Until so much sound has been heard. Raises `TimeoutError` where the call ends first."""
        while self.heard_ms < ms:
            if self.ended.is_set():
                raise TimeoutError(f"the call ended after {self.heard_ms} ms of sound")
            await self._changed.wait()

    async def listen(self) -> AsyncIterator[Heard]:
        """What is heard from now on, until the call is over. Whoever listens slower than
        `memory_frames` allows misses the oldest."""
        known = self._frames
        while True:
            fresh = min(self._frames - known, len(self.heard))
            known = self._frames
            for each in [self.heard[-number] for number in range(fresh, 0, -1)]:
                yield each
            if self.ended.is_set():
                return
            if known == self._frames:
                await self._changed.wait()

    async def keys(self, count: int) -> str:
        """The first `count` keys that were heard, once they were."""
        while len(self.keys_heard) < count:
            if self.ended.is_set():
                raise TimeoutError("the call ended before that")
            await self._changed.wait()
        return "".join(list(self.keys_heard)[:count])

    # What the line does

    def connect(self, on_key: Callable[[str], None], on_hang_up: Callable[[], None]) -> None:
        """The line's ends of keys and of hanging up; another line takes over from one before."""
        self._on_key, self._on_hang_up = on_key, on_hang_up

    def speak(self) -> Spoken | None:
        """The next 20 ms."""
        if not self._mouth:
            return None
        pcm = bytes(self._mouth[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del self._mouth[:FRAME_BYTES]
        if not self._mouth:
            self._spoken_out.set()
        return Spoken(self.raw_id, pcm)

    def hear(self, spoken: list[Spoken], now_s: float) -> None:
        pcm = mixed(spoken)
        self._frames += 1
        self._loud_frames += bool(spoken) and loud(pcm)
        self.heard.append(Heard(now_s, pcm))
        self._wake()

    def hear_key(self, key: str) -> None:
        self.keys_heard.append(key)
        self._wake()

    def end(self) -> None:
        """The line is dead."""
        self.ended.set()
        self.hush()
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


@dataclass(slots=True, eq=False)
class Ring:
    """A telephone that rings, until somebody does something about it."""

    caller: str
    """A raw id."""
    callee: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """What the application sent along."""
    over: anyio.Event = field(default_factory=anyio.Event)
    outcome: Outcome | None = None
    call: PhoneCall | None = None
    _taken: Callable[[PhoneCall], None] | None = None
    _memory_frames: int = 0

    def answer(self) -> PhoneCall:
        """Take the call. Raises `NoAnswer` where the caller has given up."""
        if self.call is None:
            if self.over.is_set():
                raise NoAnswer(self.outcome or Outcome.CANCELED)
            self.call = PhoneCall(self.callee, self.caller, self._memory_frames)
            if self._taken is not None:
                self._taken(self.call)
            self.over.set()
        return self.call

    def busy(self) -> None:
        self.stop(Outcome.BUSY)

    def decline(self) -> None:
        self.stop(Outcome.DECLINED)

    def stop(self, outcome: Outcome) -> None:
        """It rings no more."""
        if not self.over.is_set():
            self.outcome = outcome
            self.over.set()


class Phone:
    """One person's telephone."""

    def __init__(self, raw_id: str, memory_frames: int) -> None:
        self.raw_id = raw_id
        self.manner = Manner.BY_HAND
        self.calls: deque[PhoneCall] = deque(maxlen=100)
        """Those taken or made, oldest first."""
        self._memory_frames = memory_frames
        self._put, self._rings = anyio.create_memory_object_stream[Ring](MAX_WAITING_RINGS)

    async def ringing(self) -> Ring:
        """The next ring, answered or not."""
        return await self._rings.receive()

    def ring(self, caller: str, headers: dict[str, str]) -> Ring:
        """Have it ring."""
        ring = Ring(
            caller,
            self.raw_id,
            headers,
            _taken=self.calls.append,
            _memory_frames=self._memory_frames,
        )
        match self.manner:
            case Manner.BY_HAND:
                try:
                    self._put.send_nowait(ring)
                except anyio.WouldBlock:
                    ring.busy()
            case Manner.ANSWERS:
                ring.answer()
            case Manner.BUSY:
                ring.busy()
            case Manner.DECLINES:
                ring.decline()
            case Manner.IGNORES:
                pass
        return ring

    def close(self) -> None:
        self._put.close()
        self._rings.close()
