"""Notes, and rows of the records, as the console shows them. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

import msgspec

from switchboard.console import protocol as wire
from switchboard.conversation.commands import NoteLine, NoteTool
from switchboard.records.figures import Figures, Tally, histogram, percentile
from switchboard.records.history import CallHistory
from switchboard.records.outcomes import outcome_of
from switchboard.records.past import Found
from switchboard.records.schema import (
    AfterCall,
    Call,
    Item,
    OperatorAction,
    RecordingRow,
    Reply,
    ToolCall,
    WebhookDelivery,
)
from switchboard.records.whereabouts import OpenCall

MAX_SHOWN_CHARS: Final = 65_536
"""A tool's result longer than this is shown cut: the record has the whole."""
LAST_LINE_CHARS: Final = 160
STEP_MS: Final = 200
STEPS: Final = 16


def line_of(note: NoteLine | Item) -> wire.Line:
    return wire.Line(
        id=note.item_id,
        speaker=cast("Any", str(note.speaker)),
        text=note.text,
        state=cast("Any", str(note.state)),
        began_ms=note.began_ms,
        heard_chars=note.heard_chars,
        typed=note.typed,
    )


def tool_of(note: NoteTool, title: str) -> wire.Tool:
    return _tool(note, note.call_id, title, note.question)


def facts_of(call: Call) -> wire.CallFacts:
    return wire.CallFacts(
        id=call.id,
        agent=call.agent,
        channel=cast("Any", call.channel),
        direction=cast("Any", call.direction),
        caller=call.principal_id,
        model=call.model,
        voice=call.voice,
        began_at=call.began_at,
        ended_at=call.ended_at,
        end_reason=call.end_reason,
        outcome=outcome_of(call.end_reason),
    )


def server_name(replica_id: str) -> str:
    """What a server is called where several share the database."""
    return replica_id[:4]


def written_of(found: OpenCall) -> wire.LiveCall:
    """A live call of a server that cannot be reached."""
    call, last = found.call, found.last
    return wire.LiveCall(
        call=live_facts(call),
        floor="nobody",
        last_line="" if last is None else last.text[-LAST_LINE_CHARS:],
        last_speaker=None if last is None else cast("Any", last.speaker),
        latency_ms=None,
        cost_usd=None,
        asking=0,
        trouble=None,
        written=True,
    )


def live_facts(call: Call) -> wire.CallFacts:
    """Of a call that another server carries."""
    server = None if call.replica_id is None else server_name(call.replica_id)
    return msgspec.structs.replace(facts_of(call), server=server)


def acted_of(deed: OperatorAction, began_at: float) -> wire.Acted:
    return wire.Acted(
        id=deed.id,
        kind=cast("Any", deed.kind),
        by=deed.principal_name,
        at_ms=(deed.at - began_at) * 1_000,
        text=deed.text,
        tool=deed.tool_call_id,
        outcome=cast("Any", deed.outcome),
    )


def detail_of(
    past: CallHistory,
    deeds: Sequence[OperatorAction],
    title_of: Callable[[str], str],
    *,
    audible: bool = False,
) -> wire.CallDetail:
    """A past call, whole; `audible`: the sound of its recording is at hand."""
    began = past.call.began_at
    replies = sorted(past.replies, key=lambda reply: reply.answered_at or 0.0)
    return wire.CallDetail(
        call=facts_of(past.call),
        live=False,
        floor="nobody",
        lines=[line_of(item) for item in past.items],
        tools=[_tool(row, row.tool_call_id, title_of(row.name)) for row in past.tool_calls],
        interruptions=[
            wire.Interruption(cut.item_id, cut.heard_ms, cut.received_ms, cut.at_ms)
            for cut in past.interruptions
        ],
        answers=[_answer(reply, began) for reply in replies if reply.first_audio_ms is not None],
        floors=[],
        notices=[],
        actions=[acted_of(deed, began) for deed in deeds],
        usage=_usage(replies),
        recording=_recording(past.recording, began, audible=audible),
    )


def _recording(
    row: RecordingRow | None, began_at: float, *, audible: bool
) -> wire.Recording | None:
    if row is None:
        return None
    at_ms = max(0.0, (row.began_at - began_at) * 1_000)
    state, kept = cast("Any", row.state), cast("Any", row.kept)
    return wire.Recording(state, kept, at_ms, row.duration_ms, audible)


def past_of(found: Found) -> wire.PastCall:
    return wire.PastCall(
        call=facts_of(found.call),
        lines=found.lines,
        tools=found.tools,
        tools_failed=found.tools_failed,
        interruptions=found.interruptions,
        latency_ms=found.latency_ms,
        cost_usd=found.cost_usd,
        snippet=found.snippet,
        goals=cast("Any", found.goals),
    )


