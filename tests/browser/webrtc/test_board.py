"""What a page over WebRTC can come back for."""

import msgspec
import pytest

from switchboard.browser import protocol as wire
from switchboard.browser.webrtc.board import Board


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


def test_nothing_is_shown_of_an_empty_board() -> None:
    assert since(Board(), 0) == since(Board(), 7) == []
