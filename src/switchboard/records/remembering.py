"""What the records know of a call that goes on at another server, in the conversation's words."""

from switchboard.conversation.commands import LineState, NoteLine, NoteTool, Speaker, ToolState
from switchboard.conversation.past import Past
from switchboard.records.history import history
from switchboard.records.recordings import RecordingTable
from switchboard.records.schema import Item, ToolCall
from switchboard.records.store import Store

_GOES_ON = ("running", "paused")


async def past_of(store: Store, call_id: str, now: float) -> Past | None:
    """The past of a call, as of `now`, epoch seconds; `None` for one that nobody knows."""
    known = await history(store, call_id)
    if known is None:
        return None
    recording = await RecordingTable(store).of(call_id)
    return Past(
        elapsed_s=max(now - known.call.began_at, 0.0),
        lines=[_line(item) for item in known.items],
        tools=[_tool(call) for call in known.tool_calls],
        cost_usd=sum(reply.cost_usd or 0.0 for reply in known.replies),
        recorded=None if recording is None else recording.state in _GOES_ON,
    )


def _line(item: Item) -> NoteLine:
    return NoteLine(
        item.item_id,
        Speaker(item.speaker),
        item.text,
        LineState(item.state),
        item.began_ms,
        item.heard_chars,
        item.typed,
    )


def _tool(call: ToolCall) -> NoteTool:
    return NoteTool(
        call.tool_call_id,
        call.name,
        call.arguments,
        ToolState(call.state),
        call.began_ms,
        call.result,
        call.duration_ms,
    )
