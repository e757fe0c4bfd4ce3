"""The real models: what the voice says, the ears understand; nothing mixes, nothing stalls."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import anyio
import numpy as np
import pytest
import pytest_asyncio

from bench.words import distance, normal_words
from switchboard_local.engine.espeak import Espeak
from switchboard_local.engine.failures import VoiceFailed
from switchboard_local.engine.load import Engine, EngineChoice, load_engine
from switchboard_local.engine.piper import Piper
from switchboard_local.engine.samples import RATE_HZ, from_pcm, to_pcm
from switchboard_local.engine.turns import Ended, MaybeEnded, Started, TurnDetector
from switchboard_local.engine.voices import SpokenVoice

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),  # the engine is loaded once, on one loop
]

SENTENCES = (
    "Your next appointment is on Monday morning.",
    "We are looking for a quiet hotel near the beach.",
    "Please send the letter to my new address.",
    "There were seven people waiting in the rain.",
    "I would like to order a large coffee.",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[Engine]:
    choice = EngineChoice("silero", "moonshine", "piper", voice_programs=1, voice_steady=True)
    loaded = await load_engine(choice)
    yield loaded
    await loaded.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def piper() -> AsyncIterator[Piper]:
    loaded = await Piper.load(programs=2, steady=True)
    yield loaded
    await loaded.close()


async def said(engine: Engine, text: str, speed: float = 1.0) -> bytes:
    return b"".join([piece async for piece in engine.voice.speak(text, speed=speed)])


def wrong_words(text: str, heard: str) -> int:
    return distance(normal_words(text), normal_words(heard))


async def test_what_the_voice_says_the_ears_understand(engine: Engine) -> None:
    for sentence in SENTENCES[:3]:
        for speed in (1.0, 1.25):
            heard = await engine.ears.transcribe(await said(engine, sentence, speed))
            assert wrong_words(sentence, heard) <= 2, heard


async def test_a_steady_voice_says_a_line_the_same_way_twice(engine: Engine) -> None:
    assert await said(engine, SENTENCES[0]) == await said(engine, SENTENCES[0])


async def test_numbers_are_said_digit_by_digit(engine: Engine) -> None:
    heard = await engine.ears.transcribe(await said(engine, "The code is 6614."))
    assert "thousand" not in heard.lower()
    assert normal_words(heard)[-4:] == ["six", "six", "one", "four"]


async def test_silence_and_noise_say_nothing(engine: Engine) -> None:
    chance = np.random.default_rng(3)
    for level in (0, 0.001, 0.02, 0.2):
        hiss = (level * chance.standard_normal(2 * RATE_HZ)).astype(np.float32)
        assert await engine.ears.transcribe(to_pcm(hiss)) == ""
    for scrap in (b"", b"\x01", bytes(100), bytes(4000)):
        assert await engine.ears.transcribe(scrap) == ""


async def test_a_turn_is_found_in_real_speech(engine: Engine) -> None:
    speech = await said(engine, SENTENCES[0])
    stream = bytes(RATE_HZ * 2) + speech + bytes(RATE_HZ * 4)
    detector = engine.detectors.open()
    turns = TurnDetector(detector.window_ms)
    events = [
        event
        for at in range(0, len(stream), 960)
        for event in turns.feed(detector.push(stream[at : at + 960]))
    ]
    assert isinstance(events[0], Started)
    assert 600 <= events[0].at_ms <= 1100
    ended = events[-1]
    assert isinstance(ended, Ended)
    spoken_ms = 1000 + len(speech) / 48
    assert abs(ended.spoken_until_ms - spoken_ms) < 450  # the clause ends in a pause of its own
    assert any(isinstance(event, MaybeEnded) for event in events)


async def test_a_recycled_detector_remembers_nothing(engine: Engine) -> None:
    speech = await said(engine, SENTENCES[1])
    detector = engine.detectors.open()
    first = detector.push(speech)
    detector.reset()
    assert detector.push(speech) == pytest.approx(first, abs=1e-4)


async def test_a_long_speech_is_understood_to_its_end(engine: Engine) -> None:
    text = " ".join(SENTENCES * 3)
    speech = await said(engine, text)
    assert len(speech) > 30 * RATE_HZ * 2
    heard = await engine.ears.transcribe(speech)
    assert wrong_words(text, heard) <= len(normal_words(text)) // 8, heard


async def test_concurrent_replies_do_not_mix(engine: Engine, piper: Piper) -> None:
    voice = SpokenVoice(piper)
    heard: dict[str, str] = {}

    async def converse(sentence: str) -> None:
        audio = b"".join([piece async for piece in voice.speak(sentence)])
        heard[sentence] = await engine.ears.transcribe(audio)

    async with anyio.create_task_group() as calls:
        for sentence in SENTENCES:
            calls.start_soon(converse, sentence)
    for sentence in SENTENCES:
        assert wrong_words(sentence, heard[sentence]) <= 2


async def test_interrupted_replies_leave_nothing_behind(engine: Engine, piper: Piper) -> None:
    for delay_s in (0, 0.01, 0.03, 0.06, 0.1):
        with anyio.move_on_after(delay_s):
            await piper.say(" ".join(SENTENCES))
    heard = await engine.ears.transcribe(to_pcm(await piper.say(SENTENCES[3])))
    assert wrong_words(SENTENCES[3], heard) <= 2


async def test_a_killed_program_is_replaced_and_the_reply_still_comes(piper: Piper) -> None:
    before = piper.pids
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert len(await piper.say(SENTENCES[0])) > RATE_HZ
    with anyio.fail_after(30):
        while len(piper.pids) < len(before):  # noqa: ASYNC110 - a process, not an event
            await anyio.sleep(0.05)
    assert not set(piper.pids) & set(before)


async def test_nothing_of_piper_survives_its_end() -> None:
    piper = await Piper.load(programs=1)
    (pid,) = piper.pids
    await piper.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(VoiceFailed):
        await piper.say("Anybody there?")


async def test_the_event_loop_turns_while_the_ears_work(engine: Engine) -> None:
    speech = await said(engine, " ".join(SENTENCES))
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turn)
        await engine.ears.transcribe(speech)
        tasks.cancel_scope.cancel()
    # Were the model run on the loop, or with the interpreter locked, there would be one or two.
    assert turns > 200


async def test_an_abandoned_transcription_frees_the_caller_at_once(engine: Engine) -> None:
    speech = await said(engine, " ".join(SENTENCES))
    with anyio.move_on_after(0.01) as patience:
        await engine.ears.transcribe(speech * 3)
    assert patience.cancelled_caught
    assert (
        wrong_words(SENTENCES[0], await engine.ears.transcribe(await said(engine, SENTENCES[0])))
        <= 2
    )


async def test_espeak_speaks_where_it_is_installed() -> None:
    espeak = await Espeak.load("piper is not installed")
    samples = await espeak.say("Good morning.")
    assert espeak.info.fallback
    assert 0.4 < len(samples) / RATE_HZ < 3
    assert float(np.max(np.abs(samples))) > 0.05
    assert from_pcm(to_pcm(samples)) == pytest.approx(samples, abs=1e-3)
    await espeak.close()
