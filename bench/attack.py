"""A scripted attack beside legitimate calls: refused on all counts, and hardly noticed by them.

First the calls alone, then the same calls while a process of attackers (`bench.attackers`) does
its worst: replay, forgery, floods, slow and oversized requests, toll fraud, others' calls, other
audiences' tokens, stolen tickets, foreign pages. People sign in at a tenant that this process
plays; the model is `bench.standin`, the carrier `bench.trunk`.

What the product adds to a call is told by the kernel's clock where that is to be had
(`bench.tapped`); else it is the 99th percentile above the median of the same frames without the
product. It is taken of each second by itself, and the median of these is told: what a machine's
host does to it for a moment is in one of them. It may be half as much again as it was in quiet.

The attackers are on this machine for want of another: they get what the calls' own side leaves of
its core. They come from `addresses` places, and each caller from one of their own, as a proxy that
the product trusts tells it.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from bench.attackers import Orders
from bench.pages import FRAME_S, Direct, Page, Product, Second, by_second, trips_of
from bench.processes import PYTHON, answering, apart, free_port, give_way, running
from bench.relay import product_environment, standing_in
from bench.report import percentile
from bench.tapped import Tap, tapped
from bench.trunk import SECRET, Telephone, Trunk, keep_talking, trunk
from switchboard_local.acs.signing import Signer
from switchboard_local.entra.issuer import TENANT, Issuer
from switchboard_local.entra.keys import KeyRing
from switchboard_local.entra.routes import entra_router
from switchboard_local.serving import LOOPBACK, serving, sign_in_environment

CLIENT: Final = "c11e0000-1111-4111-8111-000000000001"
PAGE: Final = "9a9e0000-4444-4444-8444-000000000005"
AGENT: Final[str] = json.loads(Path("session_config.json").read_text())["default_agent"]
ALLOWED_NUMBER: Final = "+442079460018"
NUMBER_A_DAY: Final = 3
ADDED: Final = "added p99 ms"
MOST_ADDED: Final = 1.5
"""Times what it is in quiet."""
_OPEN_S: Final = 60.0
_START_S: Final = 150.0
"""A busy machine takes long to load it all."""
_SPARE_LINES: Final = 20


@dataclass(slots=True)
class Call:
    """A legitimate call of somebody who has signed in."""

    page: Page
    socket: ClientConnection
    id: str
    ticket: str
    """Spent."""


@dataclass(frozen=True, slots=True)
class House:
    """The product under attack, and all it knows."""

    url: str
    agent: str
    issuer: Issuer
    carrier: Trunk
    model: str
    process: asyncio.subprocess.Process
    log: Path

    def token(self, *roles: str, oid: str | None = None) -> str:
        return self.issuer.issue(
            CLIENT, client_id=PAGE, oid=oid or str(uuid4()), roles=roles, scp="access_as_user"
        ).text


async def run(
    *,
    calls: int = 50,
    seconds: float = 20.0,
    warm_up_s: float = 2.0,
    flood_per_s: float = 100.0,
    connections: int = 50,
    addresses: int = 3,
    judge: int = 1,
) -> dict[str, Any]:
    """Attack, and measure. With `judge=0` the calls' latency is told and not judged.

    Raises `RuntimeError` where something got through, a call was hurt, or was slowed too much.
    """
    async with _house(calls) as house:
        async with (
            tapped(house.url, house.model) as tap,
            _talking(house, calls) as (pages, direct, telephone),
        ):
            talkers = [*(call.page for call in pages), *direct]
            await asyncio.sleep(warm_up_s)
            in_quiet = await by_second(talkers, seconds)
            delivery = await _delivered(house)
            known = _orders(house, pages[0], telephone, delivery, addresses)
            orders = msgspec.structs.replace(
                known, seconds=seconds, flood_per_s=flood_per_s, connections=connections
            )
            async with _attacking(orders) as done:
                under_attack = await by_second(talkers, seconds)
                scores = await done()
            hurt = _hurt(house, pages, telephone, delivery)
        complaints = house.log.read_text(errors="replace")
        ended = house.process.returncode
    quiet, attacked = (_told(each, calls, tap) for each in (in_quiet, under_attack))
    ratio = attacked[ADDED] / max(quiet[ADDED], 0.001)
    faults = [
        *_through(scores),
        *hurt,
        *(f"the product logged: {line[:300]}" for line in _errors(complaints)),
        *(["frames of legitimate calls were lost"] if attacked["lost"] else []),
        *([] if ended is None else [f"the product ended with {ended}"]),
    ]
    if judge and ratio > MOST_ADDED:
        faults.append(f"calls were slowed {ratio:.2f} times, and {MOST_ADDED} is allowed")
    result = {
        "attacks": _rows(scores),
        "calls": [{"phase": "quiet", **quiet}, {"phase": "attacked", **attacked}],
        "by": "the kernel's clock" if tap.is_open else "the pages' clocks",
        "added p99, attacked to quiet": ratio,
        "faults": faults,
    }
    if faults:
        raise RuntimeError("\n".join(faults) + "\n" + json.dumps(result["attacks"], indent=1))
    return result


def _errors(log: str) -> list[str]:
    """Lines of a fault of ours; a refusal is none."""
    return [
        line
        for line in log.splitlines()
        if "Traceback" in line or '"level":"error"' in line.lower().replace(" ", "")
    ]


# -- what came of it ----------------------------------------------------------------------------


def _rows(scores: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "attack": name,
            "tried": score["tried"],
            "refused": score["refused"],
            "how": ", ".join(f"{how} {times}" for how, times in sorted(score["how"].items())),
        }
        for name, score in scores.items()
    ]


def _through(scores: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: {score['tried'] - score['refused']} of {score['tried']} got through: "
        f"{'; '.join(score['through'])}"
        for name, score in scores.items()
        if score["refused"] != score["tried"]
    ] + [f"{name} was never tried" for name, score in scores.items() if not score["tried"]]


def _hurt(
    house: House,
    pages: Sequence[Call],
    telephone: Telephone,
    delivery: Mapping[str, Any],
) -> list[str]:
    """What the attackers have done that their answers do not tell."""
    context = delivery["data"]["incomingCallContext"]
    rung = len([each for each in house.carrier.placed if each.endswith(ALLOWED_NUMBER)])
    strange = [each for each in house.carrier.placed if not each.endswith(ALLOWED_NUMBER)]
    found = {
        "a replayed delivery was answered again": house.carrier.answered[context] > 1,
        f"a number was rung {rung} times in a day": rung > NUMBER_A_DAY,
        f"{len(strange)} numbers were rung that may not be": bool(strange),
        "the telephone call was ended": telephone.connection in house.carrier.hung_up,
        "a legitimate call was ended": any(call.socket.close_code for call in pages),
    }
    return [what for what, is_so in found.items() if is_so]


# -- the attackers ------------------------------------------------------------------------------


@asynccontextmanager
async def _attacking(orders: Orders) -> AsyncGenerator[Callable[[], Awaitable[dict[str, Any]]]]:
    """From when they begin; call what is yielded to wait until they are done, for their scores.
    Raises `RuntimeError` where they failed."""
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        "-m",
        "bench.attackers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    async def scores() -> dict[str, Any]:
        async with asyncio.timeout(orders.seconds + 120):
            said, complained = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"The attackers failed:\n{complained.decode()[-3_000:]}")
        return json.loads(said)

    try:
        process.stdin.write(msgspec.json.encode(orders))
        process.stdin.write_eof()
        async with asyncio.timeout(_START_S):
            await process.stdout.readline()
        give_way(process.pid)
        yield scores
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _orders(
    house: House,
    victim: Call,
    telephone: Telephone,
    delivery: Mapping[str, Any],
    addresses: int,
) -> Orders:
    """What the attackers know; how long and how hard they try is to be said yet."""
    return Orders(
        url=house.url,
        agent=house.agent,
        seconds=0.0,
        flood_per_s=0.0,
        connections=0,
        addresses=[f"203.0.113.{number}" for number in range(1, addresses + 1)],
        thief=house.token("caller"),
        operator=house.token("operator"),
        forged=_forged(house),
        forged_carrier=_forged_carrier(house.carrier),
        carrier=house.carrier.signer.token(3_600),
        victim_call=victim.id,
        spent_ticket=victim.ticket,
        telephone_call=house.carrier.call_of(telephone),
        delivery=delivery,
        secret=SECRET,
        allowed_number=ALLOWED_NUMBER,
    )


def _forged(house: House) -> dict[str, str]:
    """Tokens of an operator that are not."""
    good = house.token("operator")
    claims = jwt.decode(good, options={"verify_signature": False})
    other = Issuer(house.issuer.address, KeyRing())
    kid = house.issuer.keys.signing.kid
    wrong = {
        "audience": {"aud": str(uuid4())},
        "issuer": {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0"},
        "tenant": {"tid": str(uuid4())},
        "expired": {"exp": int(time.time()) - 3_600},
        "not yet": {"nbf": int(time.time()) + 3_600},
        "version": {"ver": "1.0"},
        "no expiry": {"exp": None},
    }
    signing = house.issuer.keys.signing.private
    tokens = {
        name: jwt.encode(
            {key: value for key, value in {**claims, **changed}.items() if value is not None},
            signing,
            "RS256",
            headers={"kid": kid},
        )
        for name, changed in wrong.items()
    }
    head, body, signature = good.split(".")
    return {
        **tokens,
        "another key": jwt.encode(
            claims, other.keys.signing.private, "RS256", headers={"kid": kid}
        ),
        "an unknown key": other.issue(
            CLIENT, client_id=PAGE, roles=["operator"], scp="access_as_user"
        ).text,
        "unsigned": f"{_part({'alg': 'none', 'kid': kid})}.{body}.",
        "the public key as a secret": _by_secret(house.issuer.keys, kid, body),
        "no signature": f"{head}.{body}.",
        "half a token": f"{head}.{body}",
        "another's claims": f"{head}.{_part({**claims, 'oid': str(uuid4())})}.{signature}",
        "nonsense": "nonsense",
    }


def _forged_carrier(carrier: Trunk) -> dict[str, str]:
    signer = carrier.signer
    kid = signer.keys.signing.kid
    good = signer.token(300)
    _, body, _ = good.split(".")
    return {
        "audience": Signer(str(uuid4()), signer.keys, signer.issuer).token(300),
        "issuer": Signer(signer.audience, signer.keys, "https://elsewhere.example").token(300),
        "expired": signer.token(-3_600),
        "another key": Signer(signer.audience, KeyRing(), signer.issuer).token(300),
        "unsigned": f"{_part({'alg': 'none', 'kid': kid})}.{body}.",
        "the public key as a secret": _by_secret(signer.keys, kid, body),
    }


def _part(said: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def _by_secret(keys: KeyRing, kid: str, body: str) -> str:
    """Signed with the public key, as if it were a shared secret."""
    public = keys.signing.private.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    said = f"{_part({'alg': 'HS256', 'kid': kid})}.{body}"
    mac = hmac.new(secret, said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


# -- the legitimate -----------------------------------------------------------------------------


def _told(seconds: Sequence[Second], calls: int, tap: Tap) -> dict[str, Any]:
    """What the first `calls` pages saw, which went through the product, and the others: in a
    typical second, and in all."""
    each = [_of_one(one, calls, tap) for one in seconds]
    return {
        "calls": calls,
        "frames": sum(one["frames"] for one in each),
        **{name: median(one[name] for one in each) for name in each[0] if name.endswith(" ms")},
        "worst second's p99 ms": max(one["p99 ms"] for one in each),
        # Those that are under way at either edge are not lost; out of order, they would be.
        "lost": sum(one["lost"] for one in each),
    }


def _of_one(second: Second, calls: int, tap: Tap) -> dict[str, float]:
    trips = trips_of(second.tallies[:calls])
    without = trips_of(second.tallies[calls:])
    if tap.is_open:
        added = tap.added_ms(second, second.tallies[:calls])
    else:
        added = [trip - percentile(without, 50) for trip in trips]
    return {
        "frames": len(trips),
        "p50 ms": percentile(trips, 50),
        "p99 ms": percentile(trips, 99),
        "without the product p50 ms": percentile(without, 50),
        "without the product p99 ms": percentile(without, 99),
        "added p50 ms": percentile(added, 50),
        ADDED: percentile(added, 99),
        "lost": sum(tally.disordered for tally in second.tallies[:calls]),
    }


@asynccontextmanager
async def _talking(
    house: House, calls: int
) -> AsyncGenerator[tuple[list[Call], list[Page], Telephone]]:
    """Calls over WebSockets, a few lines without the product, and one telephone."""
    opened = [await _open(house, f"198.51.100.{number % 250 + 1}") for number in range(calls)]
    beside = [await _direct(house.model) for _ in range(max(2, calls // 10))]
    telephone = await house.carrier.ring()
    start = time.perf_counter() + FRAME_S
    pages = [*(call.page for call in opened), *(page for page, _ in beside)]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(keep_talking([telephone], 3_600.0))]
            for number, page in enumerate(pages):
                tasks.append(group.create_task(page.talk(start + FRAME_S * number / len(pages))))
                tasks.append(group.create_task(page.listen()))
            yield opened, [page for page, _ in beside], telephone
            for task in tasks:
                task.cancel()
    finally:
        sockets = [*(call.socket for call in opened), *(line for _, line in beside)]
        await asyncio.gather(*(line.close() for line in sockets))


async def _open(house: House, address: str) -> Call:
    """Everybody is somebody else, and elsewhere: one person may not call so often."""
    headers = {
        "Origin": house.url,
        "Authorization": f"Bearer {house.token('caller')}",
        "X-Forwarded-For": address,
    }
    async with (
        asyncio.timeout(_OPEN_S),
        httpx.AsyncClient(base_url=house.url, headers=headers, trust_env=False) as client,
    ):
        answer = await client.post("/api/calls", json={"agent": house.agent})
        placed = answer.raise_for_status().json()
        line = await connect(
            house.url.replace("http", "ws", 1) + placed["socket"],
            origin=Origin(house.url),
            subprotocols=[Subprotocol("switchboard.v1"), Subprotocol(f"ticket.{placed['ticket']}")],
            additional_headers={"X-Forwarded-For": address},
            compression=None,
            ping_interval=None,
            proxy=None,
        )
        await _until(line, b'"ready"')
    return Call(Page(line, Product()), line, placed["call"], placed["ticket"])


async def _direct(model: str) -> tuple[Page, ClientConnection]:
    address = model.replace("http", "ws", 1) + "/openai/v1/realtime?model=standin"
    line = await connect(address, compression=None, ping_interval=None, proxy=None)
    await line.send('{"type":"response.create"}', text=True)
    await _until(line, b"response.output_item.added")
    return Page(line, Direct()), line


async def _until(line: ClientConnection, word: bytes) -> None:
    async with asyncio.timeout(_OPEN_S):
        while word not in await line.recv(decode=False):
            pass


async def _delivered(house: House) -> dict[str, Any]:
    """An Event Grid delivery, acted on once: somebody has seen it pass, and keeps it."""
    context = str(uuid4())
    event = {
        "id": context,
        "type": "Microsoft.Communication.IncomingCall",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "data": {
            "to": {"rawId": "4:+15550100"},
            "from": {"rawId": "4:+15550199"},
            "incomingCallContext": context,
            "correlationId": context,
        },
    }
    address = f"{house.url}/api/phone/incoming?secret={SECRET}"
    (await house.carrier.client.post(address, json=[event])).raise_for_status()
    async with asyncio.timeout(_OPEN_S):
        while not house.carrier.answered[context]:  # noqa: ASYNC110 - a count without events
            await asyncio.sleep(0.05)
    return event


# -- the house ----------------------------------------------------------------------------------


@asynccontextmanager
async def _tenant() -> AsyncGenerator[Issuer]:
    """Where people's tokens are from."""
    listener = socket.create_server((LOOPBACK, 0))
    issuer = Issuer(f"http://{LOOPBACK}:{listener.getsockname()[1]}", KeyRing())
    app = FastAPI()
    app.include_router(entra_router(issuer, None))
    async with serving(app, listener):
        yield issuer


