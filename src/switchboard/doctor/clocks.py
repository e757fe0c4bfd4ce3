"""This machine's clock against those of the services."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import anyio
import httpx

from switchboard.doctor.findings import Finding, failed, ok, skipped
from switchboard.doctor.patience import Patience
from switchboard.doctor.services import Asked

_MAX_SKEW_S: Final = 120.0
"""Entra allows five minutes; beyond two something is wrong with the clock."""


async def clock(asked: Asked, patience: Patience) -> Finding:
    """This machine's clock against the service's, asked for without any credentials."""
    check = f"clock against {asked.title}"
    endpoint = asked.endpoint
    address = f"{'https' if endpoint.secure else 'http'}://{endpoint.authority}/"
    try:
        async with httpx.AsyncClient(trust_env=not endpoint.loopback) as http:
            with anyio.fail_after(patience.answer_s):
                before = datetime.now(UTC)
                async with http.stream("GET", address) as answer:  # its body is not waited for
                    after, said = datetime.now(UTC), answer.headers.get("date", "")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        return skipped(check, f"no answer to a plain request ({type(error).__name__})")
    theirs = _date(said)
    if theirs is None:
        return skipped(check, "the service does not say what time it is")
    skew_s = (theirs - (before + (after - before) / 2)).total_seconds()
    if abs(skew_s) > _MAX_SKEW_S:
        how = "behind" if skew_s > 0 else "ahead"
        detail = (
            f"this machine is {abs(skew_s):.0f} s {how}: tokens will seem expired or not yet valid"
        )
        return failed(check, detail, "set the clock, and keep it set by NTP")
    return ok(check, f"within {max(1, round(abs(skew_s)))} s")


def _date(said: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(said)
    except (ValueError, IndexError, TypeError):
        return None
    return read if read.tzinfo else None
