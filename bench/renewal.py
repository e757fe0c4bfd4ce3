"""What a lost model session costs the caller: the silence from the loss to the agent's next sound.

A caller asks the offline agent questions that take a tool; the line between the product and the
local cloud is cut at one moment or another of every turn, and every sixth turn is left in peace.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.losses import MOMENTS, Cutter, Loss, calling, turn
from bench.processes import PYTHON, answering, free_port, running
from bench.report import percentile

TURNS_A_CALL: Final = 12
_HEADER: Final = "bench"
_CLOUD: Final = {
    "IDENTITY_HEADER": _HEADER,
    "LOCAL_VOICE": "fixed",
    "LOCAL_EARS": "fixed",
    "LOCAL_MIND": "offline",
}


async def run(*, turns: int = 60) -> dict[str, Any]:
    """`turns` turns, in calls of a dozen."""
    found: dict[str, list[Loss]] = defaultdict(list)
    async with _town() as (address, cutter):
        for first in range(0, turns, TURNS_A_CALL):
            async with calling(address) as caller:
                for number in range(first, min(first + TURNS_A_CALL, turns)):
                    loss = await turn(caller, cutter, number, _moment(number))
                    found[loss.moment].append(loss)
    # After the whole answer was made there is no silence: that moment only counts apologies.
    lost = [loss for name in ("asked", "tool", "sounds", "quiet") for loss in found[name]]
    return {
        "from the loss to the agent's next sound, milliseconds": [
            *(_row(name, losses) for name, losses in sorted(found.items())),
            _row("all losses before the answer was whole", lost),
        ]
    }


def _moment(number: int) -> str | None:
    moments = (*MOMENTS, None)
    return moments[number % len(moments)]


def _row(name: str, losses: list[Loss]) -> dict[str, Any]:
    gaps = [loss.gap_ms for loss in losses] or [0.0]
    return {
        "cut when": name,
        "turns": len(losses),
        "p50": percentile(gaps, 50),
        "p99": percentile(gaps, 99),
        "apologies": sum(loss.apologies for loss in losses),
    }


@asynccontextmanager
async def _town() -> AsyncGenerator[tuple[str, Cutter]]:
    """The local cloud, the product, and what cuts the line between them."""
    cloud_port, port = free_port(), free_port()
    cutter = Cutter(cloud_port)
    with TemporaryDirectory() as scratch:
        place = Path(scratch)
        cloud = [PYTHON, "-m", "switchboard_local", "serve"]
        product = [PYTHON, "-m", "switchboard", "serve"]
        async with (
            cutter.open(),
            running(cloud, {**_CLOUD, "LOCAL_CLOUD_PORT": str(cloud_port)}, place / "cloud") as one,
        ):
            await answering(f"http://127.0.0.1:{cloud_port}/health", one, place / "cloud")
            environment = {
                "PORT": str(port),
                "AZURE_OPENAI_ENDPOINT": f"http://127.0.0.1:{cutter.port}",
                "IDENTITY_ENDPOINT": f"http://127.0.0.1:{cloud_port}/msi/token",
                "IDENTITY_HEADER": _HEADER,
                "DATA_DIR": str(place / "data"),
            }
            async with running(product, environment, place / "product") as two:
                address = f"http://127.0.0.1:{port}"
                await answering(f"{address}/health", two, place / "product")
                yield address, cutter
