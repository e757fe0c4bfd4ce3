"""The tools of one call: the toolbox's, and those that the telephone itself runs."""

import logging
from collections.abc import Callable

from switchboard.conversation.commands import RunTool
from switchboard.conversation.events import ToolAnswered
from switchboard.conversation.legs import Line
from switchboard.exchange.lines import use_line
from switchboard.exchange.placed import Placed
from switchboard.exchange.private import CallKeys
from switchboard.tools.context import ToolContext

logger = logging.getLogger(__name__)


class CallTools:
    def __init__(self, placed: Placed, keys: CallKeys, clock: Callable[[], float]) -> None:
        self._placed = placed
        self._keys = keys
        self._clock = clock

    async def run(self, command: RunTool) -> ToolAnswered:
        """Its answer, in bounded time."""
        placed = self._placed
        if placed.line is not None and command.name in placed.brief.line_tools:
            return await self._run_on_line(placed.line, command)
        context = ToolContext(
            call_id=command.call_id,
            principal_id=placed.principal.id,
            principal_name=placed.principal.name,
            agent_id=placed.brief.agent,
            resources=placed.brief.resources,
            keypad=self._keys.keypad,
            entries=self._keys.entries,
        )
        result = await placed.brief.toolbox.run(
            command.name, command.arguments, context, offered=placed.brief.offered
        )
        logger.info(
            "tool answered",
            extra={
                "call": placed.call_id,
                "tool": command.name,
                "outcome": result.outcome.value,
                "duration_ms": round(result.duration_ms, 1),
            },
        )
        return ToolAnswered(command.call_id, result.output, result.outcome, result.duration_ms)

    async def _run_on_line(self, line: Line, command: RunTool) -> ToolAnswered:
        began = self._clock()
        output, outcome = await use_line(line, self._placed.call_id, command)
        took_ms = (self._clock() - began) * 1_000
        return ToolAnswered(command.call_id, output, outcome, took_ms)
