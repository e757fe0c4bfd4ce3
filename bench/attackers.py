"""Those who attack, in a process of their own: `bench.attack` tells them whom, by their stdin.

Each attack tries again and again until the time is over, and says how often it was refused as it
ought to be. What got through is named by its attack and its answer.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Origin, Subprotocol

EVIL: Final = "https://evil.example"
PATIENCE_S: Final = 30.0
PREMIUM: Final = ("+44 909 879 0000", "+1 900 555 0199", "+44 843 000 0000")
ELSEWHERE: Final = ("+881 6 1234 5678", "+7 495 123 45 67", "+53 7 123 4567", "112", "999", "0044")
BIG_FRAME: Final = "x" * 70_000
BIG_HEAD: Final = "y" * 70_000
BIG_BODY: Final = b'{"agent":"' + b"z" * 200_000 + b'"}'


class Orders(msgspec.Struct, frozen=True):
    """What the attackers know: whatever somebody on the wire could have learnt, and more."""

    url: str
    agent: str
    seconds: float
    flood_per_s: float
    connections: int
    """Slow ones at a time."""
    addresses: Sequence[str]
    """Where they are, as the proxy before the product tells it."""
    thief: str
    """A good token of somebody else, who may call."""
    operator: str
    forged: Mapping[str, str]
    """Tokens of people that ought to open nothing, by what is wrong with them."""
    forged_carrier: Mapping[str, str]
    """The same of ACS."""
    carrier: str
    """A good token of ACS, stolen."""
    victim_call: str
    spent_ticket: str
    telephone_call: str
    delivery: Mapping[str, Any]
    """An Event Grid delivery that has been acted on."""
    secret: str
    allowed_number: str


@dataclass
class Score:
    """What came of one attack."""

    tried: int = 0
    refused: int = 0
    how: Counter[str] = field(default_factory=Counter[str])
    through: list[str] = field(default_factory=list[str])

    def count(self, answer: object, *, right: bool, what: str = "") -> None:
        self.tried += 1
        self.refused += right
        self.how[str(answer)] += 1
        if not right and len(self.through) < 10:
            self.through.append(f"{what}: {answer}")


class Gang:
    """All of them. Each method is one round of one attack."""

    def __init__(self, orders: Orders, http: httpx.AsyncClient) -> None:
        self.orders = orders
        self._http = http
        self.scores: dict[str, Score] = {}

    def score(self, attack: str) -> Score:
        return self.scores.setdefault(attack, Score())

    # -- asking -----------------------------------------------------------------------------

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        **more: Any,  # noqa: ANN401 - httpx's own
    ) -> httpx.Response:
        headers = {"Origin": self.orders.url, **self._somewhere(), **more.pop("headers", {})}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await self._http.request(method, path, headers=headers, **more)

    def _somewhere(self) -> dict[str, str]:
        return {"X-Forwarded-For": random.choice(self.orders.addresses)}

    async def expect(
        self,
        attack: str,
        statuses: Sequence[int],
        method: str,
        path: str,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """429 is a refusal of whatever was asked."""
        answer = await self.ask(method, path, **more)
        right = answer.status_code in (*statuses, 429)
        self.score(attack).count(answer.status_code, right=right, what=f"{method} {path[:60]}")

    async def knock(
        self,
        attack: str,
        call: str,
        ticket: str,
        *,
        origin: str | None = None,
        token: str | None = None,
        path: str | None = None,
    ) -> None:
        """Open a call's socket; whoever is let in hears `ready`."""
        try:
            async with connect(
                self.orders.url.replace("http", "ws", 1) + (path or f"/api/calls/{call}/audio"),
                origin=Origin(origin or self.orders.url),
                subprotocols=[Subprotocol("switchboard.v1"), Subprotocol(f"ticket.{ticket}")],
                additional_headers=self._somewhere()
                | ({"Authorization": f"Bearer {token}"} if token else {}),
                proxy=None,
                open_timeout=PATIENCE_S,
            ) as socket:
                said = msgspec.json.decode(await asyncio.wait_for(socket.recv(), PATIENCE_S))
                self.score(attack).count(said["type"], right=said["type"] == "refused", what=call)
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            self.score(attack).count(status, right=status in (400, 401, 403, 429), what=call)
        except ConnectionClosed:
            closed = "closed"
            self.score(attack).count(closed, right=True)

    async def place(self, token: str) -> dict[str, Any] | None:
        """A call of the thief's own, where there is a line and the rate allows it."""
        answer = await self.ask(
            "POST", "/api/calls", token=token, json={"agent": self.orders.agent}
        )
        return answer.json() if answer.status_code == 201 else None

    # -- the attacks ------------------------------------------------------------------------

    async def replay_a_ticket(self) -> None:
        await self.knock("replay: ticket", self.orders.victim_call, self.orders.spent_ticket)

    async def replay_a_delivery(self) -> None:
        """It is taken, as Event Grid repeats itself; that nothing is answered twice is counted at
        the carrier."""
        path = f"/api/phone/incoming?secret={self.orders.secret}"
        await self.expect("replay: Event Grid", (200,), "POST", path, json=[self.orders.delivery])

    async def replay_a_callback(self) -> None:
        """ACS's own words of another call, with its good token: taken, and nothing comes of it."""
        told = {
            "id": "replayed",
            "type": "Microsoft.Communication.CallDisconnected",
            "time": "2026-11-26T10:00:00Z",
            "data": {"callConnectionId": "somebody-elses"},
        }
        path = f"/api/phone/events/{self.orders.telephone_call}"
        await self.expect(
            "replay: callback", (200,), "POST", path, json=[told], token=self.orders.carrier
        )

    async def forge_people(self) -> None:
        for name, token in self.orders.forged.items():
            attack = "token for another audience" if name == "audience" else "forgery: people"
            await self.expect(attack, (401,), "GET", "/api/console/me", token=token)
            await self.expect(
                attack, (401,), "POST", "/api/calls", token=token, json={"agent": self.orders.agent}
            )

    async def forge_the_carrier(self) -> None:
        path = f"/api/phone/events/{self.orders.telephone_call}"
        attack = "forgery: callbacks"
        await self.expect(attack, (401,), "POST", path, json=[])
        await self.expect(attack, (401,), "POST", "/api/phone/incoming?secret=wrong", json=[])
        for token in (*self.orders.forged_carrier.values(), self.orders.thief):
            await self.expect(attack, (401,), "POST", path, json=[], token=token)
            await self.knock(
                "forgery: media",
                "media",
                "x",
                token=token,
                path=f"/api/phone/media/{self.orders.telephone_call}?ticket={'A' * 43}",
            )
        await self.knock(
            "forgery: media",
            "media",
            "x",
            token=self.orders.carrier,
            path=f"/api/phone/media/{self.orders.telephone_call}?ticket={'A' * 43}",
        )

    async def steal_a_ticket(self) -> None:
        """A fresh one, shown at another's call, and by another person; then it is worth nothing."""
        placed = await self.place(self.orders.thief)
        if placed is None:
            return
        attack, ticket = "stolen ticket", placed["ticket"]
        await self.knock(attack, self.orders.victim_call, ticket)
        await self.knock(attack, placed["call"], ticket)
        placed = await self.place(self.orders.thief)
        if placed is not None:
            await self.knock(attack, placed["call"], placed["ticket"], token=self.orders.operator)

    async def cross_calls(self) -> None:
        attack, call, thief = "cross-call", self.orders.victim_call, self.orders.thief
        for path in ("me", "live", "history", "overview", f"calls/{call}", f"calls/{call}/events"):
            await self.expect(attack, (403,), "GET", f"/api/console/{path}", token=thief)
        for path, body in (
            (f"calls/{call}/actions", {"type": "cut"}),
            (f"calls/{call}/listeners", {}),
        ):
            await self.expect(
                attack, (403,), "POST", f"/api/console/{path}", token=thief, json=body
            )
        ticketed = {"Switchboard-Ticket": self.orders.spent_ticket}
        await self.expect(
            attack, (401, 404), "GET", f"/api/calls/{call}/events", token=thief, headers=ticketed
        )
        await self.expect(
            attack,
            (401, 404),
            "POST",
            f"/api/calls/{call}/messages",
            token=thief,
            headers=ticketed,
            json={"type": "end"},
        )
        await self.expect(attack, (403,), "GET", f"/api/phone/calls/{call}", token=thief)

    async def cross_origins(self) -> None:
        attack, thief = "cross-origin", self.orders.thief
        body = {"agent": self.orders.agent}
        for origin in (EVIL, "null", self.orders.url + ".evil.example"):
            await self.expect(
                attack,
                (403,),
                "POST",
                "/api/calls",
                token=thief,
                json=body,
                headers={"Origin": origin},
            )
            await self.knock(attack, self.orders.victim_call, "A" * 43, origin=origin)
        await self.expect(
            attack, (421,), "GET", "/api/config", token=thief, headers={"Host": "evil.example"}
        )

    async def defraud(self) -> None:
        attack = "toll fraud"
        good = {"to": self.orders.allowed_number, "agent": self.orders.agent}
        operation = f"attack-{random.getrandbits(40)}"
        body = {**good, "operation": operation}
        await self.expect(attack, (401,), "POST", "/api/phone/calls", json=body)
        await self.expect(
            attack, (403,), "POST", "/api/phone/calls", json=body, token=self.orders.thief
        )
        for number in (*PREMIUM, *ELSEWHERE):
            await self.expect(
                attack,
                (403,),
                "POST",
                "/api/phone/calls",
                json={**body, "to": number},
                token=self.orders.operator,
            )
        # Allowed, and so rung: how often is counted at the carrier, against the quota.
        answer = await self.ask("POST", "/api/phone/calls", json=body, token=self.orders.operator)
        self.score("toll fraud: quota").count(
            answer.status_code, right=answer.status_code in (201, 403, 429), what="quota"
        )

    async def oversize(self) -> None:
        attack, thief = "oversized", self.orders.thief
        await self.expect(attack, (413,), "POST", "/api/calls", token=thief, content=BIG_BODY)
        await self.expect(
            attack,
            (413,),
            "POST",
            f"/api/phone/events/{self.orders.telephone_call}",
            token=self.orders.carrier,
            content=b"[" + b" " * 300_000 + b"]",
            headers={"Content-Type": "application/json"},
        )
        await self.expect(
            attack, (431,), "GET", "/api/config", token=thief, headers={"X-Long": BIG_HEAD}
        )
        await self.expect(
            attack,
            (400,),
            "POST",
            "/api/calls",
            token=thief,
            json={"agent": self.orders.agent, "offer": "v=0\r\n" + "a" * 70_000},
        )
        await self._oversized_frame()

    async def _oversized_frame(self) -> None:
        placed = await self.place(self.orders.thief)
        if placed is None:
            return
        code: int | None = None
        with suppress(ConnectionClosed, InvalidHandshake):
            async with connect(
                self.orders.url.replace("http", "ws", 1) + placed["socket"],
                origin=Origin(self.orders.url),
                subprotocols=[
                    Subprotocol("switchboard.v1"),
                    Subprotocol(f"ticket.{placed['ticket']}"),
                ],
                additional_headers=self._somewhere(),
                proxy=None,
                open_timeout=PATIENCE_S,
            ) as socket:
                await socket.send(BIG_FRAME)
                with suppress(ConnectionClosed):
                    while True:
                        await asyncio.wait_for(socket.recv(), PATIENCE_S)
                code = socket.close_code
        self.score("oversized").count(code, right=code in (1009, 1006), what="frame")

    async def trickle(self) -> None:
        """Half a head, a byte now and then: cut off in time."""
        host, _, port = self.orders.url.removeprefix("http://").partition(":")
        connecting = [
            asyncio.open_connection(host, int(port)) for _ in range(self.orders.connections)
        ]
        pairs = await asyncio.gather(*connecting)
        ends = await asyncio.gather(*(self._trickle_on(*pair) for pair in pairs))
        for cut in ends:
            self.score("slowloris").count(
                "cut off" if cut else "kept", right=cut, what="half a head"
            )

    async def _trickle_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        began = time.monotonic()
        try:
            writer.write(b"GET /api/config HTTP/1.1\r\nHost: ")
            while time.monotonic() - began < PATIENCE_S:
                writer.write(b"a")
                with suppress(TimeoutError):
                    if not await asyncio.wait_for(reader.read(1_024), 1.0):
                        return True
        except OSError:
            return True
        finally:
            writer.close()
        return False

    async def flood(self) -> None:
        """As many requests and sockets as were ordered, of every kind: none is a fault of theirs,
        and none is served that ought not to be."""
        attack = "flood"
        chosen = random.randrange(4)
        if chosen == 0:
            await self.expect(attack, (401,), "POST", "/api/calls", json={"agent": "x"})
        elif chosen == 1:
            await self.knock(attack, self.orders.victim_call, "A" * 43)
        elif chosen == 2:
            await self.expect(attack, (404,), "GET", f"/api/{random.getrandbits(64)}")
        else:
            answer = await self.ask(
                "POST",
                "/api/calls",
                token=self.orders.thief,
                json={"agent": self.orders.agent},
            )
            # Some are this caller's to have; then the rate, or the lines, are used up.
            right = answer.status_code in (201, 429, 503)
            self.score("flood: calls").count(
                answer.status_code, right=right, what="POST /api/calls"
            )


