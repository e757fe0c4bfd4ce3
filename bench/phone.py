"""A telephone's first sound, from the answer to the first frame of the agent's; and how soon it
falls silent, from the model's `speech_started` to the carrier's `StopAudio`.

The stand-in model takes `session_ms` to configure a session, the carrier `media_ms` from the answer
to the media socket, as services do that are far away. The caller speaks all the time, and what the
agent says first is what the model gives back once it is asked for a greeting. They speak over each
other: each barge-in cuts a reply that is being heard, and the next one begins at once.

`--set against=DIR` measures the product in another tree too, in rounds that alternate.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
import msgspec

from bench.processes import PYTHON, answering, free_port, running
from bench.relay import product_environment, standing_in
from bench.report import percentile
from bench.trunk import FRAME_S, Telephone, Trunk, keep_talking, trunk

_PATIENCE_S: Final = 10.0
_SOUNDS_FRAMES: Final = 15
"""So much of a reply is sent before it is cut: more than what may lie unheard."""


async def run(
    *,
    calls: int = 20,
    barge_ins: int = 200,
    session_ms: int = 200,
    media_ms: int = 250,
    against: str = "",
) -> dict[str, Any]:
    """Measure. `calls` in each tree, one after another; then `barge_ins` in one call."""
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
        stops = {
            name: await _stops_ms(carrier, model, barge_ins) for name, carrier in carriers.items()
        }
    rows = [
        {"product": name, "calls": len(times), "p50 ms": median(times),
         "p99 ms": percentile(times, 99), "of which the carrier's ms": media_ms}
        for name, times in found.items()
    ]  # fmt: skip
    silences = [
        {"product": name, "barge-ins": len(times), "p50 ms": median(times),
         "p99 ms": percentile(times, 99), "longest ms": max(times)}
        for name, times in stops.items()
    ]  # fmt: skip
    return {
        "answer to first sound": rows,
        "speech_started to StopAudio": silences,
        "session ms": session_ms,
        "load": os.getloadavg()[0],
    }


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


async def _stops_ms(carrier: Trunk, model: str, times: int) -> list[float]:
    """How long `StopAudio` took each time that the model said that the caller speaks."""
    telephone = await carrier.ring()
    found: list[float] = []
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as tasks:
        talking = tasks.create_task(keep_talking([telephone], times * _PATIENCE_S))
        for _ in range(times):
            async with asyncio.timeout(_PATIENCE_S):
                await _sounds(telephone)
                telephone.stopped.clear()
                answer = await client.get(f"{model}/speech")
                await telephone.stopped.wait()
            [said_ns] = msgspec.json.decode(answer.content, type=list[int])
            found.append((telephone.stops_ns[-1] - said_ns) / 1e6)
        talking.cancel()
    await carrier.hang_up(telephone)
    await telephone.gone.wait()
    return found


async def _sounds(telephone: Telephone) -> None:
    """Until the agent has been heard for a while."""
    frames = telephone.heard_back.frames + _SOUNDS_FRAMES
    while telephone.heard_back.frames < frames:  # noqa: ASYNC110 - a count without events
        await asyncio.sleep(FRAME_S / 2)
