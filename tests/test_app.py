"""The whole house over real sockets: routes, exchange, records. Only the model is a script."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from switchboard.access.identity import Identify
from switchboard.app import create_app
from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.legs import ModelLeg, ReplyAudio
from switchboard.conversation.session import Service, SessionSpec
from switchboard.errors import ConfigurationError, ModelUnavailable, NotAllowed
from switchboard.house import PROBES, House
from switchboard.records.history import history
from switchboard.records.opening import Opening
from switchboard.settings import Settings
from tests.browser.peers import FRAME, Page, serving
from tests.browser.peers import House as Door
from tests.browser.proxy.peers import VoiceLive, voice_live
from tests.exchange.legs import Model
from tests.model.identity import SECRET_HEADER, identity_endpoint

ROOT = Path(__file__).parents[1]


class Parrot(Model):
    """Says back what it was told, each time it is asked for a reply."""

    def __init__(self) -> None:
        super().__init__()
        self._words = "Hello"
        self._replies = 0

    def __aiter__(self) -> AsyncIterator[e.ModelEvent | ReplyAudio]:
        self.does(e.ModelReady("s1"))
        return super().__aiter__()

    def command(self, command: c.ModelCommand) -> None:
        super().command(command)
        match command:
            case c.AddCallerText(_, text):
                self._words = text
            case c.RequestReply(tag):
                self._reply(tag)
            case _:
                pass

    def _reply(self, tag: str) -> None:
        self._replies += 1
        reply, item = f"reply{self._replies}", f"item{self._replies}"
        self.does(
            e.ReplyStarted(reply, tag),
            e.ReplyItemStarted(reply, item, e.ItemKind.MESSAGE),
            ReplyAudio(reply, item, FRAME),
            e.ReplyWords(reply, item, self._words, final=True),
            e.ReplyDone(reply, e.ReplyStatus.COMPLETED, usage=e.Usage(output_audio=5)),
        )


@dataclass
class Parrots:
    """The model service."""

    specs: list[SessionSpec] = field(default_factory=list[SessionSpec])
    open: int = 0
    refuse: ModelUnavailable | None = None

    @asynccontextmanager
    async def dial(self, spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
        if self.refuse:
            raise self.refuse
        self.specs.append(spec)
        self.open += 1
        try:
            yield Parrot()
        finally:
            self.open -= 1


@dataclass
class Served:
    """The house, its model service, and a page's way in."""

    house: House
    models: Parrots
    port: int
    http: httpx.AsyncClient

    async def place(self) -> dict[str, Any]:
        answer = await self.http.post("/api/calls", json={"agent": "telecom"})
        assert answer.status_code == 201, answer.text
        return answer.json()

    @asynccontextmanager
    async def dial(self, placed: dict[str, Any], ticket: str | None = None) -> AsyncGenerator[Page]:
        way_in = Door(self.port, exchange=None, tickets=self.house.tickets)  # pyright: ignore[reportArgumentType]  (only its address is used)
        async with way_in.dial(placed, ticket=ticket) as opened:
            page = Page(opened)
            page.ready = await page.next("ready")
            yield page

    async def quiet(self) -> None:
        """Wait until no call is left."""
        with anyio.fail_after(20):
            while self.house.switchboard.live() or self.models.open:  # noqa: ASYNC110
                await anyio.sleep(0.01)


@asynccontextmanager
async def open_house(data_dir: Path, **settings: Any) -> AsyncGenerator[Served]:  # noqa: ANN401  (any setting)
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    models = Parrots()
    wanted: dict[str, Any] = {"reattach_seconds": 0.3, "after_calls": False, **settings}
    app = create_app(
        Settings(
            port=port, data_dir=data_dir, session_config=ROOT / "session_config.json", **wanted
        ),
        dial=models.dial,
    )
    origin = f"http://127.0.0.1:{port}"
    async with (
        serving(app, door),
        httpx.AsyncClient(base_url=origin, headers={"Origin": origin}, trust_env=False) as http,
    ):
        yield Served(app.state.house, models, port, http)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_house(tmp_path) as served:
        yield served


