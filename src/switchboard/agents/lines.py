"""On which line of a JSON text something stands."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

type Path = tuple[str | int, ...]

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, of the value at `path`, or of the nearest thing around it that exists.

    Parts of the path that are not in the text (a union's tag, a missing key) are passed over.
    `text` must be valid JSON.
    """
    places = dict(_places(text))
    here: Path = ()
    for part in path:
        if (*here, part) in places:
            here = (*here, part)
    return text.count("\n", 0, places[here]) + 1


def twin_in(text: str) -> tuple[Path, int] | None:
    """The path and line of the first key that its object has had before, if there is one."""
    seen: set[Path] = set()
    for path, at in _places(text):
        if path in seen:
            return path, text.count("\n", 0, at) + 1
        seen.add(path)
    return None


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Every value's path, with the offset at which it (or its key) begins."""
    start = _skip(text, 0)
    yield (), start
    yield from _inside(text, start, ())


def _inside(text: str, start: int, path: Path) -> Iterator[tuple[Path, int]]:
    match text[start]:
        case "{":
            yield from _members(text, start + 1, path)
        case "[":
            yield from _elements(text, start + 1, path)
        case _:
            return


def _members(text: str, at: int, path: Path) -> Iterator[tuple[Path, int]]:
    at = _skip(text, at)
    while text[at] != "}":
        key, after = _DECODER.raw_decode(text, at)
        value = _skip(text, _skip(text, after) + 1)
        yield (*path, key), at
        yield from _inside(text, value, (*path, key))
        at = _next(text, value)


def _elements(text: str, at: int, path: Path) -> Iterator[tuple[Path, int]]:
    at, index = _skip(text, at), 0
    while text[at] != "]":
        yield (*path, index), at
        yield from _inside(text, at, (*path, index))
        at, index = _next(text, at), index + 1


def _next(text: str, value: int) -> int:
    """Past this value and the comma that may follow it."""
    _, end = _DECODER.raw_decode(text, value)
    at = _skip(text, end)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
