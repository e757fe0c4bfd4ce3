"""What the application has played into a call: files and texts, one after another."""

import io
import wave
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx

from switchboard_local.acs.bodies import PlaySource
from switchboard_local.acs.connection import Asked
from switchboard_local.acs.sound import FRAME_BYTES, Spoken, hum, resampled
from switchboard_local.loopback import is_loopback

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
MAX_WAITING: Final = 100
_MS_PER_CHARACTER: Final = 60
_LONGEST_MS: Final = 60_000

type Speak = Callable[[str], Awaitable[bytes]]
"""Text to 24 kHz PCM16."""


class CannotPlay(Exception):
    """A source that makes no sound. The text says why."""


@dataclass(slots=True, eq=False)
class Prompt:
    """Sound for everybody, or for `to`."""

    asked: Asked
    pcm: bytes
    to: frozenset[str] | None = None
    loop: bool = False
    at: int = 0
    begun: bool = False


@dataclass(slots=True)
class Prompts:
    """`tell` hears of each one's Started and Completed."""

    tell: Callable[[str, Prompt], None]
    _waiting: deque[Prompt] = field(default_factory=deque[Prompt])

    def put(self, prompt: Prompt, *, interrupt: bool) -> Sequence[Prompt]:
        """Play it after the others, or at once: then those that it cut off are returned."""
        cut = self.cancel() if interrupt else ()
        if len(self._waiting) >= MAX_WAITING:
            raise CannotPlay("too many wait")
        self._waiting.append(prompt)
        return cut

    def cancel(self) -> Sequence[Prompt]:
        """Play nothing more; what was cut off."""
        cut = tuple(self._waiting)
        self._waiting.clear()
        return cut

    def speak(self) -> Spoken | None:
        """The next 20 ms."""
        if not self._waiting:
            return None
        prompt = self._waiting[0]
        if not prompt.begun:
            prompt.begun = True
            self.tell("PlayStarted", prompt)
        pcm = prompt.pcm[prompt.at : prompt.at + FRAME_BYTES]
        prompt.at += FRAME_BYTES
        if prompt.at >= len(prompt.pcm):
            if prompt.loop:
                prompt.at = 0
            else:
                self._waiting.popleft()
                self.tell("PlayCompleted", prompt)
        return Spoken("", pcm.ljust(FRAME_BYTES, b"\0"), prompt.to)


async def sound_of(source: PlaySource, client: httpx.AsyncClient, speak: Speak | None) -> bytes:
    """A source as 24 kHz PCM16. Raises `CannotPlay`. Without `speak`, a hum stands for words."""
    if source.kind == "file" and source.file is not None:
        return await _file(source.file.uri, client)
    if source.kind == "text" and source.text is not None:
        if speak is not None:
            return await speak(source.text.text)
        return hum(min(_LONGEST_MS, _MS_PER_CHARACTER * len(source.text.text)))
    raise CannotPlay("a source without what its kind says")


async def _file(uri: str, client: httpx.AsyncClient) -> bytes:
    if not is_loopback(uri):
        raise CannotPlay("not on this machine")
    try:
        async with client.stream("GET", uri) as answer:
            if answer.status_code != 200:
                raise CannotPlay(f"status {answer.status_code}")
            data = b""
            async for piece in answer.aiter_bytes():
                data += piece
                if len(data) > MAX_FILE_BYTES:
                    raise CannotPlay("too large")
    except (httpx.HTTPError, httpx.InvalidURL):
        raise CannotPlay("unreachable") from None
    return _wav(data)


def _wav(data: bytes) -> bytes:
    """The service plays mono, 16 bits, 16 kHz; other rates do here too."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise CannotPlay("not mono, or not 16 bits")
            rate, pcm = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        raise CannotPlay("no wave file") from None
    return resampled(pcm, rate)
