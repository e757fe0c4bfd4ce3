"""What a server held while it was warm, while it worked, and when it was at rest again."""

import statistics
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from tests.soak.town import Holdings, Served

SAMPLE_S = 0.5
STABLE_SAMPLES = 4
REST_S = 60.0
"""For what calls held to be given back. A bound, not a target."""


@dataclass
class Watch:
    """One server, from its warm-up to its rest."""

    server: Served
    warm: Holdings | None = None
    samples: list[Holdings] = field(default_factory=list[Holdings])
    rested: Holdings | None = None

    async def keep(self) -> None:
        """Sample until cancelled."""
        while True:
            self.samples.append(self.server.holdings())
            await anyio.sleep(SAMPLE_S)

    async def settle(self) -> Holdings:
        """What it holds once it has given back what it will."""
        held, unchanged = self.server.holdings(), 0
        with anyio.move_on_after(REST_S):
            while unchanged < STABLE_SAMPLES or not self._is_back(held):
                await anyio.sleep(SAMPLE_S)
                now = self.server.holdings()
                unchanged = unchanged + 1 if now.open == held.open else 0
                held = now
        return held

    def _is_back(self, held: Holdings) -> bool:
        """No more than when it was warm. The first time there is nothing to compare with."""
        return self.warm is None or all(
            now <= then for now, then in zip(held.open, self.warm.open, strict=True)
        )

    def rss_mib(self, fifth: int) -> float:
        """The mean resident memory in one fifth of the work, 0 to 4."""
        size = len(self.samples) // 5
        return statistics.mean(
            held.rss_mib for held in self.samples[fifth * size : (fifth + 1) * size]
        )

    def cpu_cores(self) -> float:
        """How many cores it kept busy while it worked."""
        first, last = self.samples[0], self.samples[-1]
        return (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s)


async def empty(server: Served) -> bool:
    """Wait until a server carries nothing; whether it came to that."""
    with anyio.move_on_after(REST_S):
        while _carried(await anyio.to_thread.run_sync(server.health)):  # noqa: ASYNC110  (asks)
            await anyio.sleep(0.1)
        return True
    return False


def _carried(state: dict[str, object]) -> object:
    """The product counts live calls, the cloud its sessions."""
    match state:
        case {"calls": {"live": int(live)}}:
            return live
        case {"sessions": int(sessions)}:
            return sessions
        case _:
            raise AssertionError(f"no count in {state}")