async def say(page: Page, text: str, item: str = "t1") -> dict[str, Any]:
    """A typed turn, and the agent's final line in answer to it."""
    await page.say("text", id=item, text=text)
    with anyio.fail_after(20):
        while True:
            line = await page.next("line")
            if line["speaker"] == "agent" and line["text"] == text:
                return line


async def test_a_call_from_greeting_to_record(home: Served) -> None:
    placed = await home.place()
    async with home.dial(placed) as page:
        assert (await page.next("audio"))["audio"] == FRAME  # the greeting
        await page.say("played", item="item1", ms=20)
        await say(page, "What do I owe?")
        await page.say("played", item="item2", ms=20)
        await page.say("end")
        code, said = await page.closed()
    assert (code, said[-1]["type"], said[-1]["reason"]) == (1000, "ended", "goodbye")
    await home.quiet()
    await home.house.recorder.flush()
    account = await history(home.house.store, placed["call"])
    assert account is not None
    assert (account.call.agent, account.call.end_reason) == ("telecom", "goodbye")
    assert account.call.ended_at is not None
    assert [(item.speaker, item.text) for item in account.items if item.typed] == [
        ("caller", "What do I owe?")
    ]
    assert sum(reply.output_audio or 0 for reply in account.replies) == 10


async def test_leaving_the_page_in_mid_call_leaves_nothing_running(home: Served) -> None:
    async with home.dial(await home.place()) as page:
        await page.next("audio")
        await page.socket.close(1001)
    await home.quiet()
    tasks = len(asyncio.all_tasks())
    for _ in range(5):
        async with home.dial(await home.place()) as page:
            await page.next("audio")
            await page.socket.close(1001)
    await home.quiet()
    with anyio.fail_after(20):
        while len(asyncio.all_tasks()) > tasks:  # noqa: ASYNC110  (a connection is still closing)
            await anyio.sleep(0.01)


async def test_a_lost_page_comes_back_to_the_same_conversation(tmp_path: Path) -> None:
    async with open_house(tmp_path, reattach_seconds=5) as home:
        placed = await home.place()
        async with home.dial(placed) as page:
            assert page.ready["reattachSeconds"] == 5
            await say(page, "Remember me")
            page.socket.transport.abort()
        async with home.dial(placed, page.ready["resume"]) as again:
            assert again.ready["resumed"] is True
            assert again.ready["resume"] != page.ready["resume"]
            lines = [await again.next("line") for _ in range(3)]
            assert "Remember me" in [line["text"] for line in lines]
            await say(again, "Still there?", "t2")
            assert len(home.models.specs) == 1


async def test_a_newer_socket_takes_the_call_over(tmp_path: Path) -> None:
    async with open_house(tmp_path, reattach_seconds=5) as home:
        placed = await home.place()
        async with (
            home.dial(placed) as old,
            home.dial(placed, old.ready["resume"]) as new,
        ):
            code, said = await old.closed()
            assert (code, said[-1]["reason"]) == (1000, "replaced")
            await say(new, "Mine now")
            new.socket.transport.abort()
            await anyio.sleep(0.05)
            async with home.dial(
                placed, new.ready["resume"]
            ) as third:  # its ticket outlived the old leg
                assert third.ready["resumed"] is True


async def test_a_page_that_stays_away_has_left(home: Served) -> None:
    placed = await home.place()
    async with home.dial(placed) as page:
        page.socket.transport.abort()
    await home.quiet()
    await home.house.recorder.flush()
    account = await history(home.house.store, placed["call"])
    assert account is not None
    assert account.call.end_reason == "caller_lost"


async def test_a_model_that_cannot_be_reached_ends_the_call_in_words(home: Served) -> None:
    home.models.refuse = ModelUnavailable("no such deployment: secret-name", retryable=False)
    async with home.dial(await home.place()) as page:
        code, said = await page.closed()
    assert (code, said[-1]["type"]) == (1000, "ended")
    assert "voice service" in said[-1]["text"]
    await home.quiet()


