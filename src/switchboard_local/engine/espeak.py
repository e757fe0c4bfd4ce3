"""espeak-ng, the small robotic voice, as a program of its own: where Piper cannot be had."""

import asyncio
import io
import shutil
import wave
from typing import Final

import anyio
import anyio.to_thread

from switchboard_local.engine.failures import PartMissing, VoiceBusy, VoiceFailed
from switchboard_local.engine.parts import PartInfo
from switchboard_local.engine.samples import RATE_HZ, Samples, from_pcm, resampled
from switchboard_local.engine.turnstile import Full, Turnstile

_TIMEOUT_S: Final = 10.0
_MOST_WAITING: Final = 64
_AT_ONCE: Final = 2


class Espeak:
    """Starts espeak-ng once for every line, which takes it some 15 ms."""

    def __init__(self, program: str, reason: str = "") -> None:
        self.info = PartInfo("voice", "espeak-ng", fallback=True, reason=reason)
        self._command = (program, "-v", "en-us", "-s", "165", "--stdin", "--stdout")
        self._turnstile = Turnstile(range(_AT_ONCE), most_waiting=_MOST_WAITING)

    @classmethod
    async def load(cls, reason: str = "") -> "Espeak":
        """Raises `PartMissing` where there is no working espeak-ng."""
        program = shutil.which("espeak-ng")
        if program is None:
            raise PartMissing("espeak-ng is not installed")
        espeak = cls(program, reason)
        try:
            await espeak.say("Hello.")
        except (VoiceFailed, OSError) as error:
            raise PartMissing(f"espeak-ng does not work: {error}") from error
        return espeak

    async def say(self, line: str, *, urgency: int = 0) -> Samples:
        """24 kHz audio of one line. Raises `VoiceBusy` or `VoiceFailed`."""
        try:
            async with self._turnstile.borrow(urgency=urgency):
                wav = await self._run(line)
        except Full as error:
            raise VoiceBusy("too much is waiting to be spoken") from error
        return await anyio.to_thread.run_sync(_read, wav)

    async def close(self) -> None:
        """Nothing runs between lines."""

    async def _run(self, line: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                wav, _ = await process.communicate(line.encode())
        except TimeoutError as error:
            raise VoiceFailed("espeak-ng does not answer") from error
        finally:
            if process.returncode is None:
                process.kill()
                with anyio.CancelScope(shield=True):
                    await process.wait()
        if process.returncode:
            raise VoiceFailed(f"espeak-ng ended with {process.returncode}")
        return wav


def _read(wav: bytes) -> Samples:
    """espeak-ng cannot know its length when it writes the header, so all that follows is audio."""
    try:
        with wave.open(io.BytesIO(wav), "rb") as file:
            rate_hz = file.getframerate()
            samples = from_pcm(file.readframes(len(wav) // 2))
    except (EOFError, wave.Error) as error:
        raise VoiceFailed(f"espeak-ng's audio cannot be read: {error}") from error
    return resampled(samples, rate_hz, RATE_HZ)
