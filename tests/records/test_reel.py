"""Sound is laid down where it was heard, and the file is whole at every moment."""

import wave
from array import array
from base64 import b64encode
from pathlib import Path

import pytest

from switchboard.records.reel import FRAMES_PER_MS, Piece, Reel, Side


def tone(level: int, ms: float) -> str:
    """Base64 of so many milliseconds of one level."""
    return b64encode(array("h", [level] * round(ms * FRAMES_PER_MS)).tobytes()).decode()


def sides(path: Path) -> tuple[list[int], list[int]]:
    """Of each millisecond, its first sample: the caller's, the agent's."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 24_000)
        both = array("h", file.readframes(file.getnframes()))
    left, right = both[0::2], both[1::2]
    return list(left[::FRAMES_PER_MS]), list(right[::FRAMES_PER_MS])


def test_the_caller_is_left_and_the_agent_right_and_silence_between(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    with Reel(path) as reel:
        reel.write(
            [Piece(Side.CALLER, 100, tone(7, 20)), Piece(Side.AGENT, 500, tone(-9, 40))], 1_000
        )
        assert reel.lasted_ms == 1_000
    caller, agent = sides(path)
    assert [at for at, level in enumerate(caller) if level == 7] == list(range(100, 120))
    assert [at for at, level in enumerate(agent) if level == -9] == list(range(500, 540))
    assert len(caller) == len(agent) == 1_000


def test_the_file_is_whole_after_every_write(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    reel = Reel(path)
    for second in range(1, 4):
        reel.write([Piece(Side.CALLER, second * 1_000 - 500, tone(second, 20))], second * 1_000)
        caller, _ = sides(path)  # another reader, while it is being written
        assert len(caller) == second * 1_000
        assert caller[second * 1_000 - 500] == second
    reel.close()
    reel.close()


def test_a_part_of_a_piece_is_taken_where_only_that_was_heard(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    audio = b64encode(array("h", [1] * 480 + [2] * 480 + [3] * 480).tobytes()).decode()
    with Reel(path) as reel:
        reel.write([Piece(Side.AGENT, 0, audio, skip_ms=20, take_ms=30)], 100)
    _, agent = sides(path)
    assert agent[:60] == [2] * 20 + [3] * 10 + [0] * 30


def test_what_comes_too_late_is_left_out_and_what_is_near_is_joined(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    with Reel(path) as reel:
        reel.write([], 1_000)
        late = Piece(Side.CALLER, 980, tone(5, 40))
        near = Piece(Side.CALLER, 1_015, tone(6, 20))
        reel.write([late, near], 1_200)
    caller, _ = sides(path)
    assert caller[:1_000] == [0] * 1_000
    assert caller[1_000:1_050] == [5] * 20 + [6] * 20 + [0] * 10


@pytest.mark.parametrize("audio", ["", "A", "AAA=", "AAAA", "nonsense"])
def test_odd_audio_breaks_nothing(tmp_path: Path, audio: str) -> None:
    with Reel(tmp_path / "call.wav") as reel:
        reel.write([Piece(Side.CALLER, 0, audio)], 50)
        assert reel.lasted_ms == 50
