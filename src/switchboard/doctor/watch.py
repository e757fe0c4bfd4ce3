"""The doctor's cheap checks, made beside the calls: what `/readyz` goes by.

No session is opened and no token shown, so a round costs nothing and may come often. A request
only reads what the last round found.
"""

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import anyio
from sqlalchemy.exc import SQLAlchemyError

from switchboard.doctor import home
from switchboard.doctor.findings import Finding, Outcome, failed, ok
from switchboard.doctor.patience import Patience
from switchboard.doctor.rounds import wanted
from switchboard.doctor.services import reach
from switchboard.errors import ConfigurationError, RecordsUnavailable
from switchboard.records.revision import address_of
from switchboard.settings import Settings

logger = logging.getLogger(__name__)

DATA_DIRECTORY: Final = "data_directory"
RECORDS: Final = "records"


class State(StrEnum):
    """How a part is. Said to anybody who asks: no names, no addresses."""

    OK = "ok"
    NOT_OK = "not ok"
    WAITING = "waiting"
    """Nobody has looked yet, or not for too long."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the rounds are made, in seconds."""

    every_s: float = 180.0
    again_s: float = 15.0
    """After a round that found something not ok."""
    round_s: float = 60.0
    """The longest a round may take."""

    @property
    def stale_s(self) -> float:
        """A round that is older than this says nothing any more."""
        return 2 * (self.every_s + self.round_s)


@dataclass(slots=True)
class Watch:
    """Makes the rounds until cancelled. `store_answers` returns once the open store has."""

    settings: Settings
    store_answers: Callable[[], Awaitable[object]]
    pace: Pace = field(default_factory=Pace)
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.monotonic
    _found: Mapping[str, Finding] = field(default_factory=dict[str, Finding])
    _looked_at: float | None = None

    async def run(self) -> None:
        while True:
            calm = await self.look()
            await anyio.sleep(self.pace.every_s if calm else self.pace.again_s)

    async def look(self) -> bool:
        """One round; whether it found everything ok. What could not be finished in time is not."""
        found: dict[str, Finding] = {}
        with anyio.move_on_after(self.pace.round_s) as limit:
            async for part, finding in self._round():
                found[part] = finding  # noqa: PERF403  # what was found before a time-out counts
        if limit.cancelled_caught:
            found = {part: failed(part, "no answer in time") for part in self._found} | found
        self._tell(found)
        self._found, self._looked_at = found, self.clock()
        return not limit.cancelled_caught and all(map(_calm, found.values()))

    def state(self, part: str) -> State:
        """What the last round found of `data_directory`, `records` or a service."""
        found = self._found.get(part)
        if found is None or self._looked_at is None:
            return State.WAITING
        if self.clock() - self._looked_at > self.pace.stale_s:
            return State.WAITING
        return State.OK if _calm(found) else State.NOT_OK

    async def _round(self) -> AsyncGenerator[tuple[str, Finding]]:
        yield DATA_DIRECTORY, home.data_dir(self.settings)
        yield RECORDS, await self._records()
        for service in wanted(self.settings):
            if service.endpoint is not None:
                try:
                    yield service.service.value, await reach(service.asked(), self.patience)
                except ConfigurationError as refusal:
                    yield service.service.value, failed(service.title, str(refusal))

    async def _records(self) -> Finding:
        try:
            with anyio.fail_after(self.patience.local_s):
                await self.store_answers()
        except (RecordsUnavailable, SQLAlchemyError, OSError, TimeoutError) as error:
            said = type(error.__cause__ or error).__name__
            return failed(home.RECORDS, f"the store does not answer ({said})")
        url = self.settings.database_url
        if url is not None and address_of(url) is not None:
            return ok(home.RECORDS, "the store answers")  # by the connections that it has
        return await home.records(self.settings, self.patience)

    def _tell(self, found: Mapping[str, Finding]) -> None:
        """One line for each change."""
        for part, finding in found.items():
            before = self._found.get(part)
            if _calm(finding) != (before is None or _calm(before)):
                level = logging.INFO if _calm(finding) else logging.WARNING
                logger.log(level, "round", extra={"part": part, "finding": finding.line()})


def _calm(finding: Finding) -> bool:
    return finding.outcome is not Outcome.FAILED