async def test_lines_are_counted_and_come_back(tmp_path: Path) -> None:
    async with open_house(tmp_path, max_calls=1) as home:
        placed = await home.place()
        busy = await home.http.post("/api/calls", json={"agent": "telecom"})
        assert (busy.status_code, busy.json()["code"]) == (503, "lines_busy")
        async with home.dial(placed) as page:
            await page.say("end")
            await page.closed()
        await home.quiet()
        await home.place()


async def test_a_call_nobody_came_to_gives_its_line_back(tmp_path: Path) -> None:
    async with open_house(tmp_path, max_calls=1, ticket_seconds=1) as home:
        await home.place()
        await anyio.sleep(1.1)
        await home.house.tickets.sweep(home.house.switchboard.cancel)
        await home.place()


async def test_health_says_what_works(home: Served) -> None:
    answer = await home.http.get("/health", headers={"Host": "10.0.0.1"})
    state = answer.json()
    assert (answer.status_code, state["status"], state["calls"]["live"]) == (200, "ready", 0)
    home.house.broken.append("agents")
    answer = await home.http.get("/health")
    assert (answer.status_code, answer.json()["broken"]) == (503, ["agents"])


async def test_calls_that_a_crash_left_open_are_closed_at_start(tmp_path: Path) -> None:
    async with open_house(tmp_path) as home:
        home.house.recorder.open_call(
            Opening(
                "crashed",
                principal_id="local",
                agent="telecom",
                model="m",
                voice="v",
                channel="browser",
                began_at=1.0,
            )
        )
        await home.house.recorder.flush()
    async with open_house(tmp_path) as home:
        account = await history(home.house.store, "crashed")
        assert account is not None
        assert account.call.end_reason == "interrupted"


async def test_health_counts_proxied_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        voice_live() as live,
        open_house(tmp_path) as without,
        open_proxy(tmp_path / "with", live, monkeypatch, proxy_max_connections=7) as home,
    ):
        state = (await without.http.get("/health")).json()
        assert (state["activeConnections"], state["maxConnections"]) == (0, 0)
        async with dial_proxy(home) as client:
            await client.send("hello")
            assert await client.recv() == "hello"
            answer = await home.http.get("/health")
            state = answer.json()
    assert (answer.status_code, state["status"]) == (200, "ready")
    assert (state["activeConnections"], state["maxConnections"]) == (1, 7)
    assert datetime.fromisoformat(state["timestamp"]).tzinfo is not None
    assert live.bearer == "Bearer token-1"  # of the machine's identity


async def test_the_proxy_is_not_there_unless_it_is_asked_for(home: Served) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with dial_proxy(home):
            pass
    assert refusal.value.response.status_code == 404


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("application/json, */*;q=0.1", True),
        ("text/html;q=0.5, application/json", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("text/html, application/json;q=0.9", False),
        ("application/json;q=0", False),
        ("application/json;q=nonsense", False),
        ("*/*", False),
        ("", False),
    ],
)
async def test_programs_are_told_what_there_is_and_people_get_the_page(
    home: Served, accept: str, is_json: bool
) -> None:
    answer = await home.http.get("/", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/json") == is_json
    if is_json:
        about = answer.json()
        assert (answer.status_code, about["name"]) == (200, "switchboard")
        assert about["version"]
        assert about["endpoints"]["health"] == "/health"
        assert "proxy" not in about["endpoints"]


async def test_where_there_is_a_proxy_programs_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with voice_live() as live, open_proxy(tmp_path, live, monkeypatch) as home:
        about = (await home.http.get("/", headers={"Accept": "application/json"})).json()
    assert about["endpoints"]["proxy"] == "/ws"


@asynccontextmanager
async def open_proxy(
    data_dir: Path,
    live: VoiceLive,
    monkeypatch: pytest.MonkeyPatch,
    **settings: Any,  # noqa: ANN401  (any setting)
) -> AsyncGenerator[Served]:
    """The house with its proxy in front of `live`, on a machine that has an identity."""
    async with identity_endpoint() as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", identity.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        async with open_house(
            data_dir, voice_live_proxy=True, azure_voicelive_endpoint=live.endpoint, **settings
        ) as home:
            yield home


