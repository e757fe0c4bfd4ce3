"""Past calls, searched.

Words are looked for with LIKE, newest calls first, until a page is full: there is no index that
both databases have for words within a text, so a word that nobody said costs one pass over the
transcripts of the days asked for. SQLite ignores case in ASCII only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from switchboard.records.outcomes import LIVE, OUTCOMES
from switchboard.records.schema import AfterCall, Call, Interruption, Item, Reply, ToolCall
from switchboard.records.store import Store

PAGE: Final = 50
AROUND: Final = 60
"""Characters shown on both sides of a word that was found."""


@dataclass(frozen=True, slots=True)
class Search:
    """Which calls. Times are epoch seconds."""

    words: str | None = None
    agent: str | None = None
    channel: str | None = None
    outcome: str | None = None
    goals: str | None = None
    """What its goals came to: a name of `records.after.OUTCOMES`."""
    since: float | None = None
    until: float | None = None
    before: tuple[float, str] | None = None
    """The last call of the page before: when it began, and its id."""


@dataclass(frozen=True, slots=True)
class Found:
    """A call, with what it came to."""

    call: Call
    lines: int
    tools: int
    tools_failed: int
    interruptions: int
    latency_ms: float | None
    """The median of its answers."""
    cost_usd: float | None
    """`None` where no reply has a price."""
    snippet: str | None
    """Where the words were said."""
    goals: str | None
    """What its goals came to."""


async def search(store: Store, wanted: Search, most: int = PAGE) -> Sequence[Found]:
    """The newest calls of that kind, at most `most`."""
    async with store.reading() as connection, AsyncSession(connection) as session:
        calls = (await session.scalars(_query(wanted).limit(most))).all()
        ids = [call.id for call in calls]
        facts = await _facts(connection, ids)
        snippets = await _snippets(connection, ids, wanted.words)
    return [_found(call, facts, snippets.get(call.id)) for call in calls]


def _query(wanted: Search) -> Select[Any]:
    query = select(Call).order_by(Call.began_at.desc(), Call.id.desc())
    if wanted.before is not None:
        at, call_id = wanted.before
        query = query.where(or_(Call.began_at < at, and_(Call.began_at == at, Call.id < call_id)))
    if wanted.words:
        said = select(Item.item_id).where(Item.call_id == Call.id, _says(wanted.words))
        query = query.where(said.exists())
    for column, value in ((Call.agent, wanted.agent), (Call.channel, wanted.channel)):
        if value is not None:
            query = query.where(column == value)
    if wanted.goals is not None:
        came = select(AfterCall.call_id).where(
            AfterCall.call_id == Call.id, AfterCall.outcome == wanted.goals
        )
        query = query.where(came.exists())
    if wanted.since is not None:
        query = query.where(Call.began_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(Call.began_at < wanted.until)
    return query if wanted.outcome is None else query.where(_came_out(wanted.outcome))


def _says(words: str) -> ColumnElement[bool]:
    return Item.text.icontains(words, autoescape=True)


def _came_out(outcome: str) -> ColumnElement[bool]:
    if outcome == LIVE:
        return Call.ended_at.is_(None)
    reasons = OUTCOMES.get(outcome)
    if reasons is not None:
        return or_(*map(_ended_by, reasons))
    known = [reason for several in OUTCOMES.values() for reason in several]
    return and_(Call.end_reason.is_not(None), ~or_(*map(_ended_by, known)))


def _ended_by(reason: str) -> ColumnElement[bool]:
    return or_(Call.end_reason == reason, Call.end_reason.startswith(f"{reason}:", autoescape=True))


async def _facts(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By call: counts, sums and every latency."""
    facts: dict[str, dict[str, Any]] = {call_id: {"latencies": []} for call_id in ids}
    failed = func.sum(case((ToolCall.state == "failed", 1), else_=0))
    counts = (
        (Item, {"lines": func.count()}),
        (ToolCall, {"tools": func.count(), "tools_failed": failed}),
        (Interruption, {"interruptions": func.count()}),
        (Reply, {"cost_usd": func.sum(Reply.cost_usd)}),
    )
    for table, columns in counts:
        labelled = [column.label(name) for name, column in columns.items()]
        query = select(table.call_id, *labelled).where(table.call_id.in_(ids))
        for row in await connection.execute(query.group_by(table.call_id)):
            facts[row.call_id] |= {name: getattr(row, name) for name in columns}
    came = select(AfterCall.call_id, AfterCall.outcome).where(AfterCall.call_id.in_(ids))
    for call_id, outcome in await connection.execute(came):
        facts[call_id]["goals"] = outcome
    answers = select(Reply.call_id, Reply.first_audio_ms).where(
        Reply.call_id.in_(ids), Reply.first_audio_ms.is_not(None)
    )
    for call_id, ms in await connection.execute(answers):
        facts[call_id]["latencies"].append(ms)
    return facts


async def _snippets(
    connection: AsyncConnection, ids: Sequence[str], words: str | None
) -> dict[str, str]:
    """By call, where it says so first."""
    if not words or not ids:
        return {}
    said = select(Item.call_id, Item.text).where(Item.call_id.in_(ids), _says(words))
    snippets: dict[str, str] = {}
    for call_id, text in await connection.execute(said.order_by(Item.began_ms)):
        snippets.setdefault(call_id, snippet(text, words))
    return snippets


def snippet(text: str, words: str) -> str:
    """The words with what stands around them."""
    at = max(text.lower().find(words.lower()), 0)
    start, end = max(at - AROUND, 0), at + len(words) + AROUND
    return f"{'…' if start else ''}{text[start:end].strip()}{'…' if end < len(text) else ''}"


def _found(call: Call, facts: dict[str, dict[str, Any]], said: str | None) -> Found:
    known = facts[call.id]
    latencies: list[float] = known["latencies"]
    return Found(
        call=call,
        lines=known.get("lines", 0),
        tools=known.get("tools", 0),
        tools_failed=int(known.get("tools_failed") or 0),
        interruptions=known.get("interruptions", 0),
        latency_ms=median(latencies) if latencies else None,
        cost_usd=known.get("cost_usd"),
        snippet=said,
        goals=known.get("goals"),
    )
