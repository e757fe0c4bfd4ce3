"""The telephone's room on a real port: a scripted carrier and exchange, real tokens and records."""

import json
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
from fastapi import FastAPI
from websockets.asyncio.client import connect

from switchboard.access.acs import AcsTokens, AcsTrust
from switchboard.access.eventgrid import EventGridDoor, EventGridTrust
from switchboard.access.identity import Authenticator, Identify, LocalOnly
from switchboard.access.keys import fetch_by
from switchboard.access.media import MediaTickets
from switchboard.access.origins import Origins, loopback_origins
from switchboard.access.principal import Principal
from switchboard.browser.problems import REFUSALS, answer_refusal
from switchboard.conversation.legs import Line
from switchboard.conversation.past import Past
from switchboard.errors import CarrierUnavailable, NotAllowed, ServerStopping
from switchboard.exchange.brief import Fit
from switchboard.phone.admission import CallerLimits
from switchboard.phone.around import Doors, Elsewhere, PhoneConfig
from switchboard.phone.around import Exchange as ExchangeLike
from switchboard.phone.carrier import Callee, Connection, Person, Refusal, Route, Standing
from switchboard.phone.dialling import DiallingRules, QuietHours
from switchboard.phone.occasion import Fitting, as_it_is
from switchboard.phone.outgoing import Outgoing, OutgoingConfig
from switchboard.phone.outgoing_routes import outgoing_routes
from switchboard.phone.permits import Permit, Permits
from switchboard.phone.room import PhoneRoom
from switchboard.phone.routes import phone_routes
from switchboard.records.claims import Claims
from switchboard.records.dialled import DialledTable, Quotas
from switchboard.records.placed import PlacedTable
from switchboard.records.recordings import RecordingTable
from switchboard.records.store import Store, sqlite_url
from switchboard.records.telephone import MediaTicketTable, SeenEvents
from switchboard.turns import Turns
from tests.access.signer import AUDIENCE, ISSUER, METADATA, Signer, signed
from tests.browser.peers import ScriptedExchange, serving

SECRET = "correct-horse-battery-staple-and-more"
CONNECTION = "cc1"
PERSON = "+44 20 7946 0018"
RING_S = 45.0


