"""What a page over WebRTC can come back for."""

import msgspec
import pytest

from switchboard.browser import protocol as wire
from switchboard.browser.codec import encode
from switchboard.browser.webrtc.board import SHOWN_CHARS, Board


def line(item: str, text: str) -> wire.Line:
    return wire.Line(item, "agent", text, "final", 0.0)


def since(board: Board, number: int) -> list[tuple[int, str]]:
    """Number and text, or kind where there is none."""
    return [
        (at, (said := msgspec.json.decode(frame)).get("text", said["type"]))
        for at, frame in board.since(number)
    ]


def test_what_came_after_a_number_comes_again() -> None:
    board = Board()
    for text in ("one", "two", "three"):
        board.put(line(text, text))
    assert since(board, 0) == [(1, "one"), (2, "two"), (3, "three")]
    assert since(board, 2) == [(3, "three")]
    assert since(board, 3) == []


@pytest.mark.parametrize("number", [0, 1, 99])
def test_what_was_forgotten_is_shown_as_it_stands_now(number: int) -> None:
    board = Board(ring_events=2)
    board.put(line("a", "begun"))
    board.put(wire.Notice("code", "said once"))
    board.put(line("b", "other"))
    board.put(line("a", "begun and ended"))
    board.put(wire.Floor("nobody"))
    shown = since(board, number)
    assert shown == [(0, "begun and ended"), (0, "other"), (5, "floor")]


def test_a_board_of_long_messages_forgets_sooner() -> None:
    board = Board(ring_chars=200)
    for text in ("a", "b", "c"):
        board.put(line("same", text * 80))
    assert since(board, 2) == [(3, "c" * 80)]
    assert since(board, 0) == [(3, "c" * 80)]


def test_of_long_lines_the_newest_are_shown_again() -> None:
    size = len(encode(line("a", "a" * 80)))
    board = Board(ring_events=1, shown_chars=3 * size)
    for text in ("a", "b", "c", "c", "c"):  # told again, a line takes no more room
        board.put(line(text, text * 80))
    assert since(board, 0) == [(0, "a" * 80), (0, "b" * 80), (5, "c" * 80)]
    board.put(line("d", "d" * 80))
    assert since(board, 0) == [(0, "b" * 80), (0, "c" * 80), (6, "d" * 80)]


def test_a_call_of_long_results_keeps_a_bounded_board() -> None:
    board = Board()
    for number in range(500):
        board.put(
            wire.Tool(f"t{number}", "look_up", "Look up", "done", 0.0, {}, result="é" * 16_000)
        )
    assert sum(len(frame) for _, frame in board.since(0)) <= SHOWN_CHARS
    assert since(board, 0)[-1][0] == 500


def test_nothing_is_shown_of_an_empty_board() -> None:
    assert since(Board(), 0) == since(Board(), 7) == []
