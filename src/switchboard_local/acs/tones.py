"""Keys of a telephone, and the names that the REST interface has for them."""

from collections.abc import Mapping
from typing import Final

from switchboard_local.acs.refusals import bad

NAMES: Final[Mapping[str, str]] = {
    **dict(
        zip(
            "0123456789",
            ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            strict=True,
        )
    ),
    "*": "asterisk",
    "#": "pound",
    "A": "a",
    "B": "b",
    "C": "c",
    "D": "d",
}
"""The name of each key."""
_KEYS: Final = {name: key for key, name in NAMES.items()}


def key_of(name: str) -> str:
    """The key of that name. Raises `AcsRefused`."""
    key = _KEYS.get(name)
    if key is None:
        raise bad("A tone is zero to nine, a to d, pound or asterisk.")
    return key
