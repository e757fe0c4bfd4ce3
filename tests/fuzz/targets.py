"""Every decoder and verifier of what comes from outside, and what each may answer with.

A target is fed bytes, and raises nothing but what it documents. `covers` names the modules whose
reading of outside text it exercises; `test_fuzz.py` sees to it that no such module is missing.
"""

import asyncio
import io
import json
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.utils import base64url_encode
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketState
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosedOK

from switchboard.access.acs import AcsTokens, AcsTrust
from switchboard.access.eventgrid import EventGridDoor, EventGridTrust
from switchboard.access.identity import LocalOnly
from switchboard.access.keys import Keys, KeysUnavailable
from switchboard.access.media import MediaTickets
from switchboard.access.origins import KnownHosts, Origins
from switchboard.access.people import People, SignInTrust, principal_of
from switchboard.access.platform import Platform
from switchboard.access.principal import ANONYMOUS
from switchboard.access.proxies import TrustedProxies
from switchboard.access.refusals import NotIdentified
from switchboard.access.tickets import NewTicket, TicketFacts, TicketOffice
from switchboard.after import signing, wanted
from switchboard.agents.after import AfterEntry, Goal
from switchboard.agents.roster import read_draft
from switchboard.browser import codec as page
from switchboard.browser import routes as page_routes
from switchboard.browser.placed import PlacedCall
from switchboard.browser.problems import Refusal
from switchboard.browser.protocol import AttachCall, MintSession, NewOffer, PlaceCall
from switchboard.browser.proxy.closing import Close, carried
from switchboard.browser.proxy.wanted import read_wanted
from switchboard.browser.reading import understood
from switchboard.browser.webrtc.routes import last_seen
from switchboard.console import evals as console_evals
from switchboard.console import far, joined, linkroom, links, orders
from switchboard.console import protocol as console_wire
from switchboard.console import shown as console_shown
from switchboard.console.asking import asked_history, asked_overview
from switchboard.console.listening import SocketEar
from switchboard.console.passes import Passes
from switchboard.console.seat import SocketSeat
from switchboard.console.sitting import shown_ticket
from switchboard.conversation import handing, toolcalls, wording
from switchboard.conversation.audio import is_pcm
from switchboard.doctor import sessions as doctor
from switchboard.errors import ConfigurationError, ModelUnavailable, NotAllowed, ToolFailed
from switchboard.framing import whole_message
from switchboard.model import chat, signalling, vault, voice_live
from switchboard.model import codec as model
from switchboard.model.endings import service_code
from switchboard.model.wire import lenient
from switchboard.phone import callbacks as phone_callbacks
from switchboard.phone import codec as media
from switchboard.phone import outgoing_routes
from switchboard.phone.cutter import Cutter
from switchboard.phone.dialling import DiallingRules, NotDialled, QuietHours, consider
from switchboard.phone.handover import Handover
from switchboard.phone.keys import read_keys
from switchboard.phone.webhooks import Misposted, callbacks, grid_events
from switchboard.records import spool
from switchboard.records.evalruns import EvalRun
from switchboard.records.redaction.kinds import FULL
from switchboard.records.redaction.redactor import Redactor
from switchboard.tools.signature import canonical, signature_of
from tests.access.signer import AUDIENCE, ISSUER, METADATA, Signer, private_key, signed
from tests.fuzz.mutate import MAX_BYTES, NASTY_VALUES

# The readers are taken from inside their modules where they have no name outside: they are the
# thing under test.
# pyright: reportPrivateUsage=false

CLIENT: Final = "c11e0000-1111-4111-8111-000000000001"
TENANT: Final = "7e000000-2222-4222-8222-000000000002"
NOW: Final = 1_790_000_000.0
NOON: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    """Also that of its folder in `corpus/`."""
    feed: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    """The only exceptions that may come out."""
    covers: tuple[str, ...]
    """Modules below `switchboard`."""
    fresh: Callable[[], Iterator[bytes]] = lambda: iter(())
    """Seeds that no file can hold: tokens are signed by a key of the run, and they expire."""
    most_bytes: int = MAX_BYTES
    """Of an input: less where reading a long one takes long."""


# -- what requests are made of -----------------------------------------------------------------


def _text(data: bytes) -> str:
    """Text as it may come from JSON: with halves of surrogate pairs."""
    return data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace")


