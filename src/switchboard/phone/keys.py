"""Keys that an agent presses for the other end: what the model asks, and what it is told."""

import json
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from switchboard.conversation.events import ToolOutcome

SEND_KEYS: Final = "send_keys"


class _Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: Annotated[str, Meta(pattern=r"^[0-9*#]{1,32}\Z")]


def read_keys(arguments: str) -> str | None:
    """The keys in a tool call's arguments, JSON; `None` where there are none that can be
    pressed."""
    try:
        return msgspec.json.decode(arguments, type=_Keys).keys
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def said(text: str, *, done: bool) -> tuple[str, ToolOutcome]:
    """The tool's answer, JSON, and how it ended."""
    answer = {"status": "ok" if done else "error", "say": text}
    return json.dumps(answer), ToolOutcome.OK if done else ToolOutcome.FAILED