def dial_proxy(home: Served) -> connect:
    return connect(
        f"ws://127.0.0.1:{home.port}/ws?model=m",
        origin=f"http://127.0.0.1:{home.port}",  # pyright: ignore[reportArgumentType]  (text will do)
        proxy=None,
    )


async def test_the_page_is_told_no_prompt_and_no_schema(home: Served) -> None:
    said = (await home.http.get("/api/config")).text
    for profile in home.house.reception.book.edition.roster.agents.values():
        assert profile.instructions not in said
        assert profile.instructions[:40] not in said
        assert not any(f'"{tool}"' in said for tool in profile.tools)


async def test_a_model_on_voice_live_is_a_choice_like_any_other(home: Served) -> None:
    offered = (await home.http.get("/api/config")).json()["models"]
    choice = {"id": "voice-live", "title": "Voice Live: GPT Realtime 2.1"}
    assert choice | {"connections": ["websocket"]} in offered
    wanted = {"agent": "telecom", "model": "voice-live", "voice": "ava"}
    placed = await home.http.post("/api/calls", json=wanted)
    async with home.dial(placed.json()) as page:
        await page.next("audio")
    (spec,) = home.models.specs
    assert (spec.service, spec.model) == (Service.VOICE_LIVE, "gpt-realtime-2.1")
    assert spec.voice_object == {"type": "azure-standard", "name": "en-US-Ava:DragonHDLatestNeural"}


async def test_a_voice_its_model_does_not_speak_is_refused_in_words(home: Served) -> None:
    answer = await home.http.post("/api/calls", json={"agent": "telecom", "voice": "ava"})
    assert answer.status_code == 403
    assert "does not speak in the voice Ava" in answer.text


@pytest.mark.parametrize(
    ("endpoint", "offered"),
    [("azure_openai_endpoint", False), ("azure_voicelive_endpoint", True)],
)
def test_models_are_offered_where_their_service_is_set_up(
    tmp_path: Path, endpoint: str, offered: bool
) -> None:
    given = {"data_dir": tmp_path, "session_config": ROOT / "session_config.json"}
    house = House(Settings.model_validate({**given, endpoint: "https://r.example"}))
    page = house.reception.page_config()
    models, voices = {model.id for model in page.models}, {voice.id for voice in page.voices}
    assert (models == {"voice-live"}) is offered
    assert ("ava" in voices) is offered
    assert "marin" in voices
    assert ("voice-live" in models) is offered
    if offered:
        with pytest.raises(NotAllowed, match="not set up"):
            house.reception.brief("telecom", voice=None, model=None)


def test_one_token_serves_every_service_of_its_scope(tmp_path: Path) -> None:
    endpoints = {
        "azure_openai_endpoint": "https://r.openai.azure.com",
        "azure_voicelive_endpoint": "https://r.services.ai.azure.com",
    }
    given = {"data_dir": tmp_path, "session_config": ROOT / "session_config.json", **endpoints}
    legacy = "https://cognitiveservices.azure.com/.default"
    one = House(Settings.model_validate(given))
    two = House(Settings.model_validate({**given, "azure_voicelive_scope": legacy}))
    assert list(one.identities.tokens) == ["https://ai.azure.com/.default"]
    assert list(two.identities.tokens) == ["https://ai.azure.com/.default", legacy]