def _far_desk(data: bytes) -> None:
    joined._understood(_lenient_text(data))


def _lenient_text(data: bytes) -> str:
    try:
        return _text(data)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _scope(kind: str = "http", **parts: object) -> dict[str, Any]:
    return {"type": kind, "path": "/", "query_string": b"", "headers": [], **parts}


def _connection(name: bytes, value: bytes) -> HTTPConnection:
    return HTTPConnection(_scope(headers=[(name, value)], client=("127.0.0.1", 9)))


def _offering(data: bytes) -> WebSocket:
    """A socket that offers these subprotocols, split as the server's HTTP stack splits them."""
    offered = [name.strip() for name in data.decode("latin-1").split(",")]
    return WebSocket(_scope("websocket", subprotocols=offered), _nothing, _nobody)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _nobody(_: Message) -> None:
    return


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _run[T](work: Coroutine[Any, Any, T]) -> T:
    return _loop().run_until_complete(work)


async def _published(url: str) -> bytes:
    """The keys of a signer, whichever document is asked for."""
    request = httpx.Request("GET", url)
    jwks = f"{ISSUER}/calling/keys"
    if url.endswith("openid-configuration"):
        jwks = f"{ISSUER}/keys"
    return Signer(jwks_uri=jwks).answer(request).content


# -- the verifiers -----------------------------------------------------------------------------


@cache
def _acs() -> AcsTokens:
    return AcsTokens(AcsTrust(AUDIENCE, ISSUER, METADATA), _published)


@cache
def _grid() -> EventGridDoor:
    trust = EventGridTrust(tenant_id=TENANT, audiences=[CLIENT], authority=ISSUER)
    return EventGridDoor(trust, _published)


@cache
def _people() -> People:
    return People(SignInTrust(CLIENT, [TENANT], ISSUER), _published)


def _signed(claims: Mapping[str, object]) -> Callable[[], Iterator[bytes]]:
    """A good token, and others of the same signer whose claims are not what they ought to be."""

    def seeds() -> Iterator[bytes]:
        good = {**claims, "exp": int(time.time()) + 3_600}
        yield signed(good).encode()
        for name in ("exp", "nbf", "aud", "iss", "roles", "oid", "scp"):
            for value in (*NASTY_VALUES, float("inf"), float("nan")):
                yield _by_hand({**good, name: value})

    return seeds


_GRID_CLAIMS: Final = {
    "iss": f"{ISSUER}/{TENANT}/v2.0",
    "aud": CLIENT,
    "roles": ["AzureEventGridSecureWebhookSubscriber"],
}
_PERSON_CLAIMS: Final = {
    "ver": "2.0",
    "iss": f"{ISSUER}/{TENANT}/v2.0",
    "aud": CLIENT,
    "tid": TENANT,
    "oid": "0b000000-3333-4333-8333-000000000004",
    "scp": "access_as_user",
    "roles": ["caller"],
}


