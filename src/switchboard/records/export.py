"""A call as a file: JSON with everything that is kept of it, WebVTT with what was said.

WebVTT: https://www.w3.org/TR/webvtt1/ (4.1 the file, 4.2.2 cue text and its escapes).
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from switchboard.records.history import CallHistory
from switchboard.records.schema import AfterCall, Base, Item

SCHEMA: Final = "switchboard.call/1"
CHARS_A_SECOND: Final = 15.0
"""About how fast people speak: where a line ends was never recorded."""
SHORTEST_MS: Final = 1_000
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\u200e": "&lrm;", "\u200f": "&rlm;"}


def as_json(call: CallHistory) -> str:
    """Times named `…At` are epoch seconds; `…Ms` count from the call's beginning."""
    parts = {
        "schema": SCHEMA,
        "call": _row(call.call),
        "lines": [_row(item) for item in call.items],
        "toolCalls": [_row(tool) for tool in call.tool_calls],
        "interruptions": [_row(cut) for cut in call.interruptions],
        "replies": [_row(reply) for reply in call.replies],
        "recording": None if call.recording is None else _row(call.recording),
        "after": None if call.after is None else _after(call.after),
    }
    return json.dumps(parts, indent=2, ensure_ascii=False) + "\n"


def _after(after: AfterCall) -> dict[str, Any]:
    row = _row(after)
    for name in ("goals", "fields"):
        row[name] = None if row[name] is None else json.loads(row[name])
    del row["dueAt"]
    return row


def _row(row: Base) -> dict[str, Any]:
    columns = [column.name for column in row.__table__.columns if column.name != "call_id"]
    return {_camel(name): getattr(row, name) for name in columns}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def as_vtt(call: CallHistory) -> str:
    """What was said, and of a line that was cut off what was heard of it. Whose words a cue has is
    its voice: `Caller`, `Agent`."""
    began = datetime.fromtimestamp(call.call.began_at, UTC).isoformat(timespec="seconds")
    note = f"NOTE Call {_escaped(call.call.id)} with {_escaped(call.call.agent)}, began {began}"
    return "\n\n".join(["WEBVTT", note, *_cues(call.items)]) + "\n"


def _cues(items: Sequence[Item]) -> Iterator[str]:
    said = [(max(round(item.began_ms), 0), item, _said(item)) for item in items]
    spoken = sorted((each for each in said if each[2]), key=lambda each: each[0])
    for at, (begin, item, text) in enumerate(spoken):
        lasts = max(round(len(text) / CHARS_A_SECOND * 1_000), SHORTEST_MS)
        later = (other for other, *_ in spoken[at + 1 :] if other > begin)
        end = min(begin + lasts, next(later, begin + lasts))
        voice = f"<v {_escaped(item.speaker.title())}>"
        yield f"{_clock(begin)} --> {_clock(end)}\n{voice}{_escaped(text)}"


def _said(item: Item) -> str:
    text = item.text
    if item.heard_chars is not None and item.heard_chars < len(text):
        heard = text[: item.heard_chars].rstrip()
        text = f"{heard} …" if heard else ""
    # A cue ends at an empty line, and a NUL is no character there.
    return " ".join(text.replace("\0", " ").split())


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


FORMATS: Final = {"json": as_json, "vtt": as_vtt}
