"""What a tool file needs: `from switchboard.tools import tool`."""

from switchboard.errors import ToolFailed
from switchboard.tools.context import ToolContext
from switchboard.tools.toolbox import tool

__all__ = ["ToolContext", "ToolFailed", "tool"]
