"""What a request asks for in its query: bounded, and of a known shape."""

import re
import time
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from switchboard.browser.problems import Refusal
from switchboard.console.protocol import MAX_SEARCH
from switchboard.records.past import Search

CALL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
NUMBER: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?")
CURSOR: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)~([A-Za-z0-9_-]{1,64})")
LATEST_S: Final = 4_102_444_800.0
"""The year 2100: no day after it, nor before 1970, has calls, and few of them have a date."""
LONGEST_S: Final = 92 * 86_400.0
USUAL_S: Final = 7 * 86_400.0
MOST_ZONE_MIN: Final = 14 * 60


@dataclass(frozen=True, slots=True)
class Days:
    """The days an overview is of. Epoch seconds."""

    since: float
    until: float
    agent: str | None
    zone_s: float
    """How far the asker's clock is ahead of UTC."""


def asked_history(request: Request) -> Search:
    """Raises `Refusal`."""
    words = (_said(request, "q") or "").strip()
    if len(words) > MAX_SEARCH or "\0" in words:
        raise Refusal(400, "misunderstood", f"Search for at most {MAX_SEARCH} characters.")
    before = _said(request, "before")
    cursor = None
    if before is not None:
        if (parts := CURSOR.fullmatch(before)) is None:
            raise _odd("before")
        cursor = (float(parts[1]), parts[2])
    return Search(
        words=words or None,
        agent=_name(request, "agent"),
        channel=_name(request, "channel"),
        outcome=_name(request, "outcome"),
        goals=_name(request, "goals"),
        since=_time(request, "since"),
        until=_time(request, "until"),
        before=cursor,
    )


def asked_overview(request: Request) -> Days:
    """Raises `Refusal`."""
    until = _time(request, "until")
    until = time.time() if until is None else until
    since = _time(request, "since")
    since = until - USUAL_S if since is None else since
    if not 0 < until - since <= LONGEST_S:
        raise Refusal(400, "misunderstood", "An overview is of one day to three months.")
    zone = _number(request, "zone") or 0.0
    if abs(zone) > MOST_ZONE_MIN:
        raise _odd("zone")
    return Days(since, until, _name(request, "agent"), zone * 60)


def _said(request: Request, key: str) -> str | None:
    """Once, if at all."""
    match request.query_params.getlist(key):
        case []:
            return None
        case [value]:
            return value
        case _:
            raise _odd(key)


def _name(request: Request, key: str) -> str | None:
    value = _said(request, key)
    if not value:
        return None
    if not NAME.fullmatch(value):
        raise _odd(key)
    return value


def _time(request: Request, key: str) -> float | None:
    """Epoch seconds."""
    at = _number(request, key)
    if at is not None and not 0 <= at <= LATEST_S:
        raise _odd(key)
    return at


def _number(request: Request, key: str) -> float | None:
    value = _said(request, key)
    if value is None:
        return None
    if not NUMBER.fullmatch(value):
        raise _odd(key)
    return float(value)


def _odd(key: str) -> Refusal:
    return Refusal(400, "misunderstood", f"`{key}` is not understood.")
