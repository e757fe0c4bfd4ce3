"""Tasks that end without a trace when they are cancelled."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable


async def quietly(work: Callable[[], Awaitable[object]]) -> None:
    """The whole of a task that its own group cancels.

    anyio keeps the error of a cancelled task in a circle with a frame of its own, and so all that
    the task held waits for the collector. At the very end of a task nobody misses that error.
    """
    try:
        await work()
    except CancelledError:
        return
