"""The whole house over real sockets, with a caller, a scripted model, and an operator's eyes."""

import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from switchboard.app import create_app
from switchboard.console.protocol import LISTEN_PROTOCOL, LISTEN_TICKET
from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import ModelLeg, ReplyAudio
from switchboard.conversation.session import SessionSpec
from switchboard.house import House
from switchboard.settings import Settings
from tests.browser.peers import FRAME, Page, serving
from tests.browser.peers import House as Door
from tests.exchange.legs import Model

ROOT = Path(__file__).parents[2]
WAIT_S = 20.0
CARD = '{"card": "4417"}'


class Obedient(Model):
    """Answers each request for a reply with what it was told last; wants `wish` run once asked."""

    def __init__(self, sound: str = FRAME) -> None:
        super().__init__()
        self.words = "Hello"
        self.sound = sound
        """What each reply sounds like: base64 of 24 kHz, 16 bit."""
        self.wish: tuple[str, str] | None = None
        """A tool's name, and its arguments, for the next reply."""
        self._made = 0

    def __aiter__(self) -> AsyncIterator[e.ModelEvent | ReplyAudio]:
        self.does(e.ModelReady("s1"))
        return super().__aiter__()

    def command(self, command: c.ModelCommand) -> None:
        super().command(command)
        match command:
            case c.AddCallerText(_, text):
                self.words = f"You said: {text}"
            case c.RequestReply(tag, instructions):
                self._reply(tag, instructions or self.words)
            case _:
                pass

    def _reply(self, tag: str, words: str) -> None:
        self._made += 1
        reply, item = f"reply{self._made}", f"item{self._made}"
        usage = e.Usage(input_text=40, input_audio=100, output_text=10, output_audio=50)
        if self.wish is not None:
            (name, arguments), self.wish = self.wish, None
            self.does(
                e.ReplyStarted(reply, tag),
                e.ReplyItemStarted(reply, item, e.ItemKind.FUNCTION_CALL),
                e.ToolRequested(reply, item, f"call{self._made}", name, arguments),
                e.ReplyDone(reply, e.ReplyStatus.COMPLETED, usage=usage),
            )
            return
        self.does(
            e.ReplyStarted(reply, tag),
            e.ReplyItemStarted(reply, item, e.ItemKind.MESSAGE),
            ReplyAudio(reply, item, self.sound),
            e.ReplyWords(reply, item, words, final=True),
            e.ReplyDone(reply, e.ReplyStatus.COMPLETED, usage=usage),
        )


@dataclass
class Models:
    dialled: list[Obedient] = field(default_factory=list[Obedient])
    sound: str = FRAME

    @asynccontextmanager
    async def dial(self, spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
        model = Obedient(self.sound)
        self.dialled.append(model)
        try:
            yield model
        finally:
            model.hang_up()


class Stream:
    """An open event stream, read one message at a time."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self, *types: str) -> dict[str, Any]:
        """The next message, of one of these types."""
        with anyio.fail_after(WAIT_S):
            async for line in self._lines:
                if line.startswith("data: "):
                    message: dict[str, Any] = msgspec.json.decode(line.removeprefix("data: "))
                    if not types or message["type"] in types:
                        return message
        raise AssertionError("the stream is over")

    async def over(self) -> bool:
        """Whether it ends now."""
        with anyio.fail_after(WAIT_S):
            async for _ in self._lines:
                pass
        return True


@dataclass
class Served:
    house: House
    models: Models
    port: int
    http: httpx.AsyncClient

    @asynccontextmanager
    async def caller(self, agent: str = "banking") -> AsyncGenerator[tuple[str, Page, Obedient]]:
        """Somebody on a call, greeted: its id, their page, their agent's model."""
        answer = await self.http.post("/api/calls", json={"agent": agent})
        assert answer.status_code == 201, answer.text
        placed = answer.json()
        way_in = Door(self.port, exchange=None, tickets=self.house.tickets)  # pyright: ignore[reportArgumentType]  (only its address is used)
        async with way_in.dial(placed) as opened:
            page = Page(opened)
            page.ready = await page.next("ready")
            await page.next("audio")
            await heard(page)
            yield placed["call"], page, self.models.dialled[-1]

    @asynccontextmanager
    async def stream(self, path: str, **headers: str) -> AsyncGenerator[Stream]:
        async with self.http.stream("GET", path, headers=headers, timeout=WAIT_S) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield Stream(answer)

    async def act(self, call_id: str, type_: str, **deed: object) -> httpx.Response:
        return await self.http.post(
            f"/api/console/calls/{call_id}/actions", json={"type": type_, **deed}
        )

    async def detail(self, call_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/api/console/calls/{call_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ear(self, call_id: str, ticket: str) -> connect:
        names = [LISTEN_PROTOCOL, LISTEN_TICKET + ticket]
        return connect(
            f"ws://127.0.0.1:{self.port}/api/console/calls/{call_id}/audio",
            origin=f"http://127.0.0.1:{self.port}",  # pyright: ignore[reportArgumentType]  (a text)
            subprotocols=[Subprotocol(name) for name in names],
            proxy=None,
        )

    async def quiet(self) -> None:
        """Wait until no call is left, and all is written."""
        with anyio.fail_after(WAIT_S):
            while self.house.switchboard.live():  # noqa: ASYNC110  (it has no event)
                await anyio.sleep(0.01)
        await self.house.recorder.flush()


async def heard(page: Page, item: str = "item1") -> None:
    """The caller's ear has had all of it, so the agent is silent again."""
    await page.say("played", item=item, ms=20)


async def next_line(page: Page, contains: str) -> dict[str, Any]:
    with anyio.fail_after(WAIT_S):
        while contains not in (line := await page.next("line"))["text"]:
            pass
    return line


async def next_frame(ear: ClientConnection, type_: str) -> dict[str, Any]:
    with anyio.fail_after(WAIT_S):
        while (frame := msgspec.json.decode(await ear.recv()))["type"] != type_:
            pass
    return frame


@asynccontextmanager
async def open_house(
    data_dir: Path,
    *,
    linked: bool = False,
    **settings: Any,  # noqa: ANN401  (any setting)
) -> AsyncGenerator[Served]:
    """`linked`: other servers on its database may reach it."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    if linked:
        settings["replica_url"] = f"http://127.0.0.1:{port}"
    models = Models()
    # Scripted calls are of a fixed week, and must not be too old for the server.
    wanted: dict[str, Any] = {
        "reattach_seconds": 0.3,
        "retention_days": 36_500,
        "session_config": ROOT / "session_config.json",
        "after_calls": False,
        **settings,
    }
    app = create_app(Settings(port=port, data_dir=data_dir, **wanted), dial=models.dial)
    origin = f"http://127.0.0.1:{port}"
    async with (
        serving(app, listener),
        httpx.AsyncClient(base_url=origin, headers={"Origin": origin}, trust_env=False) as http,
    ):
        yield Served(app.state.house, models, port, http)
