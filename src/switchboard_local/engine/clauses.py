"""A text cut where a speaker would breathe, so that its first words can be heard early. Pure."""

import re
from collections.abc import Iterator
from typing import Final

LONGEST: Final = 220
"""Characters in one clause: about fifteen seconds, and a third of a second to make."""
_LONG_START: Final = 60
"""A first sentence longer than this is begun before all of it is made."""
_SHORT_START: Final = 12
"""No clause shorter than this is torn off the start of a sentence: it would sound clipped."""

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")
_BREATH: Final = re.compile(r"(?<=[,;:])\s+|\s+(?=(?:and|but|because|which|so|then|or)\s)")


def clauses(text: str) -> Iterator[str]:
    """The pieces of `text`, in order, none empty and none over `LONGEST` characters."""
    first = True
    for sentence in _SENTENCE.split(text.strip()):
        rest = sentence.strip()
        if first and len(rest) > _LONG_START:
            start, rest = _torn(rest, _LONG_START)
            yield start
        while len(rest) > LONGEST:
            start, rest = _torn(rest, LONGEST)
            yield start
        if rest:
            yield rest
            first = False


def _torn(sentence: str, longest: int) -> tuple[str, str]:
    """A start of at most `longest` characters where there is a breath to take, and the rest."""
    breaths = list(_BREATH.finditer(sentence, _SHORT_START, LONGEST))
    early = [found for found in breaths if found.start() <= longest]
    chosen = early[-1:] or breaths[:1]
    if chosen:
        return sentence[: chosen[0].start()], sentence[chosen[0].end() :]
    if len(sentence) <= LONGEST:
        return sentence, ""
    cut = sentence.rfind(" ", 0, LONGEST)
    cut = cut if cut > 0 else LONGEST
    return sentence[:cut], sentence[cut:].strip()
