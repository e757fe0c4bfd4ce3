"""When a caller's turn starts and ends, fed with probabilities alone."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard_local.engine.turns import (
    Ended,
    MaybeEnded,
    Resumed,
    Started,
    TurnConfig,
    TurnDetector,
    TurnEvent,
    finished,
)

WINDOW_MS = 32.0
SPEECH = 0.97
UNSURE = 0.42
SILENCE = 0.02


def windows(probability: float, ms: float) -> list[float]:
    return [probability] * round(ms / WINDOW_MS)


def hear(*parts: Sequence[float], config: TurnConfig | None = None) -> list[TurnEvent]:
    detector = TurnDetector(WINDOW_MS, config)
    return [event for part in parts for event in detector.feed(part)]


def test_a_turn_starts_before_its_first_sound_and_ends_after_the_silence() -> None:
    events = hear(windows(SILENCE, 640), windows(SPEECH, 960), windows(SILENCE, 960))
    assert events == [Started(340), MaybeEnded(1696, 1600), Ended(2112, 1600)]


def test_a_click_of_two_windows_does_not_start_a_turn() -> None:
    assert hear(windows(SPEECH, 64), windows(SILENCE, 64), windows(SPEECH, 64)) == []


def test_padding_never_reaches_before_the_first_sample() -> None:
    assert hear(windows(SPEECH, 128))[0] == Started(0)


def test_padding_never_reaches_into_the_turn_before() -> None:
    config = TurnConfig(prefix_padding_ms=2000)
    turn = windows(SPEECH, 320) + windows(SILENCE, 512)
    events = hear(turn, turn, config=config)
    ended, started = events[2], events[3]
    assert isinstance(ended, Ended)
    assert started == Started(ended.at_ms)


def test_a_short_pause_is_guessed_at_and_taken_back_when_the_caller_goes_on() -> None:
    events = hear(windows(SPEECH, 320), windows(SILENCE, 320), windows(SPEECH, 320))
    assert [type(event) for event in events] == [Started, MaybeEnded, Resumed]


def test_a_very_short_pause_is_nothing_at_all() -> None:
    events = hear(windows(SPEECH, 320), windows(SILENCE, 64), windows(SPEECH, 320))
    assert [type(event) for event in events] == [Started]


def test_unsure_windows_neither_start_a_turn_nor_end_one() -> None:
    assert hear(windows(UNSURE, 3200)) == []
    assert hear(windows(SPEECH, 320), windows(UNSURE, 3200)) == [Started(0)]


def test_a_turn_that_sounds_unfinished_is_given_longer() -> None:
    detector = TurnDetector(WINDOW_MS)
    detector.feed(windows(SPEECH, 320))
    (guess,) = detector.feed(windows(SILENCE, 192))
    assert isinstance(guess, MaybeEnded)
    detector.wait(1504)
    assert detector.feed(windows(SILENCE, 1280)) == []
    assert detector.feed(windows(SILENCE, 32)) == [Ended(320 + 1504, 320)]


def test_waiting_longer_lasts_only_until_the_caller_speaks_again() -> None:
    detector = TurnDetector(WINDOW_MS)
    detector.feed(windows(SPEECH, 320) + windows(SILENCE, 192))
    detector.wait(8000)
    detector.feed(windows(SPEECH, 320))
    assert Ended(1344, 832) in detector.feed(windows(SILENCE, 512))


def test_clearing_forgets_the_turn_but_not_the_time() -> None:
    detector = TurnDetector(WINDOW_MS)
    detector.feed(windows(SPEECH, 320))
    detector.clear()
    assert not detector.speaking
    assert detector.now_ms == 320
    assert detector.feed(windows(SPEECH, 96)) == [Started(320)]


@given(
    st.lists(st.floats(0, 1), max_size=200),
    st.integers(min_value=1, max_value=7),
    st.floats(0.1, 0.9),
    st.floats(0, 1000),
)
def test_whatever_is_heard_turns_alternate_and_times_only_grow(
    probabilities: list[float], chunk: int, threshold: float, silence_ms: float
) -> None:
    config = TurnConfig(threshold=threshold, silence_duration_ms=silence_ms)
    whole = TurnDetector(WINDOW_MS, config).feed(probabilities)
    pieces = TurnDetector(WINDOW_MS, config)
    cut = [probabilities[i : i + chunk] for i in range(0, len(probabilities), chunk)]
    assert [event for piece in cut for event in pieces.feed(piece)] == whole

    edges = [event for event in whole if isinstance(event, Started | Ended)]
    kinds = [type(event) for event in edges]
    assert kinds == ([Started, Ended] * len(kinds))[: len(kinds)]
    times = [event.at_ms for event in edges]
    assert times == sorted(times)
    assert all(0 <= time <= len(probabilities) * WINDOW_MS for time in times)


@pytest.mark.parametrize(
    "text",
    [
        "My number is",
        "I'd like to pay my",
        "I want to cancel it and",
        "Um",
        "my phone number is 555 123",
        "block the card ending in 4 2",
        "four two double",
        "Can you",
        "I live at...",
    ],
)
def test_words_that_trail_off_are_not_finished(text: str) -> None:
    assert finished(text) < 0.3


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "Thank you.",
        "What can you do?",
        "What is it for?",
        "My phone number is 555 123 4567.",
        "Block the card ending in four two one seven.",
        "I would like to know my balance.",
        "I want to leave at five",
    ],
)
def test_whole_sentences_are_finished(text: str) -> None:
    assert finished(text) > 0.7


@given(st.text(max_size=200))
def test_any_text_has_a_probability(text: str) -> None:
    assert 0 <= finished(text) <= 1