def _by_hand(claims: Mapping[str, object]) -> bytes:
    """Signed as it is: a library would refuse to write some of these."""
    header = {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    parts = [base64url_encode(json.dumps(each).encode()) for each in (header, claims)]
    said = b".".join(parts)
    signature = private_key("k1").sign(said, PKCS1v15(), SHA256())
    return said + b"." + base64url_encode(signature)


def _bearer(data: bytes) -> HTTPConnection:
    return _connection(b"authorization", b"Bearer " + data)


def _claims(data: bytes) -> object:
    """What a token says, were it its signer who said it."""
    try:
        said: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return principal_of(cast("dict[str, Any]", said), TENANT) if isinstance(said, dict) else None


def _fetched_keys(data: bytes) -> object:
    """A signer's documents, the first of them or the second, are these bytes."""
    halves = data.partition(b"\n--\n")

    async def fetch(url: str) -> bytes:
        return halves[0] if url == METADATA or not halves[1] else halves[2]

    keys = Keys(METADATA, fetch, clock=lambda: 100.0)
    return _run(keys.get("k1"))


_KNOWN_TICKET: Final = sha256(b"A" * 43).hexdigest()


@dataclass(frozen=True, slots=True)
class _Facts:
    call_id: str = "call"
    principal_id: str = ANONYMOUS.id
    kind: str = "open"
    token_until: float | None = None
    facts: str = ""


class _OneRow:
    """A store with one ticket, forty-three times A."""

    def __init__(self, facts: str = "") -> None:
        self._facts = facts

    async def put(self, *_: object, **__: object) -> None:
        return

    async def consume(self, digest: str, kind: str, now: float) -> _Facts | None:
        return _Facts(facts=self._facts) if digest == _KNOWN_TICKET else None

    async def extend(self, call_id: str, token_until: float) -> None:
        return

    async def trade(
        self, digest: str, call_id: str, principal_id: str | None, now: float, *, new: NewTicket
    ) -> TicketFacts | None:
        return _Facts() if digest == _KNOWN_TICKET else None

    async def bind(self, digest: str, call_id: str, connection_id: str, now: float) -> str | None:
        return "{}" if digest == _KNOWN_TICKET else None

    async def sweep(self, now: float) -> Any:  # noqa: ANN401 - either kind's
        return ()

    async def revoke(self, call_id: str) -> None:
        return


def _ticket(data: bytes) -> object:
    office = TicketOffice(_OneRow(), open_s=30)
    return _run(office.redeem(_lenient_text(data), "call", ANONYMOUS))


def _pass(data: bytes) -> object:
    """Whom a good pass says that it is for."""
    passes = Passes(_OneRow(data.decode("utf-8", "replace")), "desk")
    return _run(passes.redeem_of("A" * 43, "call", None))


def _media_ticket(data: bytes) -> object:
    ticket, _, connection = _lenient_text(data).partition("\n")
    return _run(MediaTickets(_OneRow()).check(ticket, "call", connection))


_ORIGINS: Final = Origins(["https://talk.example.com", "http://127.0.0.1:8000"])


def _origin(data: bytes) -> None:
    _ORIGINS.check(_connection(b"origin", data))


def _passed(app: Any, headers: list[tuple[bytes, bytes]]) -> tuple[str, int] | None:  # noqa: ANN401
    seen: list[Scope] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    scope = _scope(headers=headers, client=("10.0.0.4", 9), scheme="http")
    _run(app(inner)(scope, _nothing, _nobody))
    return seen[0]["client"] if seen else None


def _forwarded(data: bytes) -> None:
    headers = [(b"x-forwarded-for", line) for line in data.split(b"\n")]
    headers.append((b"x-forwarded-proto", data))
    client = _passed(lambda app: TrustedProxies(app, [ip_network("10.0.0.0/24")]), headers)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    assert client is not None
    ip_address(client[0])  # nobody makes up a bucket of their own


def _host(data: bytes) -> None:
    headers = [(b"host", line) for line in data.split(b"\n")]
    _passed(lambda app: KnownHosts(app, ["talk.example.com"]), headers)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    connection = HTTPConnection(_scope(headers=headers, client=("127.0.0.1", 9)))
    _run(LocalOnly().identify(connection))


# -- the decoders ------------------------------------------------------------------------------


def _body[T](kind: type[T]) -> Callable[[bytes], object]:
    decoder = msgspec.json.Decoder(kind)
    return lambda data: understood(data, decoder)


def _proxied(data: bytes) -> object:
    query, _, offered = data.partition(b"\n")
    names = [name.strip() for name in offered.decode("latin-1").split(",") if name.strip()]
    return read_wanted(query, names, NOW)


def _closing(data: bytes) -> None:
    code = int.from_bytes(data[:2])
    said = carried(code, _lenient_text(data[2:]).encode("utf-8", "replace").decode(), lost=_LOST)
    assert len(said.reason.encode()) <= 123


_LOST: Final = Close(1011, "lost")


def _frame(data: bytes) -> None:
    at = 0
    while (found := whole_message(data, at, 65_536)) is not None:
        assert found.end > at
        at = found.end


def _query(read: Callable[[Request], object]) -> Callable[[bytes], object]:
    return lambda data: read(Request(_scope(query_string=data)))


def _session_frames(decoder: Callable[[], model.Decoder]) -> Callable[[bytes], None]:
    """A session's frames, one a line, as text and as bytes: it remembers what it has seen."""

    def feed(data: bytes) -> None:
        reading = decoder()
        for line in data.split(b"\n"):
            reading.decode(line)
        reading.decode(_lenient_text(data))

    return feed


def _dial(data: bytes) -> None:
    text = _lenient_text(data)
    consider(text, DiallingRules(["GB", "+1416"]), NOON)


def _dialling_rules(data: bytes) -> None:
    allowed, _, quiet = _lenient_text(data).partition("\n")
    DiallingRules(allowed.split(","), QuietHours.read(quiet))


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="fuzz-")


