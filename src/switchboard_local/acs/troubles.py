"""What goes wrong on purpose with callbacks and requests: scripted, or by lot with a seed."""

from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

MAX_SCRIPTED: Final = 100

type Mishap = Literal["drop", "duplicate", "late", "unsigned"]
"""Never posted; posted twice; posted after what comes next; posted without its token."""


@dataclass(slots=True)
class Scripted:
    """A mishap that befalls callbacks. `event` is a type without its prefix; `None` is any."""

    mishap: Mishap
    event: str | None = None
    times: int = 1


@dataclass(slots=True)
class RestTrouble:
    """A request that is answered with `status`: before anything was done, or after all of it."""

    status: int
    path: str = ""
    """Only where the path has this in it."""
    times: int = 1
    done_first: bool = False
    """The answer was lost, not the request: the same repeatability id gets it, asked again."""
    retry_after_s: int | None = None


@dataclass(slots=True)
class Troubles:
    """Those armed in one local ACS. Shares are of all callbacks, between 0 and 1."""

    dropped: float = 0.0
    duplicated: float = 0.0
    late: float = 0.0
    seed: int = 0
    struck: int = 0
    """How often something went wrong."""
    scripted: list[Scripted] = field(default_factory=list[Scripted])
    rest: list[RestTrouble] = field(default_factory=list[RestTrouble])
    _lot: Random | None = None

    def script(self, mishap: Mishap, event: str | None = None, times: int = 1) -> None:
        """Arm one. Raises `ValueError` beyond a hundred."""
        self._bounded(len(self.scripted))
        self.scripted.append(Scripted(mishap, event, times))

    def script_rest(self, trouble: RestTrouble) -> None:
        """The same, for requests."""
        self._bounded(len(self.rest))
        self.rest.append(trouble)

    def befalls(self, event: str) -> Mishap | None:
        """What befalls a callback of that type."""
        for each in self.scripted:
            if each.event in (None, event):
                each.times -= 1
                if each.times <= 0:
                    self.scripted.remove(each)
                self.struck += 1
                return each.mishap
        mishap = self._by_lot()
        self.struck += mishap is not None
        return mishap

    def befalls_request(self, path: str) -> RestTrouble | None:
        """What befalls a request for that path."""
        for each in self.rest:
            if each.path in path:
                each.times -= 1
                if each.times <= 0:
                    self.rest.remove(each)
                self.struck += 1
                return each
        return None

    def _by_lot(self) -> Mishap | None:
        if not (self.dropped or self.duplicated or self.late):
            return None
        if self._lot is None:
            self._lot = Random(self.seed)  # noqa: S311 - no secret: the same lots each time
        lot = self._lot.random()
        shares: tuple[tuple[Mishap, float], ...] = (
            ("drop", self.dropped),
            ("duplicate", self.duplicated),
            ("late", self.late),
        )
        for mishap, share in shares:
            if lot < share:
                return mishap
            lot -= share
        return None

    def _bounded(self, count: int) -> None:
        if count >= MAX_SCRIPTED:
            raise ValueError(f"at most {MAX_SCRIPTED} troubles at once")
