"""How long the doctor waits, and how it waits for what cannot be interrupted."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import anyio


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for each wait."""

    connect_s: float = 5.0
    """For a name, for a connection, for TLS: each."""
    answer_s: float = 8.0
    """For the answer to one upgrade or request."""
    first_word_s: float = 3.0
    """For what an accepted session says first."""
    token_s: float = 15.0
    """For a token: `az` takes a few seconds, a machine without managed identity up to five."""
    local_s: float = 10.0
    """For files, tools and the database."""


async def aside[T](work: Callable[[], T], patience_s: float) -> T:
    """What `work` returns or raises, from a thread that nobody waits for beyond `patience_s`.

    A resolver or a tool file may hang. Unlike a pool's threads, this one does not keep the process
    from ending. Raises `TimeoutError`.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(outcome: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(outcome)  # pyright: ignore[reportArgumentType]  (of type T where there is no error)
        else:
            done.set_exception(error)

    def run() -> None:
        outcome, error = None, None
        try:
            outcome = work()
        except BaseException as reason:  # noqa: BLE001  # raised again by whoever waits
            error = reason
        with suppress(RuntimeError):  # nobody is left to be told
            loop.call_soon_threadsafe(settle, outcome, error)

    threading.Thread(target=run, daemon=True, name="doctor").start()
    with anyio.fail_after(patience_s):
        return await done
