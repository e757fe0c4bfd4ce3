"""An application that a local ACS calls, and the official SDK that calls it."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# (the SDK leaves its keyword arguments untyped)

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from azure.communication.callautomation import MediaStreamingOptions, PhoneNumberIdentifier
from azure.communication.callautomation.aio import CallAutomationClient
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.config import AcsConfig
from switchboard_local.acs.grid import Schema, Subscription
from switchboard_local.acs.people import Phone, PhoneCall
from switchboard_local.acs.serving import Certificates, ServedAcs, serving_acs
from switchboard_local.entra.issuer import Issuer
from switchboard_local.entra.keys import KeyRing
from switchboard_local.serving import serving
from tests.local.tokens import TokenInHand

AGENT = "+15550100"
CALLER = "+15550111"
COLLEAGUE = "+15550122"
RESOURCE = "https://communication.azure.com/"
KEYS = KeyRing()
ISSUER = Issuer("http://127.0.0.1:8100", KEYS)
QUICK = AcsConfig(
    frame_s=0.002,
    retries_s=(0.01, 0.01),
    grid_retries_s=(0.01,),
    media_retries_s=(0.01, 0.02, 0.05, 0.1),
    answer_s=5,
)
"""Ten times as fast as life, and never waiting long."""


@dataclass
class Media:
    """The application's end of a media socket."""

    socket: WebSocket
    headers: Mapping[str, str]
    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, pcm: bytes, *, pascal: bool = False) -> None:
        data = base64.b64encode(pcm).decode()
        frame: dict[str, object] = {"kind": "AudioData", "audioData": {"data": data}}
        if pascal:
            frame = {"Kind": "AudioData", "AudioData": {"Data": data}, "StopAudio": None}
        await self.socket.send_text(json.dumps(frame))

    async def stop_audio(self) -> None:
        frame = {"kind": "StopAudio", "audioData": None, "stopAudio": {}}
        await self.socket.send_text(json.dumps(frame))

    def audio(self, *, silent: bool | None = None) -> list[dict[str, Any]]:
        found = [each["audioData"] for each in self.frames if each["kind"] == "AudioData"]
        return [each for each in found if silent is None or each["silent"] is silent]

    def keys(self) -> str:
        return "".join(e["dtmfData"]["data"] for e in self.frames if e["kind"] == "DtmfData")

    def pcm(self) -> bytes:
        """What was spoken, gaps left out."""
        return b"".join(base64.b64decode(each["data"]) for each in self.audio(silent=False))

    async def until(self, true: Callable[["Media"], object]) -> None:
        async with asyncio.timeout(20):
            while not true(self):
                self.changed.clear()
                await self.changed.wait()


@dataclass
class Application:
    """Keeps what it is told; refuses where a test says so."""

    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tokens: list[str] = field(default_factory=list[str])
    incoming: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    media: list[Media] = field(default_factory=list[Media])
    statuses: list[int] = field(default_factory=list[int])
    """What callbacks are answered with, one by one; then 200."""
    media_status: int | None = None
    """What media sockets are refused with."""
    sound: bytes = b""
    grid_secret: str | None = None
    grid_status: int = 200
    grid_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    def types(self) -> list[str]:
        return [each["type"].removeprefix("Microsoft.Communication.") for each in self.events]

    async def told(self, event: str, count: int = 1) -> dict[str, Any]:
        """The data of the event of that type, once it has come."""
        async with asyncio.timeout(20):
            while self.types().count(event) < count:
                self.changed.clear()
                await self.changed.wait()
        return [e for e in self.events if e["type"].endswith(f".{event}")][count - 1]["data"]

    async def called(self, count: int = 1) -> dict[str, Any]:
        """The data of the incoming call, once it was told."""
        async with asyncio.timeout(20):
            while len(self.incoming) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.incoming[count - 1]["data"]

    async def dialled(self, count: int = 1) -> Media:
        """The media socket, once there is one."""
        async with asyncio.timeout(20):
            while len(self.media) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.media[count - 1]

    def asgi(self) -> FastAPI:
        app = FastAPI()

        @app.post("/events")
        async def events(request: Request) -> Response:
            status = self.statuses.pop(0) if self.statuses else 200
            if status == 200:
                self.events += json.loads(await request.body())
                self.tokens.append(request.headers.get("authorization", ""))
            self.changed.set()
            return Response(status_code=status)

        @app.get("/sound.wav")
        async def sound() -> Response:
            return Response(self.sound, media_type="audio/wav")

        self._add_grid(app)
        self._add_media(app)
        return app

    def _add_grid(self, app: FastAPI) -> None:
        @app.options("/incoming")
        async def handshake(request: Request) -> Response:
            origin = request.headers["webhook-request-origin"]
            headers = {"webhook-allowed-origin": origin, "webhook-allowed-rate": "*"}
            return Response(headers=headers, status_code=self.grid_status)

        @app.post("/incoming")
        async def incoming(request: Request) -> Response:
            if request.query_params.get("secret") != self.grid_secret:
                return Response(status_code=401)
            body = json.loads(await request.body())
            event = body[0] if isinstance(body, list) else body
            if event.get("eventType", "").endswith("SubscriptionValidationEvent"):
                code = event["data"]["validationCode"]
                return JSONResponse({"validationResponse": code}, self.grid_status)
            self.incoming.append(event)
            self.grid_headers = request.headers
            self.changed.set()
            return Response(status_code=self.grid_status)

    def _add_media(self, app: FastAPI) -> None:
        @app.websocket("/media")
        async def media(socket: WebSocket) -> None:
            if self.media_status is not None:
                await socket.send_denial_response(Response(status_code=self.media_status))
                return
            await socket.accept()
            mine = Media(socket, socket.headers)
            self.media.append(mine)
            self.changed.set()
            try:
                while True:
                    mine.frames.append(json.loads(await socket.receive_text()))
                    mine.changed.set()
            except WebSocketDisconnect:
                mine.closed.set()


