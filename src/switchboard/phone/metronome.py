"""One beat for every playout of the process: no timer and no task for each call."""

from collections.abc import Callable
from typing import Final

import anyio

BEAT_S: Final = 0.02


class Metronome:
    """Calls whoever has something to play, every 20 ms or so. What is late is made up by count."""

    def __init__(self, beat_s: float = BEAT_S) -> None:
        self._beat_s = beat_s
        self._players: dict[Callable[[], None], None] = {}
        self._wanted = anyio.Event()

    def join(self, player: Callable[[], None]) -> None:
        """Call this at every beat. It must not raise, nor take long."""
        self._players[player] = None
        self._wanted.set()

    def leave(self, player: Callable[[], None]) -> None:
        self._players.pop(player, None)

    @property
    def rests(self) -> bool:
        """Nobody plays."""
        return not self._players

    def beat(self) -> None:
        for player in tuple(self._players):
            player()

    async def run(self) -> None:
        """Beat until cancelled; rest while nobody plays."""
        while True:
            if self.rests:
                self._wanted = anyio.Event()
                await self._wanted.wait()
            await anyio.sleep(self._beat_s)
            self.beat()
