"""What happened on a call, read back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from switchboard.records.schema import (
    AfterCall,
    Call,
    Interruption,
    Item,
    RecordingRow,
    Reply,
    ToolCall,
)
from switchboard.records.store import Store


@dataclass(frozen=True, slots=True)
class CallHistory:
    """A call's durable account; each part in the order it happened."""

    call: Call
    items: Sequence[Item]
    tool_calls: Sequence[ToolCall]
    interruptions: Sequence[Interruption]
    replies: Sequence[Reply]
    recording: RecordingRow | None = None
    after: AfterCall | None = None
    """What it came to, once that is found out."""


async def history(store: Store, call_id: str) -> CallHistory | None:
    """Everything recorded of a call, or `None` for a call nobody knows."""
    async with store.reading() as connection, AsyncSession(connection) as session:
        call = await session.get(Call, call_id)
        if call is None:
            return None
        return CallHistory(
            call=call,
            items=await _all(
                session, select(Item).where(Item.call_id == call_id).order_by(Item.began_ms)
            ),
            tool_calls=await _all(
                session,
                select(ToolCall).where(ToolCall.call_id == call_id).order_by(ToolCall.began_ms),
            ),
            interruptions=await _all(
                session,
                select(Interruption)
                .where(Interruption.call_id == call_id)
                .order_by(Interruption.at_ms),
            ),
            replies=await _all(session, select(Reply).where(Reply.call_id == call_id)),
            recording=await session.get(RecordingRow, call_id),
            after=await session.get(AfterCall, call_id),
        )


async def _all[T](session: AsyncSession, wanted: Select[T]) -> Sequence[T]:
    return (await session.scalars(wanted)).all()
