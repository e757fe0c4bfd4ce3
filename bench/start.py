"""Process start to ready: how long the product, and the local cloud, take until they answer."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.processes import PYTHON, answering, free_port, resident_mib, running
from bench.relay import product_environment, standing_in


async def run(*, runs: int = 5) -> dict[str, Any]:
    """Start each `runs` times, with an empty data directory, and wait for its `/health`."""
    async with standing_in() as (model, _):
        product = [await _product(model) for _ in range(runs)]
    cloud = [await _cloud() for _ in range(runs)]
    rows = [_row("product", product), _row("local cloud, engine loaded", cloud)]
    return {"process start to the first 200 of /health": rows}


def _row(what: str, starts: list[tuple[float, float]]) -> dict[str, Any]:
    seconds = [took for took, _ in starts]
    return {
        "process": what,
        "runs": len(starts),
        "median s": median(seconds),
        "best s": min(seconds),
        "worst s": max(seconds),
        "resident MiB": median(memory for _, memory in starts),
    }


async def _product(model: str) -> tuple[float, float]:
    port = free_port()
    with TemporaryDirectory() as data:
        environment = product_environment(port, model, Path(data))
        return await _start([PYTHON, "-m", "switchboard", "serve"], environment, port)


async def _cloud() -> tuple[float, float]:
    port = free_port()
    environment = {"LOCAL_CLOUD_PORT": str(port)}
    return await _start([PYTHON, "-m", "switchboard_local", "serve"], environment, port)


async def _start(
    command: list[str], environment: Mapping[str, str], port: int
) -> tuple[float, float]:
    """Seconds until it answers, and its resident memory in MiB by then."""
    with TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        async with running(command, environment, log) as process:
            took = await answering(f"http://127.0.0.1:{port}/health", process, log)
            return took, resident_mib(process.pid)