class Exchange(ScriptedExchange):
    """Also hears of ends, and of which agent was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.stopping = False
        self.let_go_of: list[str] = []
        self.pasts: list[Past | None] = []
        self.ended: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.waits: list[float | None] = []
        self.begun: list[str] = []
        self.adopted: list[tuple[str, str, str]] = []
        """Call, caller and agent."""

    def place(
        self,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
        line: Line | None = None,
        fit: Fit | None = None,
        wait_s: float | None = None,
        outgoing: bool = False,
        call_id: str | None = None,
    ) -> str:
        if agent == "nobody":
            raise NotAllowed("There is no such agent.")
        if self.stopping:
            raise ServerStopping("This server is stopping.")
        assert line is not None
        self.asked.append(agent)
        self.waits.append(wait_s)
        return super().place(principal=principal, agent=agent, voice=voice, model=model)

    def begin(self, call_id: str, *, wait_s: float | None = None) -> None:
        self.begun.append(call_id)

    def holds(self, call_id: str) -> bool:
        return call_id in self.placed or any(call_id == known for known, *_ in self.adopted)

    def free(self) -> int:
        return 0 if self.stopping else 100

    def let_go(self, call_id: str) -> None:
        self.let_go_of.append(call_id)

    def adopt(  # pyright: ignore[reportIncompatibleMethodOverride]  (as the telephone adopts)
        self,
        call_id: str,
        *,
        principal: Principal,
        agent: str,
        line: Line,
        fit: Fit | None,
        outgoing: bool,
        past: Past | None = None,
    ) -> bool:
        if call_id in self.placed:
            return False
        self.adopted.append((call_id, principal.id, agent))
        self.pasts.append(past)
        return True

    async def end(self, call_id: str, reason: str) -> None:
        self.ended.append((call_id, reason))


@dataclass
class ScriptedCarrier:
    """Takes down what it is asked."""

    answered: list[tuple[str, Route]] = field(default_factory=list[tuple[str, Route]])
    rejected: list[tuple[str, Refusal]] = field(default_factory=list[tuple[str, Refusal]])
    hung_up: list[str] = field(default_factory=list[str])
    rung: list[tuple[Permit, Route]] = field(default_factory=list[tuple[Permit, Route]])
    standing: Standing = field(default_factory=lambda: Standing(connected=True, streaming=False))
    media: list[str] = field(default_factory=list[str])
    """What it was told to do with media sockets."""
    away: bool = False
    is_open: bool = True
    slow: anyio.Event | None = None
    """Until when the carrier takes its time to place a call."""
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens before its answer to an answer arrives."""

    def _check(self) -> None:
        if self.away:
            raise CarrierUnavailable("The carrier could not be reached.", retryable=True)

    async def answer(self, incoming: str, route: Route) -> Connection:
        self._check()
        self.answered.append((incoming, route))
        if self.meanwhile is not None:
            await self.meanwhile()
        return Connection(CONNECTION)

    async def look(self, connection_id: str) -> Standing:
        self._check()
        return self.standing

    async def start_media(self, connection_id: str) -> None:
        self._check()
        self.media.append("start")

    async def stop_media(self, connection_id: str) -> None:
        self.media.append("stop")
        self.standing = Standing(connected=True, streaming=False)

    async def reject(self, incoming: str, reason: Refusal) -> None:
        self.rejected.append((incoming, reason))

    async def hang_up(self, connection_id: str) -> None:
        self._check()
        self.hung_up.append(connection_id)

    async def place(self, permit: Permit, route: Route) -> Connection:
        self._check()
        self.rung.append((permit, route))
        if self.slow is not None:
            await self.slow.wait()
        return Connection(CONNECTION)

    async def redirect(self, incoming: str, to: Callee) -> None: ...
    async def transfer(self, connection_id: str, to: Callee, *, operation: str) -> None: ...
    async def add(self, connection_id: str, who: Callee, *, ring_s: int, operation: str) -> str:
        return "i1"

    async def cancel_add(self, connection_id: str, invitation_id: str) -> None: ...
    async def remove(self, connection_id: str, who: Person) -> None: ...
    async def people(self, connection_id: str) -> frozenset[str]:
        return frozenset()

    async def hold(self, connection_id: str, who: Person) -> None: ...
    async def unhold(self, connection_id: str, who: Person) -> None: ...
    async def leave(self, connection_id: str) -> None: ...
    async def play(self, connection_id: str, url: str, *, loop: bool = False) -> None: ...
    async def stop_playing(self, connection_id: str) -> None: ...
    async def send_keys(self, connection_id: str, keys: Sequence[str], to: Person) -> None: ...
    async def pause_recording(self, recording_id: str) -> None: ...
    async def resume_recording(self, recording_id: str) -> None: ...
    async def stop_recording(self, recording_id: str) -> None: ...
    async def record(self, connection_id: str, callback_url: str, storage_url: str | None) -> str:
        return "r1"


