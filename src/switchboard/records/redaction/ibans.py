"""Numbers of bank accounts: to take them out where that is asked for, and else to leave them alone,
for the digits of some look like a card's."""

import re
from collections.abc import Iterator
from typing import Final

from stdnum import iban

_FORM: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![a-z0-9])")
_PART: Final = re.compile(r"[A-Z0-9]+")


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """Where valid ones stand."""
    for match in _FORM.finditer(text):
        start = match.start()
        for end in reversed([start + part.end() for part in _PART.finditer(match.group())]):
            if iban.is_valid(text[start:end]):
                yield start, end
                break
