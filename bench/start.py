"""Process start to ready: how long the product, and the local cloud, take until they answer."""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.processes import PYTHON, answering, free_port, resident_mib, running
from bench.relay import product_environment


async def run(*, runs: int = 5) -> dict[str, Any]:
    """Start each `runs` times, with an empty data directory, and wait for its `/health`."""
    rows = [await _several("product", runs), await _several("local cloud", runs)]
    return {"process start to the first 200 of /health": rows}


async def _several(what: str, runs: int) -> dict[str, Any]:
    starts = [await _once(what) for _ in range(runs)]
    seconds = [took for took, _ in starts]
    return {
        "process": what,
        "runs": runs,
        "median s": median(seconds),
        "best s": min(seconds),
        "worst s": max(seconds),
        "resident MiB": median(memory for _, memory in starts),
    }


async def _once(what: str) -> tuple[float, float]:
    port = free_port()
    with TemporaryDirectory() as scratch:
        command, environment = _process(what, port, Path(scratch, "data"))
        log = Path(scratch, "log")
        async with running(command, environment, log) as process:
            took = await answering(f"http://127.0.0.1:{port}/health", process, log)
            return took, resident_mib(process.pid)


def _process(what: str, port: int, data: Path) -> tuple[list[str], dict[str, str]]:
    if what == "product":
        # Nobody answers at this endpoint: being ready must not depend on the model service.
        nowhere = f"http://127.0.0.1:{free_port()}"
        return [PYTHON, "-m", "switchboard", "serve"], product_environment(port, nowhere, data)
    environment = {"LOCAL_CLOUD_PORT": str(port), "DATA_DIR": str(data)}
    return [PYTHON, "-m", "switchboard_local", "serve"], environment