@dataclass
class Town:
    """A local ACS, an application, and the application's client of it."""

    served: ServedAcs
    app: Application
    sdk: CallAutomationClient
    secure: bool = False

    @property
    def acs(self) -> Acs:
        return self.served.acs

    @property
    def address(self) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.app.port}"

    @property
    def callback_url(self) -> str:
        return f"{self.address}/events"

    @property
    def incoming_url(self) -> str:
        return f"{self.address}/incoming"

    def streaming(self, **more: str | bool) -> MediaStreamingOptions:
        """As the product asks for it."""
        chosen: dict[str, Any] = {
            "transport_type": "websocket",
            "content_type": "audio",
            "audio_channel_type": "mixed",
            "start_media_streaming": True,
            "enable_bidirectional": True,
            "audio_format": "pcm24KMono",
            "enable_dtmf_tones": True,
            **more,
        }
        scheme = "wss" if self.secure else "ws"
        return MediaStreamingOptions(
            transport_url=f"{scheme}://127.0.0.1:{self.app.port}/media", **chosen
        )

    async def subscribe(
        self,
        schema: Schema = "cloudevents",
        *,
        secret: str | None = None,
        copies: int = 1,
        age_s: float = 0,
        bearer: Callable[[], str] | None = None,
    ) -> None:
        url = self.incoming_url + ("" if secret is None else f"?secret={secret}")
        await self.acs.grid.subscribe(
            Subscription(url, schema, bearer=bearer, copies=copies, age_s=age_s)
        )

    async def call_in(
        self,
        phone: Phone,
        *,
        media_streaming: MediaStreamingOptions | None = None,
        operation_context: str | None = None,
    ) -> tuple[PhoneCall, str]:
        """`phone` rings the agent, who answers: the caller's side, and the connection's id."""
        if self.acs.grid.subscription is None:
            await self.subscribe()
        count = len(self.app.incoming) + 1
        dialling = asyncio.create_task(self.acs.dial(phone, AGENT))
        told = await self.app.called(count)
        answered = await self.sdk.answer_call(
            told["incomingCallContext"],
            self.callback_url,
            media_streaming=media_streaming,
            operation_context=operation_context,
        )
        assert answered.call_connection_id is not None
        return await dialling, answered.call_connection_id

    async def answer(self, context: str, callback_url: str) -> None:
        await self.sdk.answer_call(context, callback_url)

    async def reject(self, context: str) -> None:
        await self.sdk.reject_call(context)

    async def add(self, call_id: str, number: str) -> None:
        """Have somebody rung for a call."""
        await self.sdk.get_call_connection(call_id).add_participant(
            PhoneNumberIdentifier(number), source_caller_id_number=PhoneNumberIdentifier(AGENT)
        )


@asynccontextmanager
async def served_app(
    app: Application, certificates: Certificates | None = None
) -> AsyncGenerator[None]:
    """The application on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app.port = listener.getsockname()[1]
        tls = None if certificates is None else certificates.server
        async with serving(app.asgi(), listener, tls):
            yield


@asynccontextmanager
async def town(config: AcsConfig = QUICK, *, secure: bool = False) -> AsyncGenerator[Town]:
    """All three. `secure` is whether the application is served over TLS."""
    app = Application()
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving_acs(ISSUER, config))
        certificates = served.certificates if secure else None
        await stack.enter_async_context(served_app(app, certificates))
        sdk = await stack.enter_async_context(client(served))
        yield Town(served, app, sdk, secure)


async def kept[T](context: AbstractAsyncContextManager[T]) -> AsyncGenerator[T]:
    """What `context` gives, entered and left by one task: a fixture's own is not the same."""
    ready: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def hold() -> None:
        async with context as value:
            ready.set_result(value)
            await done.wait()

    task = asyncio.create_task(hold())
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    yield await ready
    done.set()
    await task


def client(served: ServedAcs, token: str | None = None) -> CallAutomationClient:
    """The official client, as the product makes it."""
    text = ISSUER.issue(RESOURCE).text if token is None else token
    return CallAutomationClient(
        served.endpoint,
        TokenInHand(text),
        connection_verify=str(served.ca_file),
        retry_backoff_factor=0.01,
    )


async def eventually(true: Callable[[], object], within_s: float = 20) -> None:
    """For what has no event to wait for: a count in another task's hands."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.005)
