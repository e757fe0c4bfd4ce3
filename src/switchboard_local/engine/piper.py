"""Piper, the neural voice, as programs of its own behind stdin and files.

Piper is GPL-3.0-or-later: it is started like any other program and never imported. Each program
reads one line of text, writes the audio of it to a file of its own, and then names that file on
stderr. So utterances never share a stream: there is nothing to tear, whatever is cancelled when.
"""

import asyncio
import logging
import os
import re
import shutil
import sys
import tempfile
import wave
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from switchboard_local.engine.failures import PartMissing, VoiceBusy, VoiceFailed
from switchboard_local.engine.models import JOE, verified
from switchboard_local.engine.parts import PartInfo
from switchboard_local.engine.samples import RATE_HZ, Samples, from_pcm, resampled
from switchboard_local.engine.turnstile import Full, Turnstile

_WROTE: Final = re.compile(rb"Wrote (.+\.wav)\s*$")
_START_TIMEOUT_S: Final = 60.0
_LINE_TIMEOUT_S: Final = 20.0
_STOP_TIMEOUT_S: Final = 2.0
_QUEUE_TIMEOUT_S: Final = 30.0
_RESTART_PAUSES_S: Final = (0.0, 1.0, 5.0, 30.0, 60.0, 300.0)
_MOST_WAITING: Final = 64
_PASSED_ON: Final = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
)
_SET: Final = {"PYTHONUTF8": "1", "ORT_DISABLE_TELEMETRY": "1"}
"""What runs its model would tell its makers of it (mobile.events.data.microsoft.com), unasked."""
_WARM_UP: Final = "Hello."
_VOLUME: Final = "0.7"
"""Each line is normalised to full scale; this leaves room for the resampler's overshoot."""
_STEADY: Final = ("--noise-scale", "0", "--noise-w-scale", "0")


_log = logging.getLogger(__name__)


class ProgramDied(VoiceFailed):
    """The program ended, or stopped answering and was ended."""


