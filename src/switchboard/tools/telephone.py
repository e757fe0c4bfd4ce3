"""What every agent may do on the telephone, and only there: call again later, or never.

Whose telephone it is the carrier says; no argument of the model's names a number.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from switchboard.errors import ToolFailed
from switchboard.tools.context import ToolContext
from switchboard.tools.toolbox import Toolbox, tool


@dataclass(frozen=True, slots=True)
class OwnTelephone:
    """The telephone on the other side of this call, as tools may use it."""

    call_back: Callable[[datetime, str], Awaitable[datetime]] | None
    """Promise a call at a time (by the telephone's own clock, where it has no zone), with the
    reason; the time as it was understood. Raises `NotAllowed`. `None`: nobody is rung here."""
    never_again: Callable[[], Awaitable[None]] | None
    """Put its number on the list of those who are not called; `None` for a withheld one."""


@tool(title="Call back later")
async def call_back_later(
    when: Annotated[
        datetime, Field(description="Date and time on the caller's own clock: 2026-11-27T15:00")
    ],
    reason: Annotated[str, Field(min_length=1, max_length=200, description="What it is about")],
    context: ToolContext,
) -> dict[str, str]:
    """Promise to ring this caller again at a time they named, and really do so. Use it only when
    the caller asked for it, and only after they said when."""
    telephone = context.resources.need(OwnTelephone)
    if telephone.call_back is None:
        raise ToolFailed("Calls to this telephone cannot be placed. Say so, and offer another way.")
    at = await telephone.call_back(when, reason)
    return {"status": "promised", "when": f"{at:%A, %Y-%m-%d, %H:%M}"}


@tool(title="Never call again")
async def do_not_call_again(context: ToolContext) -> dict[str, str]:
    """See to it that this caller's own number is never called by us again. Use it when the caller
    says that they do not want to be called any more."""
    telephone = context.resources.need(OwnTelephone)
    if telephone.never_again is None:
        raise ToolFailed(
            "The caller's number is withheld, so nobody knows which one not to call. Say so."
        )
    await telephone.never_again()
    return {"status": "done", "say": "This number will not be called again."}


TELEPHONE_TOOLS: Final = Toolbox(call_back_later, do_not_call_again)
