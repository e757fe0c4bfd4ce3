"""The best engine this machine can have: every part loaded at once, each with a next best."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import anyio

from switchboard_local.engine.detectors import EnergyDetectors, SileroDetectors
from switchboard_local.engine.ears import Deaf, MoonshineEars
from switchboard_local.engine.espeak import Espeak
from switchboard_local.engine.failures import PartMissing
from switchboard_local.engine.fixed import FixedEars, FixedVoice
from switchboard_local.engine.parts import Detector, PartInfo
from switchboard_local.engine.piper import Piper
from switchboard_local.engine.voices import Mute, SpokenVoice

type DetectorsChoice = Literal["auto", "silero", "energy"]
type EarsChoice = Literal["auto", "moonshine", "none", "fixed"]
type VoiceChoice = Literal["auto", "piper", "espeak", "none", "fixed"]


class ClosableDetectors(Protocol):
    """`Detectors`, and the end of them."""

    info: PartInfo

    def open(self) -> Detector: ...

    def close(self) -> None: ...


class ClosableEars(Protocol):
    """`Ears`, and the end of them."""

    info: PartInfo

    async def transcribe(self, pcm: bytes) -> str: ...

    async def close(self) -> None: ...


class ClosableVoice(Protocol):
    """A `Voice`, and the end of it."""

    info: PartInfo

    def speak(self, text: str, *, speed: float = 1.0) -> AsyncIterator[bytes]: ...

    async def prepare(self, text: str) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which parts are wanted: "auto" is the best there is, a name is that one or nothing else."""

    detectors: DetectorsChoice = "auto"
    ears: EarsChoice = "auto"
    voice: VoiceChoice = "auto"
    voice_programs: int = 2
    """Pipers at once. Each takes 250 MB and at most one core."""
    voice_steady: bool = False
    """Whether Piper says a line the same way each time, as a test of what is heard needs it."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The loaded parts. Whoever loads it closes it."""

    detectors: ClosableDetectors
    ears: ClosableEars
    voice: ClosableVoice

    @property
    def infos(self) -> tuple[PartInfo, ...]:
        """What start-up says of each part."""
        return self.detectors.info, self.ears.info, self.voice.info

    async def aclose(self) -> None:
        """End every program, thread and model."""
        self.detectors.close()
        await self.ears.close()
        await self.voice.close()


async def load_engine(choice: EngineChoice | None = None) -> Engine:
    """Every part, warm, loaded at the same time.

    Raises `PartMissing` only for a part that was asked for by name and cannot be had.
    """
    loaded, complete = _Loaded(), False
    try:
        await loaded.load(choice or EngineChoice())
        complete = True
    finally:
        if not complete:  # failed or cancelled: what is there already must not stay
            await loaded.close()
    return loaded.engine()


class _Loaded:
    """What is there so far."""

    detectors: ClosableDetectors | None = None
    ears: ClosableEars | None = None
    voice: ClosableVoice | None = None

    async def load(self, wanted: EngineChoice) -> None:
        try:
            async with anyio.create_task_group() as loading:
                loading.start_soon(self.load_detectors, wanted)
                loading.start_soon(self.load_ears, wanted)
                loading.start_soon(self.load_voice, wanted)
        except* PartMissing as missing:
            raise missing.exceptions[0] from None

    async def load_detectors(self, wanted: EngineChoice) -> None:
        if wanted.detectors == "energy":
            self.detectors = EnergyDetectors("asked for")
            return
        self.detectors = await _first_of(
            SileroDetectors.load, _energy, only_first=wanted.detectors == "silero"
        )

    async def load_ears(self, wanted: EngineChoice) -> None:
        if wanted.ears == "fixed":
            self.ears = FixedEars()
        elif wanted.ears == "none":
            self.ears = Deaf("asked for")
        else:
            self.ears = await _first_of(
                MoonshineEars.load, _deaf, only_first=wanted.ears == "moonshine"
            )

    async def load_voice(self, wanted: EngineChoice) -> None:
        async def piper() -> ClosableVoice:
            return SpokenVoice(
                await Piper.load(programs=wanted.voice_programs, steady=wanted.voice_steady)
            )

        if wanted.voice == "fixed":
            self.voice = FixedVoice()
        elif wanted.voice == "none":
            self.voice = Mute("asked for")
        elif wanted.voice == "espeak":
            self.voice = SpokenVoice(await Espeak.load("asked for"))
        else:
            self.voice = await _first_of(piper, _small_voice, only_first=wanted.voice == "piper")

    def engine(self) -> Engine:
        if self.detectors is None or self.ears is None or self.voice is None:
            raise PartMissing("the engine did not load")  # the task group would have raised first
        return Engine(self.detectors, self.ears, self.voice)

    async def close(self) -> None:
        with anyio.CancelScope(shield=True):
            if self.detectors is not None:
                self.detectors.close()
            if self.ears is not None:
                await self.ears.close()
            if self.voice is not None:
                await self.voice.close()


async def _first_of[T](
    best: Callable[[], Awaitable[T]],
    next_best: Callable[[str], Awaitable[T]],
    *,
    only_first: bool,
) -> T:
    try:
        return await best()
    except PartMissing as missing:
        if only_first:
            raise
        return await next_best(str(missing))


async def _energy(reason: str) -> ClosableDetectors:
    return EnergyDetectors(reason)


async def _deaf(reason: str) -> ClosableEars:
    return Deaf(reason)


async def _small_voice(reason: str) -> ClosableVoice:
    try:
        return SpokenVoice(await Espeak.load(reason))
    except PartMissing as missing:
        return Mute(f"{reason}; {missing}")
