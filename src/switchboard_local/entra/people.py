"""The people of the local tenant: two, who sign in by a click."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

APPLICATION: Final = "10ca1000-0000-4000-8000-0000000a9911"
"""The application that they sign in to, when `up` has them do so. Any other will do as well."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account; `oid` is the account's."""

    key: str
    name: str
    oid: str
    roles: Sequence[str]
    may: str
    """In words, for the page on which one is chosen."""

    @property
    def address(self) -> str:
        return f"{self.key}@local.example"


CALLER: Final = Person(
    "carla",
    "Carla Caller",
    "10ca1000-0000-4000-8000-0000000ca11a",
    ("caller",),
    "talks to agents",
)
OPERATOR: Final = Person(
    "otto",
    "Otto Operator",
    "10ca1000-0000-4000-8000-0000000007f0",
    ("operator",),
    "also places telephone calls",
)
PEOPLE: Final[Mapping[str, Person]] = {person.key: person for person in (CALLER, OPERATOR)}
