"""What a caller keyed privately: kept for a moment, for one tool, by a token that says nothing.

The model sees the token and never the keys. Text cannot be wiped in Python, so keys are kept as
bytes, and are zeroed as soon as they are of no more use.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self

import anyio

from switchboard.errors import ToolFailed

KEPT_S: Final = 180.0
"""A tool that uses what was keyed is called at once; a caller who hesitates keys it again."""
MAX_KEPT: Final = 4
_LETTERS: Final = "bcdfghjkmnpqrstvwxz"
"""A token has no digits, so that nobody can take it for what was keyed, and spells no word."""
_TOKEN_LENGTH: Final = 8
_SWEEP_S: Final = 5.0


class PrivateKeys:
    """Digits that nobody may see. `with` wipes them when the block ends; so does `wipe`."""

    __slots__ = ("_digits",)

    def __init__(self, digits: bytearray) -> None:
        self._digits = digits

    def __len__(self) -> int:
        return len(self._digits)

    def __repr__(self) -> str:
        return f"<{len(self)} private keys>"

    def reveal(self) -> str:
        """The digits themselves. Compare them, pass them on to whom they are for, keep nothing."""
        return self._digits.decode("ascii")

    def wipe(self) -> None:
        for at in range(len(self._digits)):
            self._digits[at] = 0
        del self._digits[:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _fault: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.wipe()


class Ending(StrEnum):
    """How a private entry ended."""

    COMPLETE = "complete"
    NOTHING = "nothing"
    """No digit was keyed."""
    UNFINISHED = "unfinished"
    """The caller began and did not go on."""
    INTERRUPTED = "interrupted"
    """The caller spoke before the request was heard, or the line was lost."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of a private entry. Whoever has it wipes it."""

    ending: Ending
    keys: PrivateKeys


class Keypad(Protocol):
    """The keypad of the caller's telephone, while a private entry is under way."""

    async def collect(self, *, least: int, most: int) -> Collected:
        """Wait for `least` to `most` digits. Raises `ToolFailed` where that cannot be now."""
        ...


@dataclass(slots=True)
class _Kept:
    keys: PrivateKeys
    until: float


@dataclass(slots=True)
class PrivateEntries:
    """Those of one call, by token. `clock` gives monotonic seconds."""

    clock: Callable[[], float]
    _kept: dict[str, _Kept] = field(default_factory=dict[str, _Kept], repr=False)

    def keep(self, keys: PrivateKeys) -> str:
        """The token by which a tool may have them, once."""
        while len(self._kept) >= MAX_KEPT:
            self._kept.pop(next(iter(self._kept))).keys.wipe()
        token = "key-" + "".join(secrets.choice(_LETTERS) for _ in range(_TOKEN_LENGTH))
        self._kept[token] = _Kept(keys, self.clock() + KEPT_S)
        return token

    def take(self, token: str) -> PrivateKeys:
        """What the token stands for; it stands for nothing from now on. Raises `ToolFailed`."""
        self.sweep()
        kept = self._kept.pop(token, None)
        if kept is None:
            raise ToolFailed(
                "This token is used up, too old or none of this call. Have the caller key it again."
            )
        return kept.keys

    def sweep(self) -> None:
        """Wipe what nobody came for in time."""
        now = self.clock()
        for token in [token for token, kept in self._kept.items() if kept.until <= now]:
            self._kept.pop(token).keys.wipe()

    def wipe(self) -> None:
        """Wipe everything."""
        while self._kept:
            self._kept.popitem()[1].keys.wipe()

    async def run(self) -> None:
        """Sweep until cancelled; then wipe."""
        try:
            while True:
                await anyio.sleep(_SWEEP_S)
                self.sweep()
        finally:
            self.wipe()
