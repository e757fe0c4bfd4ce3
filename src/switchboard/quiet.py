"""Tasks that end without a trace when they are cancelled."""

from asyncio import CancelledError, current_task
from collections.abc import Awaitable, Callable


async def quietly(work: Callable[[], Awaitable[object]]) -> None:
    """The whole of a task that its own group cancels.

    anyio keeps the error of a cancelled task in a circle with a frame of its own, and so all that
    the task held waits for the collector. At the very end of a task nobody misses that error; but
    one that no cancellation of the task has caused is told to the group.
    """
    try:
        await work()
    except CancelledError:
        task = current_task()
        if task is None or not task.cancelling():
            raise