@asynccontextmanager
async def _house(calls: int) -> AsyncGenerator[House]:
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        model, model_pid = await stack.enter_async_context(standing_in())
        issuer = await stack.enter_async_context(_tenant())
        carrier = await stack.enter_async_context(trunk())
        carrier.product = url
        environment = {
            **product_environment(port, model, folder / "data"),
            **sign_in_environment(int(issuer.address.rpartition(":")[2])),
            **carrier.environment(url),
            "SIGN_IN_CLIENT_ID": CLIENT,
            "ACS_NUMBER": "+15550100",
            "DIAL_ALLOWED": "GB,+1416",
            "DIAL_QUIET_HOURS": "none",
            "DIAL_NUMBER_A_DAY": str(NUMBER_A_DAY),
            "MAX_CALLS": str(calls + _SPARE_LINES),
            "LOG_FORMAT": "json",
            "TRUSTED_PROXIES": LOOPBACK,
        }
        log = folder / "log"
        serve = [PYTHON, "-m", "switchboard", "serve"]
        process = await stack.enter_async_context(running(serve, environment, log))
        await answering(f"{url}/health", process, log, _START_S)
        await carrier.opened()
        stack.enter_context(apart(process.pid, model_pid))
        yield House(url, AGENT, issuer, carrier, model, process, log)
