"""What the callers of the soak say is heard as they mean it: one turn each time."""

import random
from base64 import b64decode

import pytest

from switchboard_local.engine.load import EngineChoice, load_engine
from switchboard_local.engine.turns import Ended, TurnConfig, TurnDetector
from tests.soak.scenario import UTTERANCES
from tests.soak.speech import quiet, speech

pytestmark = pytest.mark.embedded

PIECE_BYTES = 48_000


async def test_an_utterance_is_one_turn_whatever_was_said_before() -> None:
    engine = await load_engine(EngineChoice(ears="fixed", voice="fixed"))
    try:
        detector = engine.detectors.open()
        turns = TurnDetector(detector.window_ms)
        turns.configure(TurnConfig(silence_duration_ms=400))
        chance = random.Random(7)
        said = {key: speech(*key) for key in UTTERANCES}
        for key in UTTERANCES * 3:
            pause = quiet(chance.uniform(0.2, 4), seed=1)
            pcm = b"".join(map(b64decode, [*pause, *said[key], *quiet(0.8, seed=2)]))
            events = [
                event
                for at in range(0, len(pcm), PIECE_BYTES)
                for event in turns.feed(detector.push(pcm[at : at + PIECE_BYTES]))
            ]
            assert sum(isinstance(event, Ended) for event in events) == 1, key
    finally:
        await engine.aclose()
