"""One telephone call, as its agent must know of it before it begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from switchboard.exchange.brief import Brief, Fit


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who is on the other side, and what for."""

    number: str | None = field(repr=False)
    """E.164, as the carrier says it; `None` where it is withheld, or no telephone's."""
    principal_id: str
    """The other side's, in the records."""
    outgoing: bool = False
    """We ring them."""
    context: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Facts for this call's agent: data, not instructions. Neither logged nor recorded."""


type Fitting = Callable[[Occasion], Fit]
"""Makes an agent's brief one for this call."""


def as_it_is(_: Occasion) -> Fit:
    """Adds nothing."""

    def fit(brief: Brief) -> Brief:
        return brief

    return fit
