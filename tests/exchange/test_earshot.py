"""The caller's latest audio: kept as long as it may be needed, and no longer."""

from base64 import b64decode, b64encode

from switchboard.conversation.earshot import KEPT_MS, LATELY_MS
from switchboard.exchange.earshot import MAX_FRAMES, TIDY_MS, Earshot, joined

NEVER = float("inf")


def frame(number: int) -> str:
    return b64encode(number.to_bytes(2, "little") * 480).decode()


def numbers(pieces: list[str]) -> list[int]:
    pcm = b"".join(b64decode(piece) for piece in pieces)
    return [int.from_bytes(pcm[at : at + 2], "little") for at in range(0, len(pcm), 960)]


def test_what_nobody_needs_is_forgotten_but_for_the_last_moments() -> None:
    ear = Earshot()
    for number in range(1_000):
        ear.hear(frame(number), 20, NEVER)

    kept = numbers(list(ear.since(0)))
    assert kept == list(range(kept[0], 1_000))
    assert LATELY_MS <= 20 * len(kept) <= LATELY_MS + TIDY_MS


def test_what_is_needed_is_kept_for_so_long() -> None:
    ear = Earshot()
    for number in range(1_000):
        ear.hear(frame(number), 20, 0)

    kept = numbers(list(ear.since(0)))
    assert kept == list(range(kept[0], 1_000))
    assert KEPT_MS <= 20 * len(kept) <= KEPT_MS + TIDY_MS
    assert numbers(list(ear.since(19_000))) == list(range(950, 1_000))


def test_a_stretch_is_cut_out_of_it_while_its_beginning_is_there() -> None:
    ear = Earshot()
    for number in range(100):
        ear.hear(frame(number), 20, 0)

    assert numbers([ear.between(400, 600) or ""]) == list(range(20, 30))
    for number in range(100, 1_000):
        ear.hear(frame(number), 20, 0)
    assert ear.between(400, 600) is None


def test_frames_without_sound_are_not_kept_and_tiny_ones_only_so_many() -> None:
    ear = Earshot()
    for _ in range(2 * MAX_FRAMES):
        ear.hear("", 0, 0)
    assert not list(ear.since(0))

    for _ in range(2 * MAX_FRAMES):
        ear.hear("AAA=", 1 / 24, 0)
    assert sum(len(b64decode(piece)) for piece in ear.since(0)) == 2 * MAX_FRAMES


def test_frames_of_any_size_are_joined_and_what_is_no_base64_is_left_out() -> None:
    assert b64decode(joined(["AAA=", "AQI=", "?!", "AwQF"])) == bytes([0, 0, 1, 2, 3, 4, 5])
