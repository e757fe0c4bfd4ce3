"""What the conversation asks of the telephone's line, and what became of it."""

import logging
from typing import Final

import anyio

from switchboard.conversation.commands import HandOver, LineCommand, RingHuman, TransferCall
from switchboard.conversation.events import LineOutcome, LineTold
from switchboard.conversation.legs import Line, Rung

logger = logging.getLogger(__name__)

LINE_S: Final = 180.0
"""How long the line may take to ring somebody: longer than any carrier rings."""


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


async def _ask(line: Line, call_id: str, command: LineCommand) -> Rung:
    match command:
        case TransferCall(_, human):
            return Rung(await line.transfer(call_id, human))
        case RingHuman(_, human):
            return await line.ring(call_id, human)
        case HandOver():
            return Rung(await line.hand_over(call_id))
