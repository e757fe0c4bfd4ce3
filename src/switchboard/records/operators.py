"""What operators did to calls, and who they were."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from switchboard.records.redaction.kinds import FULL
from switchboard.records.redaction.redactor import Redactor
from switchboard.records.schema import OperatorAction
from switchboard.records.store import Store

ASKED: Final = "asked"
TAKEN: Final = "taken"
REFUSED: Final = "refused"
MOST: Final = 500
"""Of one call, the latest."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody wants to do something to a call."""

    call_id: str
    principal_id: str
    principal_name: str
    kind: str
    text: str | None = None
    tool_call_id: str | None = None

    @property
    def stored_text(self) -> str | None:
        """What may be stored, and shown to other operators, of their words."""
        return None if self.text is None else Redactor(FULL).text(self.text).text


async def write_down(store: Store, deed: Deed, at: float | None = None) -> str:
    """Before it is done. Returns the id to `settle` it by. `at` is epoch seconds."""
    action_id = secrets.token_urlsafe(12)
    values = {
        "id": action_id,
        "call_id": deed.call_id,
        "principal_id": deed.principal_id[:200],
        "principal_name": deed.principal_name[:200],
        "kind": deed.kind,
        "text": deed.stored_text,
        "tool_call_id": deed.tool_call_id,
        "at": time.time() if at is None else at,
        "outcome": ASKED,
    }
    async with store.writing() as connection:
        await connection.execute(insert(OperatorAction).values(values))
    return action_id


async def settle(store: Store, action_id: str, outcome: str) -> None:
    """What became of it: `TAKEN` or `REFUSED`."""
    done = update(OperatorAction).where(OperatorAction.id == action_id).values(outcome=outcome)
    async with store.writing() as connection:
        await connection.execute(done)


async def deeds_of(store: Store, call_id: str) -> Sequence[OperatorAction]:
    """What was done to a call, in order."""
    wanted = (
        select(OperatorAction)
        .where(OperatorAction.call_id == call_id)
        .order_by(OperatorAction.at.desc())
        .limit(MOST)
    )
    async with store.reading() as connection, AsyncSession(connection) as session:
        found = (await session.scalars(wanted)).all()
    return list(reversed(found))