def _config(data: bytes) -> object:
    path = Path(_folder().name) / "session_config.json"
    path.write_bytes(data)
    return read_draft(path)


def _tool(account: str, amount: float, notes: list[str] | None = None, urgent: bool = False) -> str:
    """A tool."""
    return account


_SIGNATURE: Final = signature_of(_tool)


def _arguments(data: bytes) -> None:
    """What a model calls a tool with reaches each of these, unread before."""
    text = _lenient_text(data)
    canonical(text)
    toolcalls.canonical(text)
    toolcalls.fill("Transfer {amount} from {account}?", text).encode()
    handing._read(text)[1].encode()
    read_keys(text)
    _SIGNATURE.read(text)


def _stored_json(data: bytes) -> None:
    """Results and arguments of tools, on their way to pages, operators and records."""
    text = _lenient_text(data)
    page._shown(text)
    console_shown.shown_json(text)
    wording._as_data(text)
    _REDACTOR.data(text)


_REDACTOR: Final = Redactor(FULL)


def _eval_report(data: bytes) -> None:
    """A stored report, as an operator is answered."""
    run = EvalRun("run", 0.0, "text", 0, 1, 1.0, 1, 1, has_page=False)
    msgspec.json.encode(console_evals.detail_of(run, _lenient_text(data)))


def _playout(data: bytes) -> None:
    """Pieces of a reply, one a line, cut into frames for a telephone."""
    cutter = Cutter()
    for line in data.split(b"\n"):
        cutter.put("item", _lenient_text(line))
    while (frame := cutter.take(rest=True)) is not None:
        assert is_pcm(frame.audio)


def _vault(data: bytes) -> object:
    vault._inner_code(data)
    return vault._value(data)


async def _to_an_ear(data: bytes) -> object:
    return SocketEar(_offering(b"")).said(_lenient_text(data))


async def _to_a_seat(data: bytes) -> object:
    return SocketSeat(_offering(b"")).said(_lenient_text(data))


async def _first_frame(data: bytes) -> object:
    """Of a link: sockets have seen to it that it is UTF-8."""

    async def receive() -> Message:
        return {"type": "websocket.receive", "text": data.decode("utf-8", "replace")}

    socket = WebSocket(_scope("websocket", subprotocols=[]), receive, _nobody)
    socket.client_state = socket.application_state = WebSocketState.CONNECTED
    return await linkroom._topic_of(socket)


class _Link:
    """Another server says one thing, and is done."""

    def __init__(self, frame: str) -> None:
        self._frames = [frame]

    async def recv(self) -> str:
        if not self._frames:
            raise ConnectionClosedOK(None, None)
        return self._frames.pop()


async def _linked(data: bytes) -> object:
    link = cast("ClientConnection", _Link(data.decode("utf-8", "replace")))
    return [each async for each in links.told(link)]


def _from_the_bus(decoder: msgspec.json.Decoder[Any]) -> Callable[[bytes], object]:
    """Bodies out of the database, where text is UTF-8."""
    return lambda data: decoder.decode(data.decode("utf-8", "replace"))


_UNREAD: Final = (msgspec.MsgspecError, RecursionError)
"""Whoever reads the bus catches whatever an order raises."""


def _placed(data: bytes) -> object:
    return PlacedCall.read(data.decode("utf-8", "replace"))


_AFTER: Final = AfterEntry(
    goals=(Goal(id="booked", description="It was booked"),),
    fields={"type": "object", "properties": {"day": {"type": "string"}}},
)


def _findings(data: bytes) -> object:
    text = _lenient_text(data)
    wanted._value(text)
    return wanted.findings_of(_AFTER, text)


def _spooled(data: bytes) -> None:
    file = io.BytesIO(data)
    while spool._chunk(file) is not None:
        pass


def _refusal(data: bytes) -> None:
    code = service_code(data)
    assert code is None or len(code) <= 64
    lenient(data, msgspec.json.Decoder(float))


def _wish(data: bytes) -> object:
    return outgoing_routes._understood(data)