@dataclass
class Clock:
    """Epoch seconds, moved by hand."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    port: int
    room: PhoneRoom
    exchange: Exchange
    carrier: ScriptedCarrier
    clock: Clock
    http: httpx.AsyncClient
    signer: Signer
    outgoing: Outgoing

    async def places(self, **changes: object) -> httpx.Response:
        """Somebody at this machine has a telephone rung."""
        body = {"to": PERSON, "agent": "bank", "operation": "operation-1", **changes}
        origin = {"Origin": f"http://127.0.0.1:{self.port}"}
        return await self.http.post("/api/phone/calls", json=body, headers=origin)

    async def state(self, call_id: str = "call-0") -> dict[str, Any]:
        """What is told of a placed call."""
        answer = await self.http.get(f"/api/phone/calls/{call_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rings(
        self,
        event: Mapping[str, object] | None = None,
        *,
        correlation: str = "cor1",
        at: float | None = None,
    ) -> httpx.Response:
        """Event Grid tells of a call."""
        body = event or self.incoming(correlation=correlation, at=at)
        return await self.http.post(f"/api/phone/incoming?secret={SECRET}", json=[body])

    def body(self) -> bytes:
        """What Event Grid posts of a call."""
        return json.dumps([self.incoming()]).encode()

    @property
    def ticket(self) -> str:
        """Of the call that came or was placed last."""
        routes = [route for _, route in [*self.carrier.answered, *self.carrier.rung]]
        return routes[-1].media_url.partition("ticket=")[2]

    def incoming(
        self,
        *,
        correlation: str = "cor1",
        at: float | None = None,
        caller: str = "4:+447400123456",
        called: str = "+442079460000",
        **headers: str,
    ) -> dict[str, object]:
        when = time.gmtime(self.clock.now if at is None else at)
        return {
            "id": "e1",
            "eventType": "Microsoft.Communication.IncomingCall",
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", when),
            "data": {
                "to": {"rawId": f"4:{called}"},
                "from": {"rawId": caller},
                "incomingCallContext": "ctx",
                "correlationId": correlation,
                "customContext": {"sipHeaders": headers},
            },
        }

    async def told(
        self,
        what: str,
        *,
        event_id: str = "cb1",
        call_id: str = "call-0",
        connection: str = CONNECTION,
        token: str | None = None,
        code: int = 200,
        subcode: int = 0,
    ) -> httpx.Response:
        """ACS calls back."""
        outcome = {"code": code, "subCode": subcode, "message": "+442079460018 says no"}
        body = {
            "id": event_id,
            "type": f"Microsoft.Communication.{what}",
            "time": "2026-11-26T10:00:00Z",
            "data": {"callConnectionId": connection, "resultInformation": outcome},
        }
        return await self.http.post(
            f"/api/phone/events/{call_id}",
            json=[body],
            headers={"Authorization": f"Bearer {token or signed()}"},
        )

    def media(
        self,
        *,
        ticket: str | None = None,
        call_id: str = "call-0",
        connection: str = CONNECTION,
        token: str | None = None,
    ) -> connect:
        """A media socket about to open, as ACS opens it."""
        shown = ticket or self.ticket
        return connect(
            f"ws://127.0.0.1:{self.port}/api/phone/media/{call_id}?ticket={shown}",
            additional_headers={
                "Authorization": f"Bearer {token or signed()}",
                "x-ms-call-connection-id": connection,
            },
            proxy=None,
            open_timeout=60,
        )

    async def until(self, happened: Callable[[], object]) -> None:
        with anyio.fail_after(20):
            while not happened():  # noqa: ASYNC110  (plain facts, without events of their own)
                await anyio.sleep(0.005)


@asynccontextmanager
async def house(
    data_dir: Path,
    *,
    reattach_s: float = 0.3,
    carried_by: ExchangeLike | None = None,
    agent: str = "bank",
    quotas: Quotas | None = None,
    authenticator: Authenticator | None = None,
    callers: CallerLimits | None = None,
    fitting: Fitting = as_it_is,
    claims: Claims | None = None,
    past: Past | None = None,
    quiet: QuietHours | None = None,
    elsewhere: Elsewhere | None = None,
) -> AsyncGenerator[House]:
    """`carried_by`: a real exchange in the scripted one's place. `past`: of every call that other
    servers have."""
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    exchange, carrier, clock, signs = Exchange(), ScriptedCarrier(), Clock(), Signer()
    async with (
        Store(sqlite_url(data_dir)).opened() as store,
        signs.client() as signer,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        fetch, bindings = fetch_by(signer), MediaTicketTable(store)
        doors = Doors(
            EventGridDoor(EventGridTrust(secrets=[SECRET]), fetch),
            AcsTokens(AcsTrust(AUDIENCE, ISSUER, METADATA), fetch),
            MediaTickets(bindings),
            bindings,
            SeenEvents(store),
            RecordingTable(store),
            elsewhere,
        )
        about = PhoneConfig(
            "https://talk.example",
            lambda called, asked: asked or agents.get(called or "", agent),
            callers=callers or CallerLimits(),
            reattach_s=reattach_s,
        )
        agents = {"+442079460001": "press"}
        carries = carried_by or exchange

        async def past_of(_: str) -> Past | None:
            return past

        room = PhoneRoom(
            carries,
            carrier,
            doors,
            about,
            fitting=fitting,
            clock=clock,
            claims=claims,
            past_of=past_of,
        )
        rules = DiallingRules(("GB",), quiet=quiet)
        permits = Permits(DialledTable(store), rules, quotas or Quotas(), clock=clock)
        outgoing = Outgoing(
            carries, room, permits, PlacedTable(store), OutgoingConfig(ring_s=RING_S), clock=clock
        )
        room.followed_by(outgoing)
        await outgoing.recover()
        app = FastAPI()
        app.include_router(phone_routes(room, Turns()))
        origins, identify = (
            Origins(loopback_origins(port)),
            Identify(authenticator or LocalOnly(), Turns()),
        )
        app.include_router(outgoing_routes(outgoing, origins, identify))
        for refusal in REFUSALS:
            app.add_exception_handler(refusal, answer_refusal)
        async with serving(app, door):
            yield House(port, room, exchange, carrier, clock, http, signs, outgoing)
