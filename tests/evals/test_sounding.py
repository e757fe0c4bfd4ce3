"""What a line does to a voice, by its samples."""

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise

import pytest

from switchboard.evals.scenario import Line
from switchboard.evals.sounding import SILENCE, LineSound, frames, is_loud, stereo

COUNT = 2_000


def numbered(count: int = COUNT) -> list[bytes]:
    """Frames that can be told apart, and none of them silent."""
    return [array("h", [number + 1] * 480).tobytes() for number in range(count)]


def heard(line: Line, said: Sequence[bytes], seed: int = 7) -> list[bytes]:
    sound = LineSound(line, seed)
    return [sound.frame(each) for each in said]


def numbers(found: Sequence[bytes]) -> list[int]:
    """Which of `numbered` they are; 0 is silence."""
    return [array("h", each)[0] for each in found]


def tone(hertz: float, seconds: float = 0.5) -> bytes:
    count = int(24_000 * seconds)
    wave = (round(8_000 * math.sin(math.tau * hertz * at / 24_000)) for at in range(count))
    return array("h", wave).tobytes()


def level_db(pcm: bytes) -> float:
    """Below full scale, of the middle of it."""
    samples = array("h", pcm)
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    power = sum(each * each for each in middle) / len(middle)
    return 10 * math.log10(max(power, 1e-9) / 32_768**2)


def test_a_good_line_changes_nothing() -> None:
    assert heard(Line(), numbered()) == numbered()


def test_lost_frames_are_silence_and_the_others_are_whole() -> None:
    found = numbers(heard(Line(loss=0.1), numbered()))

    assert 0.08 < found.count(0) / COUNT < 0.12
    assert all(each in (0, number) for number, each in enumerate(found, 1))


def test_frames_that_come_late_are_put_in_order_or_lost() -> None:
    """The buffer of 60 ms is three frames. Of waits of 30 ms on average, one in e² is longer."""
    found = numbers(heard(Line(jitter_ms=30), numbered()))

    assert found[:3] == [0, 0, 0]
    assert all(each in (0, number - 3) for number, each in enumerate(found, 1))
    assert 0.11 < found[3:].count(0) / COUNT < 0.16


def test_a_longer_buffer_loses_less_and_hears_later() -> None:
    short = numbers(heard(Line(jitter_ms=30, buffer_ms=40), numbered()))
    long = numbers(heard(Line(jitter_ms=30, buffer_ms=200), numbered()))

    assert long[10:].count(0) < short[10:].count(0) / 20
    assert long[-1] == COUNT - 10


def test_where_nobody_puts_frames_in_order_they_are_heard_as_they_come() -> None:
    found = numbers(heard(Line(swapped=0.1), numbered()))
    overtaken = sum(later < earlier for earlier, later in pairwise(found[1:]))

    assert 0.06 < overtaken / COUNT < 0.12
    assert len(set(found)) == COUNT  # each once, but the last, and the silence before the first
    assert max(abs(each - number) for number, each in enumerate(found)) < 6


@pytest.mark.parametrize(
    ("rate_hz", "hertz", "passes"),
    [(8_000, 1_000, True), (8_000, 6_000, False), (16_000, 6_000, True), (16_000, 10_000, False)],
)
def test_a_narrow_line_has_no_high_notes(rate_hz: int, hertz: float, passes: bool) -> None:
    said = tone(hertz)
    narrowed = LineSound(Line.model_validate({"rate_hz": rate_hz}), 1).narrowed(said)
    lost_db = level_db(said) - level_db(narrowed)

    assert len(narrowed) == len(said)
    assert lost_db < 1 if passes else lost_db > 30


def test_noise_is_as_loud_as_it_is_said_to_be_also_under_silence() -> None:
    quiet = b"".join(heard(Line(noise_db=-40), [SILENCE] * 100))
    voice = frames(tone(440, 2))
    both = b"".join(heard(Line(noise_db=-40), voice))
    rest = array(
        "h", (a - b for a, b in zip(array("h", both), array("h", b"".join(voice)), strict=True))
    )

    assert level_db(quiet) == pytest.approx(-40, abs=0.5)
    assert level_db(rest.tobytes()) == pytest.approx(-40, abs=0.5)


def test_noise_never_wraps_around() -> None:
    loudest = array("h", [32_767] * 480).tobytes()
    [found] = heard(Line(noise_db=-20), [loudest])

    assert min(array("h", found)) > 0


def test_the_same_seed_makes_the_same_line() -> None:
    bad = Line(loss=0.05, jitter_ms=40, swapped=0.05, noise_db=-45)

    assert heard(bad, numbered(200)) == heard(bad, numbered(200))
    assert heard(bad, numbered(200)) != heard(bad, numbered(200), seed=8)


def test_frames_are_cut_told_apart_and_joined() -> None:
    voice = frames(tone(440, 0.05))

    assert [len(each) for each in voice] == [960, 960, 960]
    assert is_loud(voice[0])
    assert not is_loud(SILENCE)
    left, right = array("h", stereo(voice, [SILENCE] * 3))[0::2], array("h", SILENCE * 3)
    assert left.tobytes() == b"".join(voice)
    assert array("h", stereo(voice, [SILENCE] * 3))[1::2] == right
