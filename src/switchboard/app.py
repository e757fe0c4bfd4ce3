"""The composition root: builds every room, joins them, mounts their routes."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from switchboard.access.identity import Identify, choose_authenticator
from switchboard.access.origins import KnownHosts
from switchboard.access.rates import Rate
from switchboard.access.tickets import TicketOffice
from switchboard.browser.headers import SafeHeaders
from switchboard.browser.pages import PageFiles
from switchboard.browser.problems import (
    REFUSALS,
    LastWord,
    answer_refusal,
    json_answer,
    problem_answer,
)
from switchboard.browser.proxy.relay import RelayLimits
from switchboard.browser.proxy.routes import PATH as PROXY_PATH
from switchboard.browser.proxy.routes import ProxyConfig, ProxyRoom, proxy_routes
from switchboard.browser.routes import BrowserConfig, BrowserRoom, browser_routes
from switchboard.conversation.legs import Dial
from switchboard.conversation.session import Service
from switchboard.exchange import Lines, Switchboard
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line, by_service
from switchboard.model.credentials import TokenSource, default_credential
from switchboard.model.passage import PassageConfig, Passages
from switchboard.model.profiles import AZURE_OPENAI, VOICE_LIVE, of_version
from switchboard.reception import Reception
from switchboard.records.recorder import Recorder
from switchboard.records.store import Store
from switchboard.records.tickets import TicketTable
from switchboard.settings import Settings

if TYPE_CHECKING:
    from switchboard.telephone import Telephone

logger = logging.getLogger(__name__)

HEALTH_PATH = "/health"


class House:
    """Every room, built and joined; nothing runs yet.

    `dial` opens model legs in place of the configured service: the seam for tests.
    Raises `ConfigurationError`.
    """

    def __init__(self, settings: Settings, *, dial: Dial | None = None) -> None:
        self.settings = settings
        self.authenticator = choose_authenticator(
            settings.host, allow_anonymous=settings.allow_anonymous
        )
        self.origins = settings.origins()
        self.tokens: dict[str, TokenSource] = {}
        """By scope: one source each, whatever it is for."""
        services: Collection[str] = tuple(Service)
        if dial is None:
            lines = self._lines()
            dial, services = by_service(lines), lines.keys()
        self.proxy = self._proxy() if settings.voice_live_proxy else None
        self.store = Store(settings.records_url())
        self.recorder = Recorder(self.store)
        self.reception = Reception(
            settings.session_config,
            settings.data_dir,
            reattach_s=settings.reattach_seconds,
            version=version("switchboard"),
            services=services,
        )
        self.switchboard = Switchboard(
            dial=dial,
            reception=self.reception,
            recorder=self.recorder,
            lines=Lines(settings.max_calls, settings.ticket_seconds),
        )
        self.tickets = TicketOffice(TicketTable(self.store), open_s=settings.ticket_seconds)
        self.telephone = self._telephone() if settings.acs_endpoint else None
        self.broken: list[str] = []
        """What should be running and is not."""

    def _lines(self) -> Mapping[Service, Line]:
        """A line to every service that has an endpoint. Raises `ConfigurationError` for none."""
        settings = self.settings
        settings.need_a_model()
        voice_live = of_version(VOICE_LIVE, settings.azure_voicelive_api_version)
        known = (
            (
                Service.AZURE_OPENAI,
                AZURE_OPENAI,
                settings.azure_openai_endpoint,
                settings.azure_openai_scope,
            ),
            (
                Service.VOICE_LIVE,
                voice_live,
                settings.azure_voicelive_endpoint,
                settings.azure_voicelive_scope,
            ),
        )
        return {
            service: Line(ModelConfig(endpoint, scope), self._identity(scope), service=can)
            for service, can, endpoint, scope in known
            if endpoint is not None
        }

    def _proxy(self) -> ProxyRoom:
        settings = self.settings
        passages = Passages(
            PassageConfig(
                settings.voicelive_endpoint,
                settings.azure_voicelive_api_version,
                settings.proxy_max_frame_bytes,
            )
        )
        config = ProxyConfig(
            max_connections=settings.proxy_max_connections,
            address_rate=_per_minute(settings.proxy_address_per_minute),
            user_rate=_per_minute(settings.proxy_user_per_minute),
            relay=RelayLimits(
                max_frame_bytes=settings.proxy_max_frame_bytes,
                idle_s=settings.proxy_idle_seconds,
                lifetime_s=settings.proxy_max_seconds,
            ),
        )
        own_only = settings.proxy_own_tokens_only
        return ProxyRoom(
            self.origins,
            open_service=passages.open,
            tokens=None if own_only else self._identity(settings.azure_voicelive_scope),
            config=config,
        )

    def _telephone(self) -> "Telephone":
        # Not at the top: what it needs takes a while to import, and few servers have one.
        from switchboard.telephone import Telephone, TelephoneConfig

        settings = self.settings
        secret = settings.event_grid_secret
        config = TelephoneConfig(
            endpoint=settings.acs_endpoint or "",
            resource_id=settings.acs_resource_id,
            public_url=settings.public_url or "",
            agent=settings.phone_agent or self.reception.page_config().default_agent,
            number=settings.acs_number,
            issuer=settings.acs_issuer,
            ca_file=settings.acs_ca_file,
            latency_ms=settings.acs_latency_ms,
            reattach_s=settings.reattach_seconds,
            tenant_id=settings.event_grid_tenant_id,
            audience=settings.event_grid_audience,
            secret=secret.get_secret_value() if secret else None,
            max_sockets=2 * settings.max_calls + 16,
        )
        client_id = settings.azure_client_id
        credential = partial(default_credential, client_id)
        return Telephone(config, self.switchboard, self.store, make_credential=credential)

    def _identity(self, scope: str) -> TokenSource:
        """The server's own towards one audience: one source for whatever dials there."""
        client_id = self.settings.azure_client_id
        if scope not in self.tokens:
            self.tokens[scope] = TokenSource(lambda: default_credential(client_id), scope)
        return self.tokens[scope]

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Everything that runs beside the routes; all of it ends with the block."""
        async with self.store.opened(), anyio.create_task_group() as writers:
            interrupted = await self.recorder.close_left_open()
            if interrupted:
                logger.warning("calls had been interrupted", extra={"calls": interrupted})
            writers.start_soon(self._keep, "recorder", self.recorder.run)
            # The calls end before the writer does, so that their ends are written.
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep, "exchange", self.switchboard.run)
                tasks.start_soon(self._keep, "agents", self.reception.book.watch)
                tasks.start_soon(self._keep, "tickets", self._sweep_tickets)
                if self.telephone is not None:
                    tasks.start_soon(self._keep, "telephone", self.telephone.run)
                for tokens in self.tokens.values():
                    tasks.start_soon(self._keep, "tokens", tokens.refresh)
                yield
                tasks.cancel_scope.cancel()
            writers.cancel_scope.cancel()

    async def drain(self) -> None:
        """Finish the calls before stopping; those that outlast the grace period are cut off."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._drain_proxy)
            tasks.start_soon(self._drain_calls)

    async def _drain_calls(self) -> None:
        remaining = await self.switchboard.drain(self.settings.shutdown_grace_seconds)
        logger.info("drained", extra={"calls_cut_off": remaining})

    async def _drain_proxy(self) -> None:
        if self.proxy is not None:
            cut_off = await self.proxy.drain(self.settings.shutdown_grace_seconds)
            logger.info("proxy drained", extra={"connections_cut_off": cut_off})

    async def _sweep_tickets(self) -> None:
        await self.tickets.run(self.switchboard.cancel)

    async def _keep(self, name: str, run: Callable[[], Awaitable[object]]) -> None:
        try:
            await run()
        except Exception:
            # Without this, one fault would silently take the others with it: be unhealthy instead.
            logger.critical("part of the server failed", extra={"part": name}, exc_info=True)
            self.broken.append(name)

    def about(self) -> dict[str, Any]:
        """`GET /` for programs."""
        endpoints = {
            "page": "/",
            "health": HEALTH_PATH,
            "config": "/api/config",
            "calls": "/api/calls",
            "audio": "/api/calls/{id}/audio",
        }
        if self.proxy is not None:
            endpoints["proxy"] = PROXY_PATH
        return {"name": "switchboard", "version": version("switchboard"), "endpoints": endpoints}

    def health(self) -> tuple[int, dict[str, Any]]:
        """HTTP status and what to say: 503 while a call could not be taken."""
        tokens = [source.status for source in self.tokens.values()]
        # Where there are several, those that are at hand serve the calls they can.
        held = not tokens or any(token.ok for token in tokens)
        ready = self.switchboard.ready() and not self.broken and held
        agents = self.reception.book.problem
        state: dict[str, Any] = {
            "status": "ready" if ready else "unready",
            "calls": {"live": self.switchboard.live(), "limit": self.settings.max_calls},
            "model": {"token": "ok" if all(token.ok for token in tokens) else "missing"},
            "agents": "ok" if agents is None else "an edit is refused; the last good one serves",
            "records": {"dropped": self.recorder.dropped},
            "broken": self.broken,
            "activeConnections": self.proxy.active() if self.proxy else 0,
            "maxConnections": self.settings.proxy_max_connections if self.proxy else 0,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        if self.settings.is_local:  # reasons may quote files and addresses: for the owner's eyes
            state["model"]["detail"] = "; ".join(token.text for token in tokens) or None
            state["agents_problem"] = agents
        return (200 if ready else 503), state


def _per_minute(times: float) -> Rate:
    """Half of them may come at once."""
    return Rate(times / 60, max(1.0, times / 2))


def create_app(settings: Settings, *, dial: Dial | None = None) -> FastAPI:
    """The whole product as an ASGI application. Raises `ConfigurationError`.

    `app.state.house` is the built house, for whoever runs the server.
    """
    house = House(settings, dial=dial)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with house.running():
            yield

    app = FastAPI(
        title="Switchboard", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None
    )
    app.state.house = house
    _mount(app, house)
    _refuse_in_words(app)
    app.add_middleware(KnownHosts, hosts=house.origins.hosts, except_paths=(HEALTH_PATH,))
    app.add_middleware(LastWord)
    app.add_middleware(SafeHeaders, origins=house.origins.allowed)
    return app


def _mount(app: FastAPI, house: House) -> None:
    settings = house.settings
    room = BrowserRoom(
        house.switchboard,
        house.tickets,
        house.origins,
        page_config=house.reception.page_config,
        title_of=house.reception.title_of,
        config=BrowserConfig(
            reattach_s=settings.reattach_seconds, max_sockets=2 * settings.max_calls + 16
        ),
    )

    @app.get(HEALTH_PATH)
    async def health() -> Response:  # pyright: ignore[reportUnusedFunction]
        status, state = house.health()
        return json_answer(msgspec.json.encode(state), status)

    identify = Identify(house.authenticator)
    app.include_router(browser_routes(room, identify))
    if house.proxy is not None:
        app.include_router(proxy_routes(house.proxy, identify))
    if house.telephone is not None:
        from switchboard.phone.routes import phone_routes

        app.include_router(phone_routes(house.telephone.room))
    app.mount("/", PageFiles(about=msgspec.json.encode(house.about())))


def _refuse_in_words(app: FastAPI) -> None:
    for refusal in REFUSALS:
        app.add_exception_handler(refusal, answer_refusal)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, reason: HTTPException) -> Response:  # pyright: ignore[reportUnusedFunction]
        return problem_answer(reason.status_code, "refused", f"{reason.detail}.", reason.headers)
