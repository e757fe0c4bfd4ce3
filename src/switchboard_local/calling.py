"""`switchboard-local call`: rings the agent of a running local cloud from a terminal."""

import sys
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import anyio
import msgspec
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from switchboard_local.acs.softphone import PATH
from switchboard_local.acs.sound import FRAME_MS, RATE, loud, resampled
from switchboard_local.serving import LOOPBACK, CannotStart

OPEN_S: Final = 5.0
QUIET_MS: Final = 1_200
"""So long a silence after sound is the other's turn ended."""
ANSWER_S: Final = 30.0
"""How long is waited for the agent to begin, and again for it to come to an end."""
PIECE_BYTES: Final = 20 * RATE * 2
_FLOOR_DB: Final = -60
_LINE_FRAMES: Final = 1_000 // FRAME_MS


@dataclass(frozen=True, slots=True)
class Errand:
    """What to ring for. Speeches are texts, or 24 kHz PCM16 of a file."""

    port: int
    number: str
    speeches: Sequence[str | bytes] = ()
    out: Path | None = None
    limit_s: float = 300.0


class _Told(msgspec.Struct, frozen=True):
    type: str
    text: str = ""


@dataclass(slots=True)
class Ear:
    """What was heard, and when it was last sound."""

    pcm: bytearray = field(default_factory=bytearray)
    sound_ms: int = 0
    silence_ms: int = 0
    spoken: int = 0
    told: list[str] = field(default_factory=list[str])
    over: bool = False
    changed: anyio.Event = field(default_factory=anyio.Event)

    @property
    def at_s(self) -> float:
        return len(self.pcm) / (RATE * 2)

    def hear(self, frame: bytes) -> None:
        self.pcm += frame
        self.silence_ms = 0 if loud(frame) else self.silence_ms + FRAME_MS
        self.sound_ms += 0 if self.silence_ms else FRAME_MS
        if len(self.pcm) // len(frame) % _LINE_FRAMES == 0:
            self._say_level(bytes(self.pcm[-_LINE_FRAMES * len(frame) :]))

    def stir(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()

    def _say_level(self, second: bytes) -> None:
        level = level_db(second)
        if level > _FLOOR_DB:
            bar = "#" * round((level - _FLOOR_DB) / 3)
            _print(f"{self.at_s:6.1f} s  {level:4.0f} dB  {bar}")


def level_db(pcm: bytes) -> float:
    """Loudness below full scale; silence is `_FLOOR_DB`."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    power = float(np.mean(samples**2)) / 32_768**2
    return max(float(_FLOOR_DB), 10 * float(np.log10(power))) if power else float(_FLOOR_DB)


def read_wav(path: Path) -> bytes:
    """Mono, 16 bits, any rate, two minutes at most; as 24 kHz. Raises `CannotStart`."""
    try:
        with wave.open(str(path)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise CannotStart(f"{path} is not mono with 16 bits.")
            rate = file.getframerate()
            return resampled(file.readframes(120 * rate), rate)
    except (OSError, EOFError, wave.Error) as reason:
        raise CannotStart(f"{path} cannot be read: {reason}") from None


async def call(errand: Errand) -> int:
    """Ring, wait for the greeting, say each speech and hear its answer, hang up.

    0: so it went. 1: nobody answered, or the call ended before everything was said. Raises
    `CannotStart` where no local cloud runs.
    """
    address = f"ws://{LOOPBACK}:{errand.port}{PATH}?number={quote(errand.number)}"
    try:
        socket = await connect(address, proxy=None, open_timeout=OPEN_S, close_timeout=OPEN_S)
    except (OSError, TimeoutError, WebSocketException):
        raise CannotStart(
            f"No telephone answers on port {errand.port}. Start one with `make run`."
        ) from None
    ear, done = Ear(), False
    with anyio.move_on_after(errand.limit_s):
        async with socket, anyio.create_task_group() as tasks:
            tasks.start_soon(_listen, socket, ear)
            done = await _talk(socket, ear, errand.speeches)
            tasks.cancel_scope.cancel()
    if errand.out is not None:
        _write_wav(errand.out, bytes(ear.pcm))
    _print(f"heard {ear.sound_ms / 1_000:.1f} s of sound in {ear.at_s:.1f} s")
    return 0 if done else 1


async def _talk(socket: ClientConnection, ear: Ear, speeches: Sequence[str | bytes]) -> bool:
    """Whether everything was said and the call stood all the while."""
    await _until(ear, lambda: "answered" in ear.told or ear.over)
    if "answered" not in ear.told:
        return False
    await _hear_out(ear)
    for speech in speeches:
        pieces = [speech] if isinstance(speech, str) else _pieces(speech)
        wanted = ear.spoken + len(pieces)
        if ear.over:
            return False
        try:
            for piece in pieces:
                await socket.send(piece if isinstance(piece, bytes) else _say(piece))
        except ConnectionClosed:
            return False
        await _until(ear, lambda wanted=wanted: ear.spoken >= wanted or ear.over)
        await _hear_out(ear)
    return True


async def _hear_out(ear: Ear) -> None:
    """Until the agent has said something and stopped; or says nothing for long."""
    begun_ms = ear.sound_ms
    await _until(ear, lambda: ear.sound_ms > begun_ms or ear.over)
    await _until(ear, lambda: ear.silence_ms >= QUIET_MS or ear.over)


async def _until(ear: Ear, happened: Callable[[], bool]) -> None:
    with anyio.move_on_after(ANSWER_S):
        while not happened():
            await ear.changed.wait()


async def _listen(socket: ClientConnection, ear: Ear) -> None:
    try:
        async for message in socket:
            if isinstance(message, bytes):
                ear.hear(message)
            else:
                _note(ear, msgspec.json.decode(message, type=_Told))
            ear.stir()
    except ConnectionClosed:
        pass
    ear.over = True
    ear.stir()


def _note(ear: Ear, told: _Told) -> None:
    ear.told.append(told.type)
    ear.spoken += told.type == "spoken"
    _print(f"{ear.at_s:6.1f} s  {told.type}{': ' + told.text if told.text else ''}")


def _say(text: str) -> str:
    return msgspec.json.encode({"type": "say", "text": text}).decode()


def _pieces(pcm: bytes) -> list[bytes]:
    return [pcm[at : at + PIECE_BYTES] for at in range(0, len(pcm), PIECE_BYTES)]


def _write_wav(path: Path, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
