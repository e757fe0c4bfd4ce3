"""Open files: each socket is one, and systems allow few until they are asked."""

import logging
import sys
from typing import Final

if sys.platform != "win32":
    import resource

logger = logging.getLogger(__name__)

BESIDE: Final = 256
"""For what is no socket, and for those who are being turned away."""


def make_room(sockets: int) -> None:
    """Let this process hold `sockets`, as far as it may; say so where it may not."""
    if sys.platform == "win32":
        return  # has no such limit
    wanted = sockets + BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        logger.warning(
            "too few open files are allowed for that many connections",
            extra={"wanted": wanted, "allowed": allowed, "remedy": "ulimit -Hn, or fewer"},
        )
