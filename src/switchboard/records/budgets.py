"""What calls take of a day's budget: each server's calls, in one table that all of them add up.

Somebody is known here by a digest that is another one each day, and nothing is kept for longer than
two: a budget need not say whose it was.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Float, bindparam, case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.records.schema import SpentRow
from switchboard.records.store import Store

DAY_S: Final = 86_400.0
HELD_S: Final = 30.0
"""What each call holds beyond what it has used: until its server says more, and for its goodbye."""
HELD_USD: Final = 0.05
"""Likewise. A minute of speech costs more or less that."""
LEASE_S: Final = 60.0
"""What a server holds is given back once it has said nothing for so long: it is dead."""


class Short(StrEnum):
    """Whose budget is used up."""

    USER = "user"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Budget:
    """Of one day, by UTC; what is `None` is not limited."""

    usd: float | None = None
    minutes: float | None = None

    def holds(self, taken: "Taken") -> bool:
        """Whether that is still within it."""
        money = self.usd is None or taken.usd <= self.usd
        return money and (self.minutes is None or taken.seconds <= self.minutes * 60)


@dataclass(frozen=True, slots=True)
class Budgets:
    user: Budget = Budget()
    all: Budget = Budget()

    @property
    def in_money(self) -> bool:
        return self.user.usd is not None or self.all.usd is not None

    @property
    def limited(self) -> bool:
        """Whether there is anything to count for."""
        return self != Budgets()

    def short(self, user: "Taken", everybody: "Taken") -> Short | None:
        """Which of them is used up."""
        if not self.user.holds(user):
            return Short.USER
        return None if self.all.holds(everybody) else Short.ALL


@dataclass(frozen=True, slots=True)
class Taken:
    """Used and held."""

    usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.usd + other.usd, self.seconds + other.seconds)


HELD: Final = Taken(HELD_USD, HELD_S)


@dataclass(frozen=True, slots=True)
class Used:
    """What one call has used of one day."""

    call_id: str
    day: str
    who: str
    usd: float
    seconds: float
    over: bool = False
    """It holds nothing any more."""


def day_of(now: float) -> str:
    """`2026-03-04`. `now` is epoch seconds."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def known_as(payer: str, day: str) -> str:
    """Whose budget it is, on that day."""
    return hashlib.sha256(f"{day}\n{payer}".encode()).hexdigest()


class BudgetTable:
    """Each method is one transaction, committed when it returns. Times are epoch seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def book(self, call_id: str, payer: str, budgets: Budgets, now: float) -> Short | None:
        """Hold something for a call that is about to begin, unless a budget is used up: which."""
        day = day_of(now)
        who = known_as(payer, day)
        async with self._store.writing() as connection:
            # Two who add up at once would both find room.
            await self._store.alone(connection, "budgets")
            user, everybody = await _taken(connection, day, [who], now)
            short = budgets.short(user.get(who, Taken()) + HELD, everybody + HELD)
            if short is None:
                await self._put(connection, [Used(call_id, day, who, 0.0, 0.0)], now)
            return short

    async def report(self, used: Sequence[Used], budgets: Budgets, now: float) -> dict[str, Short]:
        """Write down what calls have used so far. Of those under way, whose budget is used up."""
        day = day_of(now)
        async with self._store.writing() as connection:
            await self._put(connection, used, now)
            live = {each.who: each for each in used if not each.over and each.day == day}
            user, everybody = await _taken(connection, day, live, now)
        short = {who: budgets.short(user.get(who, Taken()), everybody) for who in live}
        return {who: which for who, which in short.items() if which is not None}

    async def today(self, now: float) -> Taken:
        """What all servers' calls have used and hold of this day."""
        async with self._store.reading() as connection:
            return (await _taken(connection, day_of(now), [], now))[1]

    async def sweep(self, now: float) -> None:
        """Of days before yesterday nothing stays."""
        async with self._store.writing() as connection:
            await connection.execute(delete(SpentRow).where(SpentRow.day < day_of(now - DAY_S)))

    async def _put(self, connection: AsyncConnection, used: Sequence[Used], now: float) -> None:
        if not used:
            return
        insert = postgresql.insert if self._store.dialect == "postgresql" else sqlite.insert
        row = insert(SpentRow)
        names = ("used_usd", "used_s", "held_usd", "held_s", "held_until")
        changed = {name: row.excluded[name] for name in names}
        # In one order everywhere: two that lock the same rows in two would wait for ever.
        rows = [_row(each, now) for each in sorted(used, key=lambda each: each.call_id)]
        await connection.execute(
            row.on_conflict_do_update(index_elements=["call_id", "day"], set_=changed), rows
        )


def _row(used: Used, now: float) -> dict[str, object]:
    return {
        "call_id": used.call_id,
        "day": used.day,
        "who": used.who,
        "used_usd": used.usd,
        "used_s": used.seconds,
        "held_usd": 0.0 if used.over else HELD_USD,
        "held_s": 0.0 if used.over else HELD_S,
        "held_until": now if used.over else now + LEASE_S,
    }


async def _taken(
    connection: AsyncConnection, day: str, whose: Collection[str], now: float
) -> tuple[dict[str, Taken], Taken]:
    """Of a day: what each of these has taken, and what all have."""
    held = SpentRow.held_until > bindparam("now", now, Float)
    usd = func.sum(SpentRow.used_usd + case((held, SpentRow.held_usd), else_=0.0))
    seconds = func.sum(SpentRow.used_s + case((held, SpentRow.held_s), else_=0.0))
    today = SpentRow.day == day
    found: dict[str, Taken] = {}
    if whose:
        each = select(SpentRow.who, usd, seconds).where(today, SpentRow.who.in_(whose))
        rows = (await connection.execute(each.group_by(SpentRow.who))).all()
        found = {who: Taken(money, time) for who, money, time in rows}
    money, time = (await connection.execute(select(usd, seconds).where(today))).one()
    return found, Taken(money or 0.0, time or 0.0)