TARGETS: Final[tuple[Target, ...]] = (
    # the page
    Target(
        "page_frames",
        lambda data: page.decode(_lenient_text(data)),
        (page.Misunderstood,),
        ("browser.codec",),
    ),
    Target("place_call", _body(PlaceCall), (Refusal,), ("browser.routes", "browser.reading")),
    Target("sdp_offers", _body(NewOffer), (Refusal,), ("browser.webrtc.routes",)),
    Target("mint_session", _body(MintSession), (Refusal,), ("browser.webrtc.minting",)),
    Target("attach_call", _body(AttachCall), (Refusal,), ("browser.webrtc.minting",)),
    Target(
        "event_ids", lambda data: last_seen(data.decode("latin-1")), (), ("browser.webrtc.routes",)
    ),
    Target(
        "page_subprotocols",
        lambda data: page_routes._shown_ticket(_offering(data), "call"),
        (Refusal, NotIdentified),
        ("browser.routes",),
    ),
    Target("proxy_wishes", _proxied, (Refusal, NotIdentified), ("browser.proxy.wanted",)),
    Target("proxy_closes", _closing, (), ("browser.proxy.closing",)),
    Target("socket_frames", _frame, (), ("framing",)),
    # operators
    Target("console_deeds", _body(console_wire.Deed), (Refusal,), ("console.doing",)),  # pyright: ignore[reportArgumentType]
    Target("console_history", _query(asked_history), (Refusal,), ("console.asking",)),
    Target("console_overview", _query(asked_overview), (Refusal,), ("console.asking",)),
    Target(
        "console_subprotocols",
        lambda data: shown_ticket(_offering(data), console_wire.LISTEN_PROTOCOL),
        (Refusal, NotIdentified),
        ("console.sitting",),
    ),
    Target("eval_reports", _eval_report, (Refusal,), ("console.evals",)),
    Target("console_renewals", lambda data: _run(_to_an_ear(data)), (), ("console.listening",)),
    Target("console_desk", lambda data: _run(_to_a_seat(data)), (), ("console.seat",)),
    Target("far_desk", _far_desk, (), ("console.joined",)),
    Target("console_passes", _pass, (), ("console.passes",)),
    # other servers of ours
    Target("placed_calls", _placed, (), ("browser.placed",)),
    Target("link_topics", lambda data: _run(_first_frame(data)), (), ("console.linkroom",)),
    Target("link_frames", lambda data: _run(_linked(data)), (), ("console.links",)),
    Target("bus_orders", _from_the_bus(orders._order), _UNREAD, ("console.orders",)),
    Target("bus_replies", _from_the_bus(far._reply), _UNREAD, ("console.far",)),
    Target("bus_callbacks", _from_the_bus(phone_callbacks._told), _UNREAD, ("phone.callbacks",)),
    Target("spooled_rows", _spooled, (), ("records.spool",)),
    # the telephone
    Target(
        "media_frames",
        lambda data: media.decode(_lenient_text(data)),
        (media.Misheard,),
        ("phone.codec",),
    ),
    Target("acs_callbacks", callbacks, (Misposted,), ("phone.webhooks",)),
    Target("event_grid", grid_events, (Misposted,), ("phone.webhooks",)),
    Target("dialled_numbers", _dial, (NotDialled,), ("phone.dialling",)),
    Target(
        "dialling_rules", _dialling_rules, (ConfigurationError, ValueError), ("phone.dialling",)
    ),
    Target("place_telephone_call", _wish, (HTTPException,), ("phone.outgoing_routes",)),
    Target(
        "handovers",
        lambda data: Handover.read(_lenient_text(data)),
        (NotIdentified,),
        ("phone.handover",),
    ),
    # the model's services
    Target(
        "model_ga",
        _session_frames(model.Decoder),
        (model.MalformedFrame,),
        ("model.codec", "model.replies", "model.wire"),
    ),
    Target(
        "model_voice_live",
        _session_frames(voice_live.decoder),
        (model.MalformedFrame,),
        ("model.voice_live",),
    ),
    Target("model_refusals", _refusal, (), ("model.endings", "model.wire")),
    Target(
        "model_secrets",
        lambda data: signalling._secret(200, data),
        (ModelUnavailable,),
        ("model.signalling",),
    ),
    Target("after_answers", _findings, (wanted.Misfit,), ("after.wanted",), most_bytes=12_000),
    Target("chat_answers", chat._answer, (ModelUnavailable,), ("model.chat",)),
    Target("vault_answers", _vault, (vault.SecretUnread,), ("model.vault",)),
    Target("doctor_frames", doctor._event, (), ("doctor.sessions",)),
    Target("played_audio", _playout, (ValueError,), ("phone.cutter",)),
    # tokens, tickets and whence
    Target(
        "acs_tokens",
        lambda data: _run(_acs().check(_bearer(data))),
        (NotIdentified,),
        ("access.signed", "access.acs"),
        _signed({"iss": ISSUER, "aud": AUDIENCE}),
    ),
    Target(
        "event_grid_tokens",
        lambda data: _run(_grid().check(_bearer(data))),
        (NotIdentified,),
        ("access.eventgrid",),
        _signed(_GRID_CLAIMS),
    ),
    Target(
        "people_tokens",
        lambda data: _run(_people().identify(_bearer(data))),
        (NotAllowed,),
        ("access.people",),
        _signed(_PERSON_CLAIMS),
    ),
    Target("people_claims", _claims, (NotAllowed,), ("access.people",)),
    Target(
        "platform_headers",
        lambda data: _run(
            Platform(_people_trust()).identify(_connection(b"x-ms-client-principal", data))
        ),
        (NotAllowed,),
        ("access.platform",),
    ),
    Target("key_documents", _fetched_keys, (KeysUnavailable,), ("access.keys",)),
    Target("tickets", _ticket, (NotIdentified,), ("access.tickets",)),
    Target("media_tickets", _media_ticket, (NotIdentified,), ("access.media",)),
    Target("origins", _origin, (NotAllowed,), ("access.origins",)),
    Target("hosts", _host, (NotIdentified,), ("access.origins", "access.identity")),
    Target("forwarded_for", _forwarded, (), ("access.proxies",)),
    Target(
        "webhook_secrets",
        lambda data: signing._key(_lenient_text(data)),
        (ConfigurationError,),
        ("after.signing",),
    ),
    # what people write, and what tools are asked and say
    Target(
        "session_config",
        _config,
        (ConfigurationError,),
        ("agents.roster", "agents.lines", "agents.config"),
        most_bytes=12_000,
    ),
    Target(
        "tool_arguments",
        _arguments,
        (ToolFailed,),
        ("tools.signature", "conversation.toolcalls", "conversation.handing", "phone.keys"),
    ),
    Target(
        "tool_results",
        _stored_json,
        (),
        (
            "browser.codec",
            "console.shown",
            "conversation.wording",
            "records.redaction.redactor",
        ),
        most_bytes=6_000,
    ),
)


