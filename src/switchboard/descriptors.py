"""Open files: each socket is one, and systems allow few until they are asked."""

import logging
import sys
from pathlib import Path
from typing import Final

import anyio

if sys.platform != "win32":
    import resource

logger = logging.getLogger(__name__)

BESIDE: Final = 256
"""For what is no socket, and for those who are being turned away."""

LOOK_S: Final = 5.0
FEW: Final = 0.9
"""Share of the open files allowed beyond which somebody ought to know."""
_OPEN: Final = Path("/proc/self/fd")


async def watch() -> None:
    """Say when this process has hardly an open file left, and when it has some again.

    The event loop hangs up on those who come then, without a word.
    """
    few = False
    while _OPEN.exists():
        before, few = few, are_few()
        if few != before:
            logger.log(
                logging.ERROR if few else logging.INFO,
                "no open files are left" if few else "open files are left again",
                extra={"allowed": _allowed(), "remedy": "ulimit -n, or fewer callers"},
            )
        await anyio.sleep(LOOK_S)


def are_few() -> bool:
    """Whether nearly all the files are open that may be."""
    try:
        return sum(1 for _ in _OPEN.iterdir()) > FEW * _allowed()
    except OSError:  # to look takes one as well
        return True


def _allowed() -> float:
    if sys.platform == "win32":
        return float("inf")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return float("inf") if soft == resource.RLIM_INFINITY else soft


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
