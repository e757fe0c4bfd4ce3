"""What a caller takes back in the same breath: "on Sunday, no sorry, on Saturday"."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol


class Span(Protocol):
    """Something said between two tokens."""

    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...


_BETWEEN = re.compile(
    r"(?:\w+ ){0,3}?(?:oh |um |uh |er )*(?:no|sorry|wait|i mean|i meant|make (?:that|it)|or rather|"
    r"scratch that|correction|actually)"
    r"(?: (?:no|sorry|wait|make|that|it|is|i|mean|meant|on|at|the|for|to|rather|actually|say|let|"
    r"us|better|hang|hold|pounds))*"
)
"""All that may stand between a value and the one that takes its place."""


def standing[T: Span](spans: Sequence[T], said: Sequence[str]) -> list[T]:
    """`spans` without those that the next one puts right."""
    kept = [
        one
        for one, following in pairwise(spans)
        if not _BETWEEN.fullmatch(" ".join(said[one.last : following.first]))
    ]
    return [*kept, *spans[-1:]]
