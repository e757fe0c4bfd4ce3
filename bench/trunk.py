"""A carrier for load: as much of ACS as a call needs, as cheaply as Python can.

It answers the product's SDK over TLS, signs what it sends, tells of calls as Event Grid does, and
opens media sockets of bare frames (`bench.wire`). Nothing is mixed, played or checked: what comes
back is read by whoever holds the telephone.
"""

import asyncio
import itertools
import socket
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol, override
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request, Response

from bench.talkers import STAMP_LETTERS, read_stamp, stamp
from bench.wire import ClientWire, frame
from switchboard_local.acs.serving import make_certificates
from switchboard_local.acs.signing import MEDIA_LIFE_S, Signer, signing_router
from switchboard_local.entra.keys import KeyRing
from switchboard_local.serving import LOOPBACK, serving

RESOURCE_ID: Final = "10ca1000-0000-4000-8000-000000000ac5"
SECRET: Final = "correct-horse-battery-staple-and-more"
FRAME_S: Final = 0.020
FRAME_BYTES: Final = 960
ANSWER_S: Final = 20.0
_TICKS: Final = 20
"""In one frame's time. Telephones are spread over them, as independent callers are."""
_UP: Final = (
    b'{"kind":"AudioData","audioData":{"timestamp":"2026-11-26T10:00:00.000Z",'
    b'"participantRawID":"4:+15550111","data":"'
)
_REST_UP: Final = b"A" * (FRAME_BYTES * 4 // 3 - STAMP_LETTERS) + b'","silent":false}}'
_DOWN: Final = b'{"kind":"AudioData","audioData":{"data":"'
_METADATA: Final = (
    b'{"kind":"AudioMetadata","audioMetadata":{"subscriptionId":"s1","encoding":"PCM",'
    b'"sampleRate":24000,"channels":1,"length":960}}'
)


@dataclass(slots=True)
class Heard:
    """What came back to one telephone. Nothing is lost where the last number is the last sent."""

    frames: int = 0
    disordered: int = 0
    """Frames that did not bear the number after the one before."""
    last: int = -1
    trips_ms: list[float] = field(default_factory=list[float])


class Telephone(ClientWire):
    """A call's media socket: says a stamped frame when told to, and reads those that come back."""

    def __init__(self, port: int, target: str, bearer: str, connection: str) -> None:
        headers = {"Authorization": bearer, "x-ms-call-connection-id": connection}
        super().__init__(LOOPBACK, port, target, headers)
        self.connection = connection
        self.sent = 0
        self.answered_at = time.perf_counter()
        self.first_sound = asyncio.Event()
        self.first_sound_at: float | None = None
        self.stops_ns: list[int] = []
        """When each `StopAudio` came, by this machine's clock."""
        self.stopped = asyncio.Event()
        self.heard_back = Heard()

    def opens(self) -> None:
        self.say(frame(_METADATA, masked=True))

    def talk(self) -> None:
        said = _UP + stamp(self.sent, time.perf_counter_ns()) + _REST_UP
        self.say(frame(said, masked=True))
        self.sent += 1

    @override
    def heard(self, payload: bytes, key: bytes) -> None:
        if not payload.startswith(_DOWN):
            self.stops_ns.append(time.perf_counter_ns())
            self.stopped.set()
            return
        now_ns = time.perf_counter_ns()
        if self.first_sound_at is None:
            self.first_sound_at = time.perf_counter()
            self.first_sound.set()
        heard = self.heard_back
        number, sent_ns = read_stamp(payload[len(_DOWN) : len(_DOWN) + STAMP_LETTERS])
        heard.frames += 1
        heard.disordered += heard.frames > 1 and number != heard.last + 1
        heard.last = number
        heard.trips_ms.append((now_ns - sent_ns) / 1e6)


class Connected(Protocol):
    """Whoever holds a call of the carrier's."""

    connection: str


@dataclass
class Trunk:
    """The carrier, and the product that it was told of."""

    endpoint: str
    ca_file: Path
    signer: Signer
    client: httpx.AsyncClient
    product: str = ""
    """Where the product answers: to be set before the first call."""
    media_s: float = 0.0
    """From the answer to the media socket."""
    hung_up: set[str] = field(default_factory=set[str])
    answered: Counter[str] = field(default_factory=Counter[str])
    """How often the product answered each ringing call."""
    placed: list[str] = field(default_factory=list[str])
    """Whom it has had rung."""
    _waiting: dict[str, asyncio.Future[str]] = field(
        default_factory=dict[str, "asyncio.Future[str]"]
    )
    _callbacks: dict[str, str] = field(default_factory=dict[str, str])
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    bearer: str = ""

    def __post_init__(self) -> None:
        self.bearer = self.signer.bearer(MEDIA_LIFE_S)

    def environment(self, public_url: str) -> dict[str, str]:
        """What the product is told of its carrier."""
        return {
            "ACS_ENDPOINT": self.endpoint,
            "ACS_RESOURCE_ID": RESOURCE_ID,
            "ACS_ISSUER": self.endpoint,
            "ACS_CA_FILE": str(self.ca_file),
            "EVENT_GRID_SECRET": SECRET,
            "PUBLIC_URL": public_url,
        }

    async def opened(self) -> None:
        """Wait until the product answers calls: its SDK takes a while to load."""
        async with asyncio.timeout(3 * ANSWER_S):
            while True:
                try:
                    # Not the five seconds after which its server closes an idle connection.
                    await self.hang_up(await self.ring(3.0))
                except TimeoutError:
                    continue
                return

    async def ring(self, patience_s: float = ANSWER_S) -> Telephone:
        """Ring the product's agent; its media socket, once the product has answered.

        Raises `TimeoutError`.
        """
        context, media = await self.rung(patience_s)
        answered_at = time.perf_counter()
        async with asyncio.timeout(patience_s):
            target = media.raw_path.decode()
            await asyncio.sleep(self.media_s)
            loop, port = asyncio.get_running_loop(), media.port or 443
            _, telephone = await loop.create_connection(
                lambda: Telephone(port, target, self.bearer, context), LOOPBACK, port
            )
            await telephone.upgraded
        telephone.answered_at = answered_at
        telephone.opens()
        return telephone

    async def rung(self, patience_s: float = ANSWER_S) -> tuple[str, httpx.URL]:
        """Ring the product's agent; the call's connection id, and where its media are wanted.

        Raises `TimeoutError`.
        """
        context = str(uuid4())
        answered = self._waiting[context] = asyncio.get_running_loop().create_future()
        event = {
            "id": context,
            "type": "Microsoft.Communication.IncomingCall",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "data": {
                "to": {"rawId": "4:+15550100"},
                # Everybody has a telephone of their own: one alone may not call so often.
                "from": {"rawId": f"4:+1555{next(self._numbers):07}"},
                "incomingCallContext": context,
                "correlationId": context,
            },
        }
        address = f"{self.product}/api/phone/incoming?secret={SECRET}"
        async with asyncio.timeout(patience_s), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.client.post(address, json=event))
            media = httpx.URL(await answered)
        return context, media

    def call_of(self, telephone: Telephone) -> str:
        """The product's own id of a call: the last part of where it is told of it."""
        return self._callbacks[telephone.connection].partition("?")[0].rpartition("/")[2]

    async def hang_up(self, telephone: Connected) -> None:
        """The caller has gone: the product is told so."""
        event = {
            "id": str(uuid4()),
            "type": "Microsoft.Communication.CallDisconnected",
            "time": "2026-11-26T10:00:00Z",
            "data": {"callConnectionId": telephone.connection},
        }
        address = self._callbacks.pop(telephone.connection)
        headers = {"Authorization": self.bearer}
        (await self.client.post(address, json=[event], headers=headers)).raise_for_status()

    # -- what the product asks --------------------------------------------------------------

    def answers(self, body: dict[str, Any]) -> dict[str, Any]:
        context = str(body["incomingCallContext"])
        self.answered[context] += 1
        if context not in self._waiting:  # nobody of ours rings: somebody tells of it again
            return {"callConnectionId": context, "callConnectionState": "connected"}
        self._callbacks[context] = str(body["callbackUri"])
        self._waiting.pop(context).set_result(body["mediaStreamingOptions"]["transportUrl"])
        state = {"serverCallId": "s", "callConnectionState": "connected"}
        return {"callConnectionId": context, **state}

    def routes(self, app: FastAPI) -> None:
        @app.post("/calling/callConnections:answer")
        async def answer(request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
            return self.answers(await request.json())

        @app.post("/calling/callConnections", status_code=201)
        async def create(request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
            body = await request.json()
            self.placed += [str(each["rawId"]) for each in body["targets"]]
            return {"callConnectionId": str(uuid4()), "callConnectionState": "connecting"}

        @app.post("/calling/callConnections/{name}")
        async def terminate(name: str) -> Response:  # pyright: ignore[reportUnusedFunction]
            self.hung_up.add(name.partition(":")[0])
            return Response(status_code=204)


@asynccontextmanager
async def trunk(media_s: float = 0.0) -> AsyncGenerator[Trunk]:
    """A carrier that answers, until the block ends."""
    listener = socket.create_server((LOOPBACK, 0))
    address = f"https://{LOOPBACK}:{listener.getsockname()[1]}"
    with TemporaryDirectory() as folder:
        certificates = make_certificates(Path(folder))
        app = FastAPI()
        signer = Signer(RESOURCE_ID, KeyRing(), address)
        app.include_router(signing_router(signer, address))
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            carrier = Trunk(address, certificates.ca_file, signer, client)
            carrier.media_s = media_s
            carrier.routes(app)
            async with serving(app, listener, certificates.server):
                yield carrier


async def keep_talking(telephones: Sequence[Telephone], seconds: float) -> None:
    """Every telephone says a frame each 20 ms; what is late is said at once."""
    shifts = [telephones[number::_TICKS] for number in range(_TICKS)]
    due = time.perf_counter()
    until = due + seconds
    while due < until:
        for shift in shifts:
            due += FRAME_S / _TICKS
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            for telephone in shift:
                telephone.talk()
        await asyncio.sleep(0)  # however late we are, answers are looked at, too
