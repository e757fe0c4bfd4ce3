"""The one door to dialling: rules, then quotas, counted and committed before anybody dials."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from switchboard.access.principal import Principal
from switchboard.phone.dialling import (
    DiallingRules,
    NotDialled,
    Target,
    Why,
    check_time,
    consider,
    understand,
)
from switchboard.records.dialled import Booked, DialledTable, Full, Quotas, Wanted

logger = logging.getLogger(__name__)

_WHY: Final = {
    Full.DO_NOT_CALL: Why.DO_NOT_CALL,
    Full.PRINCIPAL: Why.PRINCIPAL_QUOTA,
    Full.NUMBER: Why.NUMBER_QUOTA,
    Full.DAY: Why.DAY_QUOTA,
    Full.AT_ONCE: Why.AT_ONCE,
}


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to dial one number once. Only `Permits` makes one."""

    call_id: str
    target: Target
    again: bool
    """The same operation was permitted before: report that call, and dial nobody."""


class Permits:
    """Says who may be called. `clock` is epoch seconds."""

    def __init__(
        self,
        table: DialledTable,
        rules: DiallingRules,
        quotas: Quotas,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._rules = rules
        self._quotas = quotas
        self._clock = clock

    async def ask(
        self, text: str, *, call_id: str, principal: Principal, operation: str, agent: str = ""
    ) -> Permit:
        """A permit to call the number in `text`. `operation` is the principal's own id for this
        call: asked again, it is the same call. Raises `NotDialled`."""
        now = self._clock()
        try:
            target = consider(text, self._rules, datetime.fromtimestamp(now, UTC))
            digest = _digest(principal.id, operation)
            wanted = Wanted(digest, call_id, principal.id, target.number, agent)
            booked = _booked(await self._table.book(wanted, self._quotas, now))
        except NotDialled as refusal:
            logger.info(
                "number not dialled", extra={"principal": principal.id, "why": refusal.why.value}
            )
            raise
        return Permit(booked.call_id, target, booked.again)

    def for_colleagues(self) -> "Permits":
        """For people of the house, whom a caller is handed to: they may be rung at any hour, and as
        often as all others together. Every other rule and quota holds."""
        quotas = replace(self._quotas, number_a_day=self._quotas.a_day)
        return Permits(self._table, replace(self._rules, quiet=None), quotas, clock=self._clock)

    def understand(self, text: str) -> Target:
        """The telephone that `text` means, if the rules let it be called at any time. Asks no
        database. Raises `NotDialled`."""
        return understand(text, self._rules)

    async def check(self, target: Target, at: float) -> None:
        """Whether the rules would let it be called at `at`, epoch seconds. No permit. Raises
        `NotDialled`."""
        check_time(target, self._rules, datetime.fromtimestamp(at, UTC))
        if await self._table.is_do_not_call(target.number):
            raise NotDialled(Why.DO_NOT_CALL)

    async def known(self, principal: Principal, operation: str) -> str | None:
        """The call that this operation of the principal's is already, if there is one."""
        return await self._table.call_of(_digest(principal.id, operation))

    async def over(self, call_id: str) -> None:
        """The call has ended, or nobody could be reached."""
        await self._table.ended(call_id, self._clock())

    async def never_again(self, number: str, reason: str) -> None:
        """Whoever has this number, E.164, does not want to be called."""
        await self._table.do_not_call(number, reason, self._clock())


def _booked(answer: Booked | Full) -> Booked:
    if isinstance(answer, Full):
        raise NotDialled(_WHY[answer])
    return answer


def _digest(principal_id: str, operation: str) -> str:
    return hashlib.sha256(f"{principal_id}\n{operation}".encode()).hexdigest()
