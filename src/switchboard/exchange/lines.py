"""What the conversation asks of the telephone's line, and what became of it."""

import logging
from typing import Final

import anyio

from switchboard.conversation.commands import (
    HandOver,
    LineCommand,
    RingHuman,
    RunTool,
    TransferCall,
)
from switchboard.conversation.events import LineOutcome, LineTold, ToolOutcome
from switchboard.conversation.legs import Line, Rung
from switchboard.tools.answer import failure_text

logger = logging.getLogger(__name__)

LINE_S: Final = 180.0
"""How long the line may take to ring somebody: longer than any carrier rings."""
TOOL_S: Final = 30.0


async def ask_line(line: Line | None, call_id: str, command: LineCommand) -> LineTold:
    """What became of it, in bounded time. `call_id` is the call's own."""
    rung = Rung(LineOutcome.NO_ANSWER)
    with anyio.move_on_after(LINE_S):
        try:
            rung = await _ask(line, call_id, command) if line else Rung(LineOutcome.FAILED)
        except Exception:
            # A busy store, say. The caller is still there, and the agent can tell them.
            logger.exception("line failed", extra={"call": call_id})
            rung = Rung(LineOutcome.FAILED)
    return LineTold(command.call_id, rung.outcome, rung.apart)


async def use_line(line: Line, call_id: str, tool: RunTool) -> tuple[str, ToolOutcome]:
    """What one of the telephone's own tools said, in bounded time: JSON text for the model."""
    with anyio.move_on_after(TOOL_S):
        try:
            return await line.use(call_id, tool.name, tool.arguments)
        except Exception:
            # As above: it is one tool that failed, and the model is told so.
            logger.exception("line failed", extra={"call": call_id})
            return failure_text("The telephone could not do that."), ToolOutcome.FAILED
    return failure_text("The telephone took too long."), ToolOutcome.TIMED_OUT


async def _ask(line: Line, call_id: str, command: LineCommand) -> Rung:
    match command:
        case TransferCall(_, human):
            return Rung(await line.transfer(call_id, human))
        case RingHuman(_, human):
            return await line.ring(call_id, human)
        case HandOver():
            return Rung(await line.hand_over(call_id))