def after_of(row: AfterCall, deliveries: Sequence[WebhookDelivery]) -> wire.After:
    """What a call came to."""
    goals = shown_json(row.goals or "[]")
    fields = shown_json(row.fields or "{}")
    return wire.After(
        state=cast("Any", row.state),
        summary=row.summary,
        outcome=cast("Any", row.outcome),
        goals=[wire.Goal(**goal) for goal in cast("list[Any]", goals)],
        fields=[wire.Field(*pair) for pair in cast("dict[str, Any]", fields).items()],
        error=row.error,
        model=row.model,
        tokens=(row.input_text or 0) + (row.output_text or 0),
        cost_usd=row.cost_usd,
        deliveries=[_delivery(each) for each in deliveries],
    )


def _delivery(row: WebhookDelivery) -> wire.Delivery:
    return wire.Delivery(
        id=row.id,
        event=cast("Any", row.event),
        state=cast("Any", row.state),
        attempts=row.attempts,
        host=row.host,
        status=row.status,
        error=row.error,
        due_at=row.due_at,
        last_at=row.last_at,
    )


def overview_of(
    figures: Figures, days: Iterable[tuple[int, str]], title_of: Callable[[str], str]
) -> wire.Overview:
    """`days` are those asked for, by number and by name."""
    tools = [
        wire.ToolSum(name, title_of(name), tool.calls, tool.failed, percentile(tool.durations, 0.5))
        for name, tool in sorted(figures.tools.items(), key=lambda each: -each[1].calls)
    ]
    return wire.Overview(
        total=_sum("total", figures.total),
        days=[_sum(name, figures.days.get(day, Tally())) for day, name in days],
        agents=[
            _sum(agent, tally)
            for agent, tally in sorted(figures.agents.items(), key=lambda each: -each[1].calls)
        ],
        channels=[wire.Count(*each) for each in figures.channels.most_common()],
        outcomes=[wire.Count(*each) for each in figures.outcomes.most_common()],
        tools=tools,
        latencies=histogram(figures.total.latencies, STEP_MS, STEPS),
        latency_step_ms=STEP_MS,
        unpriced=figures.unpriced,
        whole=figures.whole,
    )


def shown_json(text: str) -> object:
    """JSON text as a value; the raw text, cut if need be, where it is none."""
    if len(text) > MAX_SHOWN_CHARS:
        return f"{text[:2_000]}…"
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text


def _tool(
    row: NoteTool | ToolCall, tool_id: str, title: str, question: str | None = None
) -> wire.Tool:
    return wire.Tool(
        id=tool_id,
        name=row.name,
        title=title,
        state=cast("Any", str(row.state)),
        began_ms=row.began_ms,
        arguments=shown_json(row.arguments),
        result=None if row.result is None else shown_json(row.result),
        duration_ms=row.duration_ms,
        question=question,
    )


def _answer(reply: Reply, began_at: float) -> wire.Answer:
    at_ms = None if reply.answered_at is None else (reply.answered_at - began_at) * 1_000
    return wire.Answer(reply.reply_id, at_ms, reply.first_audio_ms or 0.0, reply.first_heard_ms)


def _usage(replies: Sequence[Reply]) -> wire.Usage:
    used = [reply for reply in replies if reply.output_audio is not None]
    costs = [reply.cost_usd for reply in used if reply.cost_usd is not None]
    return wire.Usage(
        input_text=sum(reply.input_text or 0 for reply in used),
        input_audio=sum(reply.input_audio or 0 for reply in used),
        cached_text=sum(reply.cached_text or 0 for reply in used),
        cached_audio=sum(reply.cached_audio or 0 for reply in used),
        output_text=sum(reply.output_text or 0 for reply in used),
        output_audio=sum(reply.output_audio or 0 for reply in used),
        cost_usd=sum(costs) if costs else None,
        unpriced=len(used) - len(costs),
    )


def _sum(key: str, tally: Tally) -> wire.Sum:
    ordered = sorted(tally.latencies)
    shares = (percentile(ordered, share) for share in (0.5, 0.9, 0.95, 0.99))
    return wire.Sum(
        key=key,
        calls=tally.calls,
        minutes=tally.seconds / 60,
        cost_usd=tally.cost_usd,
        failed=tally.failed,
        interrupted=tally.interrupted,
        latency=wire.Percentiles(len(ordered), *shares),
        judged=tally.judged,
        achieved=tally.achieved,
        after_usd=tally.after_usd,
    )