@cache
def _people_trust() -> SignInTrust:
    return SignInTrust(CLIENT, [TENANT], ISSUER)


BY_NAME: Final[Mapping[str, Target]] = {target.name: target for target in TARGETS}

OTHERS: Final[Mapping[str, str]] = {
    "records.recordings": "reads back what this server wrote itself, list of addresses by list",
    "records.export": "reads back what this server wrote itself, goals and fields",
    "records.reel": "audio that browser.codec or model.replies has let in",
    "after.delivery": "reads back what after.wanted has let in",
    "after.reading": "reads what it has just written, redacted",
    "evals.byphone": "the local cloud's own socket, on this machine; what is unread is no pass",
    "evals.bysocket": "run by whoever tries a server of theirs; what is unread is no pass",
    "evals.cloud": "what the local cloud, its own child, has printed",
    "evals.chat": "run by whoever tries their own agent; what is unread is no pass",
    "evals.evidence": "the same, with its own tools' arguments and results",
    "evals.record": "reads back a record that this server wrote",
    "evals.results": "a report of its own, named by whoever runs it",
    "evals.voiceleg": "audio that model.replies has let in",
    "tools.cli": "reads what its own toolbox has just written",
    "browser.proxy.routes": "hands both on to browser.proxy.wanted as they are",
    "doctor.clocks": "one header, read by the standard library, whatever it says",
    "exchange.earshot": "audio that browser.codec or phone.codec has let in",
    "phone.arriving": "a header of an event that phone.webhooks has let in, looked up in a table",
    "phone.media": "hands both on to access.media as they are",
    "phone.resample": "audio that phone.codec or phone.cutter has let in",
    "phone.routes": "compares one header with a word",
}
"""Modules that read JSON which did not come from outside, and why it did not."""