class PiperProgram:
    """One running Piper. For one borrower at a time; outlives crashes and impatient borrowers."""

    def __init__(self, model: Path, folder: Path, *, steady: bool = False) -> None:
        self._command = (
            *(sys.executable, "-P", "-m", "piper", "--model", str(model)),
            *("--output-dir", str(folder), "--volume", _VOLUME),
            *(_STEADY if steady else ()),
        )
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._owed = 0
        self._proven = False

    @property
    def pid(self) -> int | None:
        """The running program's process, if there is one."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def rank(self) -> int:
        """0 when it would answer at once, 1 when it has something to finish first."""
        return 1 if self._owed else 0

    @property
    def running(self) -> bool:
        """Whether the program lives, as far as is known."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the program and send it a first line, whose answer shows that it is warm."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._folder,
            env=_environment(),
            start_new_session=True,  # a Ctrl-C meant for us is not meant for it
        )
        self._owed, self._proven = 0, False
        self._send(_WARM_UP)

    async def settle(self) -> None:
        """Wait for, and throw away, what was asked for and no longer wanted.

        Raises `ProgramDied`.
        """
        while self._owed:
            (await self._answer()).unlink(missing_ok=True)

    async def say(self, line: str) -> Path:
        """A WAV file of `line`, the caller's to delete. Cancelling is safe at any moment.

        Raises `ProgramDied`, after which `start` is the only way on.
        """
        await self.settle()
        self._send(line)
        return await self._answer()

    async def stop(self) -> None:
        """End the program, gently if it lets us. Its files go with it."""
        if self._process is not None and self.running:
            if self._process.stdin is not None:
                self._process.stdin.close()
            try:
                async with asyncio.timeout(_STOP_TIMEOUT_S):
                    await self._process.wait()
            except TimeoutError:
                await self._kill()
        await anyio.to_thread.run_sync(lambda: shutil.rmtree(self._folder, ignore_errors=True))

    def _send(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            raise ProgramDied("Piper is not running")
        # A clause fits a pipe many times over, so there is nothing to wait for.
        self._process.stdin.write(" ".join(line.split()).encode() + b"\n")
        self._owed += 1

    async def _answer(self) -> Path:
        timeout_s = _LINE_TIMEOUT_S if self._proven else _START_TIMEOUT_S
        try:
            async with asyncio.timeout(timeout_s):
                written = await self._next_file()
        except (TimeoutError, ValueError) as error:
            await self._kill()
            raise ProgramDied("Piper does not answer") from error
        if written is None:
            await self._kill()
            raise ProgramDied("Piper ended by itself")
        self._owed -= 1
        self._proven = True
        return written

    async def _next_file(self) -> Path | None:
        stderr = self._process.stderr if self._process is not None else None
        while stderr is not None and (line := await stderr.readline()):
            if found := _WROTE.search(line):
                return Path(os.fsdecode(found[1]))
        return None

    async def _kill(self) -> None:
        process, self._process, self._owed = self._process, None, 0
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()


class Piper:
    """A few Pipers; whatever has to be said goes to one that is free."""

    info = PartInfo("voice", "Piper joe")

    def __init__(self, programs: int, folder: Path, model: Path, *, steady: bool = False) -> None:
        self._folder = folder
        self._repairs: set[asyncio.Task[None]] = set()
        self._closed = False
        self._programs = [
            PiperProgram(model, folder / str(each), steady=steady) for each in range(programs)
        ]
        self._turnstile = Turnstile(
            self._programs,
            most_waiting=_MOST_WAITING,
            kept=min(1, programs - 1),  # for the first words of somebody's answer
            rank=lambda program: program.rank,
        )

    @classmethod
    async def load(cls, *, programs: int = 2, steady: bool = False) -> "Piper":
        """Start and warm the programs. Raises `PartMissing` where Piper cannot be had.

        A voice that is `steady` says a line the same way each time; it is a little flat.
        """
        if find_spec("piper") is None:
            raise PartMissing("piper is not installed")
        model_folder = await anyio.to_thread.run_sync(verified, JOE)
        model = next(model_folder / name for name in JOE.sha256 if name.endswith(".onnx"))
        folder = await anyio.to_thread.run_sync(lambda: tempfile.mkdtemp(prefix="piper-"))
        piper = cls(programs, Path(folder), model, steady=steady)
        started = False
        try:
            await piper._start()
            started = True
        except (VoiceFailed, OSError) as error:
            raise PartMissing(f"piper does not start: {error}") from error
        finally:
            if not started:
                with anyio.CancelScope(shield=True):
                    await piper.close()
        return piper

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [program.pid for program in self._programs if program.pid is not None]

    async def say(self, line: str, *, urgency: int = 0) -> Samples:
        """24 kHz audio of one line. Raises `VoiceBusy` or `VoiceFailed`."""
        try:
            written = await self._written(line, urgency)
        except Full as error:
            raise VoiceBusy("too much is waiting to be spoken") from error
        return await anyio.to_thread.run_sync(_read, written)

    async def close(self) -> None:
        """End every program and repair, and remove every file."""
        self._closed = True
        repairs = tuple(self._repairs)
        for repair in repairs:
            repair.cancel()
        await asyncio.gather(*repairs, return_exceptions=True)
        for program in self._programs:
            await program.stop()
        await anyio.to_thread.run_sync(lambda: shutil.rmtree(self._folder, ignore_errors=True))

    async def _start(self) -> None:
        for program in self._programs:  # they load at the same time, each in its own process
            await program.start()
        for program in self._programs:
            await program.settle()

    async def _written(self, line: str, urgency: int) -> Path:
        for _ in self._programs:
            try:
                return await self._written_once(line, urgency)
            except ProgramDied:
                urgency = -1  # again at the head of the queue: it was hardly the text's fault
        # Each may have died unnoticed, but whoever answers now has just been started.
        return await self._written_once(line, urgency)

    async def _written_once(self, line: str, urgency: int) -> Path:
        if self._closed:
            raise VoiceFailed("the voice has ended")
        try:
            async with asyncio.timeout(_QUEUE_TIMEOUT_S):
                program = await self._turnstile.take(urgency=urgency)
        except TimeoutError as error:
            raise VoiceFailed("no Piper is free, or none runs") from error
        try:
            return await program.say(line)
        finally:
            if program.running:
                self._turnstile.give(program)
            elif not self._closed:
                self._repair(program)

    def _repair(self, program: PiperProgram) -> None:
        """Start a dead program anew, beside everything else: nobody is lent one that still loads.

        The task is this object's: `close` ends it.
        """
        repair = asyncio.create_task(self._restart(program))
        self._repairs.add(repair)
        repair.add_done_callback(self._repairs.discard)

    async def _restart(self, program: PiperProgram) -> None:
        for pause_s in _RESTART_PAUSES_S:
            await asyncio.sleep(pause_s)
            try:
                await program.start()
                await program.settle()
            except (ProgramDied, OSError):
                _log.warning("piper does not start again")
            else:
                self._turnstile.give(program)
                return


def _environment() -> dict[str, str]:
    """What a program needs to run, and none of the secrets that ours may hold."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed, **_SET}


def _read(path: Path) -> Samples:
    try:
        with wave.open(str(path), "rb") as file:
            samples = from_pcm(file.readframes(file.getnframes()))
            return resampled(samples, file.getframerate(), RATE_HZ)
    except (OSError, EOFError, wave.Error) as error:
        raise VoiceFailed(f"Piper's audio cannot be read: {error}") from error
    finally:
        path.unlink(missing_ok=True)
