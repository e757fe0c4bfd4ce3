"""The tool that ends a call."""

import json
import re
from collections.abc import Sequence

from switchboard_local.mind.catalogue import Tool
from switchboard_local.mind.schema import arguments_fit


def hang_up_tool(tools: Sequence[Tool]) -> tuple[str, str] | None:
    """The tool that ends the call, with arguments for it, where the session has one."""
    for tool in tools:
        written = f"{' '.join(tool.title_words)}. {tool.gist}".lower()
        if re.search(
            r"\b(?:hang up|hangup|end(?:s|ing)? (?:the |this )?(?:phone )?call|disconnect)\b",
            written,
        ):
            arguments = _farewell_arguments(tool)
            if arguments_fit(arguments, tool):
                return tool.name, json.dumps(arguments, ensure_ascii=False)
    return None


def _farewell_arguments(tool: Tool) -> dict[str, object]:
    made: dict[str, object] = {}
    for slot in tool.required:
        made[slot.name] = slot.choices[0] if slot.choices else "The caller said goodbye."
    return made
