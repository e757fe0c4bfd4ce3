"""Who may speak now, as a table.

          CALLER_STARTS ───────────▶ CALLER ──CALLER_STOPS──▶ THINKING
NOBODY ── WORK_BEGINS ─────────────▶ THINKING ──AGENT_SOUNDS──▶ AGENT
AGENT  ── AGENT_SILENT ────────────▶ NOBODY
  AGENT  ── AGENT_WAITS ─────────────▶ THINKING
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from switchboard.conversation.commands import Floor


class Cue(Enum):
    CALLER_STARTS = auto()
    CALLER_STOPS = auto()
    WORK_BEGINS = auto()
    """A reply was asked for, or a tool runs."""
    AGENT_SOUNDS = auto()
    AGENT_SILENT = auto()
    """Everything the agent said was heard or cut off, and nothing is being made."""
    AGENT_WAITS = auto()
    """The same, but a tool still runs."""


NEXT: Final[Mapping[tuple[Floor, Cue], Floor]] = {
    (Floor.NOBODY, Cue.CALLER_STARTS): Floor.CALLER,
    (Floor.NOBODY, Cue.CALLER_STOPS): Floor.THINKING,
    (Floor.NOBODY, Cue.WORK_BEGINS): Floor.THINKING,
    (Floor.NOBODY, Cue.AGENT_SOUNDS): Floor.AGENT,
    (Floor.NOBODY, Cue.AGENT_SILENT): Floor.NOBODY,
    (Floor.NOBODY, Cue.AGENT_WAITS): Floor.THINKING,
    (Floor.CALLER, Cue.CALLER_STARTS): Floor.CALLER,
    (Floor.CALLER, Cue.CALLER_STOPS): Floor.THINKING,
    (Floor.CALLER, Cue.WORK_BEGINS): Floor.CALLER,
    (Floor.CALLER, Cue.AGENT_SOUNDS): Floor.CALLER,  # the caller keeps what the caller took
    (Floor.CALLER, Cue.AGENT_SILENT): Floor.CALLER,
    (Floor.CALLER, Cue.AGENT_WAITS): Floor.CALLER,
    (Floor.THINKING, Cue.CALLER_STARTS): Floor.CALLER,
    (Floor.THINKING, Cue.CALLER_STOPS): Floor.THINKING,
    (Floor.THINKING, Cue.WORK_BEGINS): Floor.THINKING,
    (Floor.THINKING, Cue.AGENT_SOUNDS): Floor.AGENT,
    (Floor.THINKING, Cue.AGENT_SILENT): Floor.NOBODY,
    (Floor.THINKING, Cue.AGENT_WAITS): Floor.THINKING,
    (Floor.AGENT, Cue.CALLER_STARTS): Floor.CALLER,
    (Floor.AGENT, Cue.CALLER_STOPS): Floor.THINKING,  # typed: the agent was silenced for it
    (Floor.AGENT, Cue.WORK_BEGINS): Floor.AGENT,
    (Floor.AGENT, Cue.AGENT_SOUNDS): Floor.AGENT,
    (Floor.AGENT, Cue.AGENT_SILENT): Floor.NOBODY,
    (Floor.AGENT, Cue.AGENT_WAITS): Floor.THINKING,
}
"""Total on purpose: a service may send anything in any order, and a call must survive it."""
