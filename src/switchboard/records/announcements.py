"""What PostgreSQL announces to this server: a connection of its own that listens, and comes back.

What is announced while it is away is lost: whoever listens reads the rows again.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

import anyio

from switchboard.records.store import Store

logger = logging.getLogger(__name__)

PROBE_S: Final = 10.0
"""A connection that is silent for so long is asked whether it is still one."""
PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Before it is tried again."""
CLOSE_S: Final = 2.0


class Announcements:
    """`heard` is called with each text, `again` whenever it listens anew. Neither may wait."""

    def __init__(
        self,
        store: Store,
        channel: str,
        *,
        heard: Callable[[str], None],
        again: Callable[[], None],
        probe_s: float = PROBE_S,
    ) -> None:
        self._store = store
        self._channel = channel
        self._heard = heard
        self._again = again
        self._probe_s = probe_s
        self.listening = False

    async def run(self) -> None:
        """Listen, until cancelled."""
        tries = 0
        while True:
            try:
                await self._listen()
            except Exception as reason:  # noqa: BLE001  (a database that is away, in any way)
                if not tries:
                    extra = {"error": type(reason).__name__}
                    logger.warning("the bus is away", extra=extra)
                tries += 1
            else:
                tries = 0
            await anyio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])

    async def _listen(self) -> None:
        """Until the connection is lost."""
        connection = await self._store.connected()
        lost = anyio.Event()
        try:

            def gone(_: Any) -> None:  # noqa: ANN401  (the driver's)
                lost.set()

            connection.add_termination_listener(gone)
            await connection.add_listener(self._channel, self._take)
            self.listening = True
            self._again()
            while not lost.is_set():
                with anyio.move_on_after(self._probe_s):
                    await lost.wait()
                if not lost.is_set():
                    await connection.fetchval("SELECT 1")
            logger.warning("the bus was cut off")
        finally:
            self.listening = False
            with anyio.move_on_after(CLOSE_S, shield=True):
                await connection.close()
            connection.terminate()

    def _take(self, _connection: Any, _pid: int, _channel: str, text: str) -> None:  # noqa: ANN401  (the driver's)
        self._heard(text)
