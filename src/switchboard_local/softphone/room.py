"""Which page has which number: what all softphone pages of one local cloud share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import anyio

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.people import Phone
from switchboard_local.acs.refusals import AcsRefused
from switchboard_local.acs.softphone import Parts

NUMBERS: Final = tuple(f"+4420794601{digit}{digit}" for digit in range(1, 10))
"""Numbers that Ofcom keeps for plays: nobody's telephone. The first is yours, the second the
human's whom the agent brings in."""
MAX_PAGES: Final = 8


class Taken(Exception):
    """The number cannot be had. The text says why."""


@dataclass(slots=True, eq=False)
class Held:
    """A number in a page's hands."""

    number: str
    phone: Phone
    in_use: Callable[[], bool]
    lose: Callable[[], None]
    """Another page takes it: unplug at once."""


@dataclass(slots=True)
class Room:
    """Numbers are held by one page each; a tab that comes again takes the place of its old self."""

    acs: Acs
    parts: Parts
    tabs: dict[str, "Stay"] = field(default_factory=dict[str, "Stay"])
    _held: dict[str, Held] = field(default_factory=dict[str, Held])

    @property
    def agent_number(self) -> str:
        return min(self.acs.config.numbers)

    def choose(self, wanted: str | None, *, insist: bool) -> str:
        """The number to claim: the wanted one, or the next that is free. Raises `Taken`."""
        if wanted is not None:
            if wanted in self.acs.config.numbers:
                raise Taken("That is the agent's own number.")
            held = self._held.get(wanted)
            if held is None:
                return wanted
            if insist:
                if held.in_use():
                    raise Taken("Another page is using that number.")
                held.lose()
                return wanted
        free = (number for number in NUMBERS if number not in self._held)
        if (number := next(free, None)) is None:
            raise Taken("All numbers are in use on other pages.")
        return number

    def claim(self, number: str, in_use: Callable[[], bool], lose: Callable[[], None]) -> Held:
        """Take a chosen number into hand. Raises `Taken`."""
        try:
            phone = self.acs.phone(number)
        except AcsRefused as reason:
            raise Taken(str(reason)) from None
        held = self._held[number] = Held(number, phone, in_use, lose)
        return held

    def release(self, held: Held) -> None:
        """The number is nobody's."""
        if self._held.get(held.number) is held:
            del self._held[held.number]
            self.acs.unplug(held.phone)


@dataclass(slots=True, eq=False)
class Stay:
    """One page's presence, from its socket's opening to its close."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    gone: anyio.Event = field(default_factory=anyio.Event)
