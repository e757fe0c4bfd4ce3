"""Where people are in the tables, and how they are taken out of them: what erasure and retention
have in common."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Executable, Select, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.records.dialled import DAY_S, LONGEST_CALL_S
from switchboard.records.schema import (
    Base,
    Call,
    Dialled,
    DoNotCall,
    EvalRunRow,
    Promised,
    ReplicaRow,
    SeenEvent,
    SpentRow,
)

type Alias = Callable[[str], str]
"""What stands for a number, or for somebody's id, once they are gone: the same for the same, and
by nobody to be turned back."""

NAMELESS: Final = "erased:"
"""How what stands for a name begins."""
QUOTA_S: Final = DAY_S + LONGEST_CALL_S
"""A placed call that began before that counts for no quota any more."""
BATCH: Final = 200
"""Calls, or rows, of one transaction: others write, too."""
OF_THEIR_OWN: Final = frozenset(
    table.__tablename__
    for table in (Call, Dialled, Promised, DoNotCall, SeenEvent, ReplicaRow, SpentRow, EvalRunRow)
)
"""Tables that are not a call's alone. Every other has a `call_id`, and goes with its call."""


def tables_of_calls() -> Sequence[Table]:
    """What goes with a call, whoever made the table. What refers to others comes first."""
    tables = reversed(Base.metadata.sorted_tables)
    return [each for each in tables if "call_id" in each.c and each.name not in OF_THEIR_OWN]


async def delete_calls(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """Calls with everything that goes with them. How many rows of which table."""
    gone: dict[str, int] = {}
    for table in tables_of_calls():
        rows = delete(table).where(table.c.call_id.in_(ids))
        gone[table.name] = await count(connection, rows)
    gone[Call.__tablename__] = await count(connection, delete(Call).where(Call.id.in_(ids)))
    return gone


async def forget_dialled(
    connection: AsyncConnection, chosen: Select[str], now: float, alias: Alias
) -> int:
    """Placed calls (their `operation`s): gone where no quota counts them, else without names."""
    old = delete(Dialled).where(Dialled.operation.in_(chosen), Dialled.at <= now - QUOTA_S)
    gone = await count(connection, old)
    columns = select(Dialled.operation, Dialled.number, Dialled.principal_id)
    # One that has no name any more keeps what stands for it.
    rest = (await connection.execute(columns.where(Dialled.operation.in_(chosen)))).all()
    for operation, number, principal_id in rest:
        nameless = {
            "number": nameless_once(number, alias),
            "principal_id": nameless_once(principal_id, alias),
        }
        row = update(Dialled).where(Dialled.operation == operation)
        await connection.execute(row.values(nameless))
    return gone + len(rest)


def nameless_once(name: str, alias: Alias) -> str:
    """What stands for a name; for what stands for one already, itself."""
    return name if name.startswith(NAMELESS) else alias(name)


async def count(connection: AsyncConnection, statement: Executable) -> int:
    """Carry out a change. How many rows it touched."""
    result: Any = await connection.execute(statement)
    rows: int = result.rowcount
    return rows
