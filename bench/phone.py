"""A telephone call's first sound: from the answer to the first frame of the agent's.

The stand-in model takes `session_ms` to configure a session, the carrier `media_ms` from the answer
to the media socket, as services do that are far away. The caller speaks all the time, and what the
agent says first is what the model gives back once it is asked for a greeting.

`--set against=DIR` measures the product in another tree too, in rounds that alternate.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.processes import PYTHON, answering, free_port, running
from bench.relay import product_environment, standing_in
from bench.report import percentile
from bench.trunk import Trunk, keep_talking, trunk

_PATIENCE_S = 10.0


async def run(
    *, calls: int = 20, session_ms: int = 200, media_ms: int = 250, against: str = ""
) -> dict[str, Any]:
    """Measure. `calls` in each tree, one after another."""
    os.environ["STANDIN_SESSION_MS"] = str(session_ms)
    trees = {"this tree": Path.cwd(), **({"the other": Path(against)} if against else {})}
    found: dict[str, list[float]] = {name: [] for name in trees}
    async with AsyncExitStack() as stack:
        model, _ = await stack.enter_async_context(standing_in())
        carriers = {
            name: await _product(stack, model, tree, media_ms / 1_000)
            for name, tree in trees.items()
        }
        for _ in range(calls):
            for name, carrier in carriers.items():
                found[name].append(await _first_sound_ms(carrier))
    rows = [
        {"product": name, "calls": len(times), "p50 ms": median(times),
         "p99 ms": percentile(times, 99), "of which the carrier's ms": media_ms}
        for name, times in found.items()
    ]  # fmt: skip
    return {"answer to first sound": rows, "session ms": session_ms}


async def _product(stack: AsyncExitStack, model: str, tree: Path, media_s: float) -> Trunk:
    """The product in a tree, with a carrier of its own that it answers."""
    carrier = await stack.enter_async_context(trunk(media_s))
    port = free_port()
    carrier.product = f"http://127.0.0.1:{port}"
    folder = Path(stack.enter_context(TemporaryDirectory()))
    environment = {
        **product_environment(port, model, folder / "data"),
        **carrier.environment(carrier.product),
        "PYTHONPATH": str(tree / "src"),
        "ALLOW_ANONYMOUS": "true",
    }
    serve, log = [PYTHON, "-m", "switchboard", "serve"], folder / "log"
    process = await stack.enter_async_context(running(serve, environment, log))
    await answering(f"{carrier.product}/health", process, log)
    await carrier.opened()
    return carrier


async def _first_sound_ms(carrier: Trunk) -> float:
    telephone = await carrier.ring()
    async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as tasks:
        talking = tasks.create_task(keep_talking([telephone], _PATIENCE_S))
        await telephone.first_sound.wait()
        talking.cancel()
    await carrier.hang_up(telephone)
    await telephone.gone.wait()
    assert telephone.first_sound_at is not None
    return (telephone.first_sound_at - telephone.answered_at) * 1_000