async def _again(attack: Callable[[], Awaitable[None]], until: float, pause_s: float) -> None:
    while True:
        await attack()
        if time.monotonic() >= until:
            return
        await asyncio.sleep(pause_s)


async def _flooding(gang: Gang, until: float) -> None:
    """On schedule, however long an answer takes; at most a hundred wait at once."""
    places = asyncio.Semaphore(100)
    due = time.monotonic()

    async def once() -> None:
        async with places:
            await gang.flood()

    async with asyncio.TaskGroup() as tasks:
        while time.monotonic() < until:
            due += 1 / gang.orders.flood_per_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not places.locked():
                tasks.create_task(once())


async def attack(orders: Orders) -> dict[str, Any]:
    """All attacks beside each other, until their time is over."""
    # The product closes what was idle for five seconds: do not ask on a line just then.
    limits = httpx.Limits(max_connections=150, max_keepalive_connections=50, keepalive_expiry=2.0)
    async with httpx.AsyncClient(
        base_url=orders.url, timeout=PATIENCE_S, trust_env=False, limits=limits
    ) as http:
        gang = Gang(orders, http)
        until = time.monotonic() + orders.seconds
        calm = (
            gang.replay_a_ticket,
            gang.replay_a_delivery,
            gang.replay_a_callback,
            gang.forge_people,
            gang.forge_the_carrier,
            gang.steal_a_ticket,
            gang.cross_calls,
            gang.cross_origins,
            gang.defraud,
            gang.oversize,
        )
        async with asyncio.TaskGroup() as tasks:
            for each in calm:
                tasks.create_task(_again(each, until, 0.5))
            tasks.create_task(_again(gang.trickle, until, 0.0))
            tasks.create_task(_flooding(gang, until))
    return {
        name: {
            "tried": score.tried,
            "refused": score.refused,
            "how": dict(score.how),
            "through": score.through,
        }
        for name, score in sorted(gang.scores.items())
    }


def main() -> None:
    """Orders by stdin; on stdout a line when it begins, and what came of it. All JSON."""
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    print('"begun"', flush=True)
    print(json.dumps(asyncio.run(attack(orders))))


if __name__ == "__main__":
    main()
