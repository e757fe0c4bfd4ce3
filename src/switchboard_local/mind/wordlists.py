"""Lists of words, written as text so that they can be read."""

from functools import lru_cache
from importlib.resources import files


def in_order(words: str) -> list[str]:
    """The words of `words`, in their order."""
    return words.split()


def listed(words: str) -> frozenset[str]:
    """The words of `words` as a set."""
    return frozenset(words.split())


@lru_cache(maxsize=16)
def lines(name: str) -> tuple[str, ...]:
    """The lines of a text file of this package, without blanks and notes (`#`)."""
    text = (files(__package__) / name).read_text(encoding="utf-8")
    stripped = (line.strip() for line in text.splitlines())
    return tuple(line for line in stripped if line and not line.startswith("#"))
