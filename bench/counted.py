"""The product as it is, but that it writes how many tasks it has when it is sent SIGUSR1.

Usage: python -m bench.counted serve
"""

import asyncio
import signal
import sys
from types import FrameType

from switchboard.__main__ import main


def _tell(_number: int, _frame: FrameType | None) -> None:
    print(f"tasks={len(asyncio.all_tasks())}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell)
    sys.exit(main())
