"""Everything that is kept of one person, taken out, with a receipt that says how much it was."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.records.dialled import LONGEST_CALL_S
from switchboard.records.persons import BATCH, Alias, count, delete_calls, forget_dialled
from switchboard.records.recordings import places_of
from switchboard.records.schema import Call, Dialled, DoNotCall, Promised, RecordingRow, TicketRow
from switchboard.records.store import Store

SCHEMA: Final = "switchboard.erasure/1"


@dataclass(frozen=True, slots=True)
class Person:
    """Whose records are to go."""

    principal_id: str
    """What the records call them: of a telephone, the keyed hash of its number."""
    number: str | None = None
    """Their telephone number, E.164, if it is known."""


@dataclass(slots=True)
class Erased:
    """What went, and what did not."""

    rows: Counter[str] = field(default_factory=Counter[str])
    """Of each table, how many rows were deleted, or made nameless."""
    live: int = 0
    """Calls of theirs that are not over, and stay. Erase again when they are."""
    do_not_call: int = 0
    """That they do not want to be called stays, or they would be."""
    sound: list[str] = field(default_factory=list[str], repr=False)
    """Where recordings of theirs lie, whose rows are gone now. Delete these files."""
    calls: list[str] = field(default_factory=list[str], repr=False)
    """Their calls. What of their sound lies in a `DATA_DIR` is to go with them."""


async def erase(store: Store, person: Person, now: float, alias: Alias) -> Erased:
    """Take a person out of the records. `now` is epoch seconds. Once more is no mistake.

    What the quotas of a day still count stays, without a name: `alias` is what stands for it.
    """
    erased = Erased()
    mine = Call.principal_id == person.principal_id
    over = or_(Call.ended_at.is_not(None), Call.began_at <= now - LONGEST_CALL_S)
    while True:
        async with store.writing() as connection:
            found = await connection.scalars(select(Call.id).where(mine, over).limit(BATCH))
            ids = list(found.all())
            if not ids:
                break
            erased.sound += await _sound(connection, ids)
            erased.calls += ids
            erased.rows.update(await delete_calls(connection, ids))
    async with store.writing() as connection:
        await _beside(connection, person, now, alias, erased)
        live = select(func.count()).select_from(Call).where(mine)
        erased.live = (await connection.execute(live)).scalar_one()
    await store.scrub()
    return erased


async def _sound(connection: AsyncConnection, ids: Sequence[str]) -> list[str]:
    filed = select(RecordingRow.places).where(RecordingRow.call_id.in_(ids))
    return [place for places in await connection.scalars(filed) for place in places_of(places)]


async def _beside(
    connection: AsyncConnection, person: Person, now: float, alias: Alias, erased: Erased
) -> None:
    """What is kept beside calls."""
    who, number = person.principal_id, person.number
    placed = select(Dialled.operation).where(
        or_(Dialled.principal_id == who, Dialled.number == number)
        if number
        else Dialled.principal_id == who
    )
    promised = delete(Promised).where(
        or_(Promised.principal_id == who, Promised.number == number)
        if number
        else Promised.principal_id == who
    )
    erased.rows["dialled"] += await forget_dialled(connection, placed, now, alias)
    erased.rows["promised"] += await count(connection, promised)
    tickets = delete(TicketRow).where(TicketRow.principal_id == who)
    erased.rows["tickets"] += await count(connection, tickets)
    if number:
        listed = select(func.count()).select_from(DoNotCall).where(DoNotCall.number == number)
        erased.do_not_call = (await connection.execute(listed)).scalar_one()
