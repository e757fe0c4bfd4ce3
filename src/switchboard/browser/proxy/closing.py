"""Close codes of a proxied connection: which may be sent, and what each of ours means."""

from collections.abc import Mapping
from typing import Final

from switchboard.browser.leg import Close

NORMAL: Final = Close(1000, "")
AWAY: Final = Close(1001, "")
"""What the service is told when we end it."""
LEFT: Final = Close(1001, "the client was lost")
FULL: Final = Close(1013, "every connection is taken; try again in a moment")
TOO_SLOW: Final = Close(1013, "reading too slowly")
SERVICE_TOO_SLOW: Final = Close(4504, "the service takes nothing any more")
STOPPING: Final = Close(1012, "the server is being stopped")
SERVICE_LOST: Final = Close(1014, "the service was lost")
IDLE: Final = Close(4408, "no message for too long")
OVER: Final = Close(4410, "the longest allowed time is over")
TOKEN_OVER: Final = Close(4401, "the token has expired")
NO_IDENTITY: Final = Close(4503, "the server has no credentials for the service just now")
UNREACHABLE: Final = Close(4502, "the service cannot be reached")
NO_ANSWER: Final = Close(4504, "the service did not answer in time")
FAULT: Final = Close(1011, "internal error")

_REFUSED: Final[Mapping[int, Close]] = {
    401: Close(4401, "the service did not accept the credentials"),
    403: Close(4403, "the service does not allow this"),
    404: Close(4404, "the service does not know this model or agent"),
    429: Close(4429, "the service is out of quota; try again shortly"),
}
_SENDABLE: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
_NO_CODE: Final = 1005
_MAX_REASON_BYTES: Final = 123


def refused(status: int | None) -> Close:
    """What a client hears when the upgrade upstream is answered with this HTTP status."""
    if status is None:
        return UNREACHABLE
    if status in _REFUSED:
        return _REFUSED[status]
    if status >= 500:
        return Close(4502, "the service is in trouble; try again shortly")
    return Close(4400, "the service refused the connection")


def carried(code: int, reason: str, *, lost: Close) -> Close:
    """A close frame as the other side may be sent it; `lost` where there was none."""
    if code == _NO_CODE:
        return NORMAL
    if code not in _SENDABLE:
        return lost
    short = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
    return Close(code, short)
