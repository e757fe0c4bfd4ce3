"""What all calls of some days came to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from switchboard.records.outcomes import outcome_of
from switchboard.records.schema import AfterCall, Call, Interruption, Reply, ToolCall
from switchboard.records.store import Store

MOST_CALLS: Final = 50_000
"""Beyond it the newest are counted, and `Figures.whole` is false."""
DAY_S: Final = 86_400.0
FAILED: Final = frozenset({"failed", "lost"})


@dataclass(slots=True)
class Tally:
    """Some calls, added up."""

    calls: int = 0
    seconds: float = 0.0
    cost_usd: float = 0.0
    failed: int = 0
    """Ended by a fault, or lost."""
    interrupted: int = 0
    """In which the caller spoke over the agent."""
    latencies: list[float] = field(default_factory=list[float])
    judged: int = 0
    """Whose goals were judged to be more than unknown."""
    achieved: int = 0
    after_usd: float = 0.0
    """What it cost to judge them; not in `cost_usd`."""


@dataclass(slots=True)
class ToolTally:
    """The calls of one tool."""

    calls: int = 0
    failed: int = 0
    durations: list[float] = field(default_factory=list[float])


@dataclass(slots=True)
class Figures:
    whole: bool = True
    total: Tally = field(default_factory=Tally)
    unpriced: int = 0
    """Replies whose model has no price."""
    days: dict[int, Tally] = field(default_factory=lambda: defaultdict[int, Tally](Tally))
    """By the number of days since 1970, in the asker's zone."""
    agents: dict[str, Tally] = field(default_factory=lambda: defaultdict[str, Tally](Tally))
    channels: Counter[str] = field(default_factory=Counter[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])
    tools: dict[str, ToolTally] = field(
        default_factory=lambda: defaultdict[str, ToolTally](ToolTally)
    )


async def figures(
    store: Store, since: float, until: float, *, agent: str | None = None, zone_s: float = 0.0
) -> Figures:
    """Of the calls that began from `since` to before `until`, epoch seconds. `zone_s` is how far
    the asker's clock is ahead of UTC: it says where days begin."""
    wanted = select(Call).where(Call.began_at >= since, Call.began_at < until)
    if agent is not None:
        wanted = wanted.where(Call.agent == agent)
    wanted = wanted.order_by(Call.began_at.desc()).limit(MOST_CALLS + 1)
    these = wanted.with_only_columns(Call.id)
    found = Figures()
    async with store.reading() as connection:
        calls = (await connection.execute(wanted.with_only_columns(*_COLUMNS))).all()
        found.whole = len(calls) <= MOST_CALLS
        replies = await _replies(connection, these)
        interrupted = await _interrupted(connection, these)
        after = await _after(connection, these)
        await _tools(connection, these, found)
    for call in calls[:MOST_CALLS]:
        costs, latencies, unpriced = replies.get(call.id, (0.0, [], 0))
        found.unpriced += unpriced
        outcome = outcome_of(call.end_reason)
        found.channels[call.channel] += 1
        found.outcomes[outcome] += 1
        goals, after_usd = after.get(call.id, (None, 0.0))
        day = int((call.began_at + zone_s) // DAY_S)
        for tally in (found.total, found.days[day], found.agents[call.agent]):
            tally.calls += 1
            tally.seconds += max(0.0, call.ended_at - call.began_at) if call.ended_at else 0.0
            tally.cost_usd += costs
            tally.failed += outcome in FAILED
            tally.interrupted += call.id in interrupted
            tally.latencies += latencies
            tally.judged += goals not in (None, "unknown")
            tally.achieved += goals == "achieved"
            tally.after_usd += after_usd
    return found


_COLUMNS: Final = (
    Call.id,
    Call.agent,
    Call.channel,
    Call.began_at,
    Call.ended_at,
    Call.end_reason,
)


async def _replies(
    connection: AsyncConnection, these: Select[Any]
) -> Mapping[str, tuple[float, list[float], int]]:
    """By call: what its replies cost, how soon they came, how many have no price."""
    query = select(Reply.call_id, Reply.cost_usd, Reply.first_audio_ms, Reply.output_audio).where(
        Reply.call_id.in_(these)
    )
    costs: dict[str, float] = defaultdict(float)
    latencies: dict[str, list[float]] = defaultdict(list)
    unpriced: Counter[str] = Counter()
    for call_id, cost, ms, output in await connection.execute(query):
        costs[call_id] += cost or 0.0
        unpriced[call_id] += cost is None and output is not None
        if ms is not None:
            latencies[call_id].append(ms)
    return {call_id: (costs[call_id], latencies[call_id], unpriced[call_id]) for call_id in costs}


async def _interrupted(connection: AsyncConnection, these: Select[Any]) -> frozenset[str]:
    query = select(Interruption.call_id).where(Interruption.call_id.in_(these)).distinct()
    return frozenset((await connection.scalars(query)).all())


async def _after(
    connection: AsyncConnection, these: Select[Any]
) -> Mapping[str, tuple[str | None, float]]:
    """By call: what its goals came to, and what it cost to know."""
    query = select(AfterCall.call_id, AfterCall.outcome, AfterCall.cost_usd).where(
        AfterCall.call_id.in_(these)
    )
    found = await connection.execute(query)
    return {call_id: (outcome, cost or 0.0) for call_id, outcome, cost in found}


async def _tools(connection: AsyncConnection, these: Select[Any], found: Figures) -> None:
    query = select(ToolCall.name, ToolCall.state, ToolCall.duration_ms).where(
        ToolCall.call_id.in_(these)
    )
    for name, state, duration_ms in await connection.execute(query):
        tally = found.tools[name]
        tally.calls += 1
        tally.failed += state == "failed"
        if duration_ms is not None:
            tally.durations.append(duration_ms)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of them do not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def histogram(values: Iterable[float], step: float, bins: int) -> list[int]:
    """How many fall into each step; the last bin takes all that is above."""
    counts = [0] * bins
    for value in values:
        counts[min(int(value // step), bins - 1)] += 1
    return counts