@pytest.mark.parametrize("path", ["/", "/health", "/api/config", "/nowhere", "/assets/none.js"])
async def test_every_answer_carries_the_strict_policy(home: Served, path: str) -> None:
    headers = (await home.http.get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; worker-src 'self'")
    assert "unsafe" not in policy
    assert f"ws://127.0.0.1:{home.port}" in policy
    assert headers["permissions-policy"].startswith("microphone=(self)")
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


async def test_unknown_paths_are_refused_in_words(home: Served) -> None:
    for method, path, status in (
        ("GET", "/api/nowhere", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/%2e%2e/pyproject.toml", 404),
        ("DELETE", "/api/calls", 405),
        ("POST", "/", 405),
    ):
        answer = await home.http.request(method, path)
        assert (answer.status_code, set(answer.json())) == (status, {"code", "text"})


async def test_a_socket_to_nowhere_is_refused(home: Served) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with home.dial({"socket": "/api/nowhere", "ticket": "a" * 43}):
            pass
    assert refusal.value.response.status_code == 404


async def test_a_fault_of_ours_is_answered_without_its_reason(
    home: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(home.house.switchboard, "live", fail)
    answer = await home.http.get("/health")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


async def test_a_fault_of_ours_on_a_socket_closes_it_cleanly(
    home: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(call_id: str, leg: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(home.house.switchboard, "carry", fail)
    way_in = Door(home.port, exchange=None, tickets=home.house.tickets)  # pyright: ignore[reportArgumentType]  (only its address is used)
    async with way_in.dial(await home.place()) as opened:
        assert await Page(opened).closed() == (1011, [])


def test_every_route_but_the_page_and_its_health_asks_who_is_there(tmp_path: Path) -> None:
    app = create_app(
        Settings(
            data_dir=tmp_path,
            session_config=ROOT / "session_config.json",
            voice_live_proxy=True,
            session_minting=True,
            azure_openai_endpoint="https://a.openai.azure.com",
            azure_voicelive_endpoint="https://a.services.ai.azure.com",
        )
    )
    asked: dict[str, bool] = {}
    for route in leaves(app.routes):  # a path may be a socket's as well
        asked[_path(route)] = asked.get(_path(route), True) and _identifies(route)
    for probe in PROBES:
        assert asked.pop(probe) is False
    assert asked.pop("/api/sign-in") is False  # says how to be somebody
    assert asked.pop("/ws") is True
    assert len(asked) == 25
    assert all(asked.values())


def leaves(routes: list[BaseRoute]) -> list[BaseRoute]:
    found: list[BaseRoute] = []
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        found += leaves(inner) if inner else [route]
    return found


def _path(route: BaseRoute) -> str:
    return getattr(route, "path", "?")


def _identifies(route: BaseRoute) -> bool:
    if not isinstance(route, APIRoute | APIWebSocketRoute):
        return False
    calls = [found.call for found in route.dependant.dependencies]
    return any(isinstance(getattr(call, "__self__", call), Identify) for call in calls)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "0.0.0.0"}, "nothing here asks who they are"),
        ({"host": "0.0.0.0", "allow_anonymous": True}, "PUBLIC_URL"),
        ({"public_url": "talk.example.com"}, "is not an origin"),
        ({"session_config": Path("nowhere.json")}, "nowhere.json"),
        ({"database_url": "nonsense"}, "DATABASE_URL"),
        ({"voice_live_proxy": True}, "AZURE_VOICELIVE_ENDPOINT is not set"),
        (
            {"voice_live_proxy": True, "azure_voicelive_endpoint": "http://elsewhere.example"},
            "AZURE_VOICELIVE_ENDPOINT must be https",
        ),
    ],
)
def test_a_house_that_would_be_wrong_is_not_built(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    usual: dict[str, Any] = {"data_dir": tmp_path, "session_config": ROOT / "session_config.json"}
    with pytest.raises(ConfigurationError, match=said):
        create_app(Settings(**{**usual, **settings}), dial=Parrots().dial)


def test_without_a_model_service_it_is_not_built(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_ENDPOINT"):
        create_app(Settings(data_dir=tmp_path, azure_openai_endpoint=None))
