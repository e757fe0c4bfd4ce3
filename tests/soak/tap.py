"""A relay between the product and the realtime service that counts what passes, call by call."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
import msgspec
from anyio.abc import TaskGroup
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from switchboard.conversation.audio import base64_size_bytes

APPEND = b'"input_audio_buffer.append"'
AUDIO = b'"response.output_audio.'
DIAL_S = 45.0
HEAD_BYTES = 120
"""An event names its type before this."""


class _Audio(msgspec.Struct):
    """`response.output_audio.delta` and `.done`."""

    item_id: str
    delta: str = ""


@dataclass
class ModelLine:
    """What passed between the product and the model in one call."""

    frames: int = 0
    """Of the caller's audio."""
    audio_bytes: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    """Of the agent's, item by item."""
    complete: set[str] = field(default_factory=set[str])
    """Items of which the model has sent all audio."""
    is_open: bool = True


@dataclass
class Tap:
    """Stands where the product believes the service to be."""

    cloud_port: int
    lines: list[ModelLine] = field(default_factory=list[ModelLine])

    @property
    def open_lines(self) -> int:
        return sum(line.is_open for line in self.lines)

    async def line(self, number: int) -> ModelLine:
        """The line that is the `number`th to be opened, counted from 0; waits for it."""
        with anyio.fail_after(DIAL_S):
            while len(self.lines) <= number:  # noqa: ASYNC110  (it has no event)
                await anyio.sleep(0.005)
        return self.lines[number]

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Server]:
        # No pings of its own: it only stands in between.
        async with serve(
            self._relay, "127.0.0.1", 0, max_size=None, compression=None, ping_interval=None
        ) as server:
            yield server

    async def _relay(self, product: ServerConnection) -> None:
        assert product.request is not None
        line = ModelLine()
        self.lines.append(line)
        try:
            async with (
                connect(
                    f"ws://127.0.0.1:{self.cloud_port}{product.request.path}",
                    additional_headers={"Authorization": product.request.headers["Authorization"]},
                    max_size=None,
                    compression=None,
                    ping_interval=None,
                    proxy=None,
                ) as model,
                anyio.create_task_group() as tasks,
            ):
                tasks.start_soon(_carry, product, model, partial(_from_caller, line), tasks)
                tasks.start_soon(_carry, model, product, partial(_from_model, line), tasks)
        finally:
            line.is_open = False


async def _carry(
    source: Connection, sink: Connection, count: Callable[[bytes], None], tasks: TaskGroup
) -> None:
    """Pass frames on until one side is gone; then the other is hung up on."""
    try:
        while True:
            frame = await source.recv(decode=False)
            await sink.send(frame, text=True)
            count(frame)
    except ConnectionClosed:
        tasks.cancel_scope.cancel()


def _from_caller(line: ModelLine, frame: bytes) -> None:
    if APPEND in frame[:HEAD_BYTES]:
        line.frames += 1


def _from_model(line: ModelLine, frame: bytes) -> None:
    if AUDIO not in frame[:HEAD_BYTES]:
        return
    audio = msgspec.json.decode(frame, type=_Audio)
    if audio.delta:
        line.audio_bytes[audio.item_id] += base64_size_bytes(audio.delta)
    else:
        line.complete.add(audio.item_id)
