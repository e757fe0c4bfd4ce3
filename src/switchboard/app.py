"""The composition root: builds every room, joins them, mounts their routes."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
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
from switchboard.access.proxies import TrustedProxies
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
from switchboard.browser.proxy.relay import OpenService, RelayLimits
from switchboard.browser.proxy.routes import PATH as PROXY_PATH
from switchboard.browser.proxy.routes import ProxyConfig, ProxyRoom, proxy_routes
from switchboard.browser.routes import BrowserConfig, BrowserRoom, browser_routes
from switchboard.browser.webrtc.leg import RtcLimits
from switchboard.browser.webrtc.minting import MintingRoom, minting_routes
from switchboard.browser.webrtc.routes import RtcConfig, RtcRoom, rtc_routes
from switchboard.console.calldesk import LocalCalls
from switchboard.console.protocol import AgentName
from switchboard.console.register import Register
from switchboard.console.room import ConsoleRoom
from switchboard.console.routes import console_routes
from switchboard.conversation.legs import Dial
from switchboard.conversation.session import Service
from switchboard.doctor.watch import DATA_DIRECTORY, RECORDS, State, Watch
from switchboard.errors import ConfigurationError
from switchboard.exchange import Lines, Switchboard
from switchboard.health import judge
from switchboard.model.credentials import TokenSource, default_credential
from switchboard.model.keys import KeySource, lending
from switchboard.model.passage import PassageConfig, Passages
from switchboard.reception import Reception
from switchboard.records.dialled import Quotas
from switchboard.records.entra import TokenPassword
from switchboard.records.recorder import Recorder
from switchboard.records.replicas import Replicas
from switchboard.records.retention import Sweeper
from switchboard.records.store import Store
from switchboard.records.tickets import TicketTable
from switchboard.services import Identities, Ways, key_of, ways_of
from switchboard.settings import Settings
from switchboard.sign_in import Door
from switchboard.telemetry import names
from switchboard.telemetry.config import TelemetryConfig
from switchboard.telemetry.pipeline import NATIVE_OFF, Telemetry, telemetry_of

if TYPE_CHECKING:
    from switchboard.telephone import Telephone

logger = logging.getLogger(__name__)

HEALTH_PATH = "/health"
READY_PATH = "/readyz"
LIVE_PATH = "/livez"
PROBES = (HEALTH_PATH, READY_PATH, LIVE_PATH)
"""Answered to anybody, by whatever name they reach us."""
STRANGERS = Rate(1 / 60, 3)
"""New calls of strangers at one address, where others sign in."""
PLATFORM_SIGN_OUT = "/.auth/logout"


class House:
    """Every room, built and joined; nothing runs yet.

    `dial` opens model legs in place of the configured service: the seam for tests.
    Raises `ConfigurationError`.
    """

    def __init__(self, settings: Settings, *, dial: Dial | None = None) -> None:
        self.settings = settings
        self.door = Door(settings)
        self.authenticator = choose_authenticator(
            settings.host,
            allow_anonymous=settings.allow_anonymous,
            published=settings.published,
            sign_in=self.door.by,
        )
        self.origins = settings.origins()
        self.identities = Identities(settings)
        self.keys = key_of(settings, self.identities)
        if dial is None:
            self.ways = ways_of(settings, self.identities, self.keys)
        else:
            self.ways = Ways(dial, tuple(Service))
        self.shown = dict(self.ways.shown)
        """What each service that is dialled is shown."""
        self.proxy = self._proxy() if settings.voice_live_proxy else None
        self.password = TokenPassword(partial(default_credential, settings.azure_client_id))
        """What PostgreSQL is shown where its URL has no password."""
        self.store = Store(settings.records_url(), password=self.password)
        self.replicas = Replicas(self.store)
        self.recorder = Recorder(self.store)
        self.telemetry = self._telemetry()
        self.reception = Reception(
            settings.session_config,
            settings.data_dir,
            reattach_s=settings.reattach_seconds,
            version=version("switchboard"),
            services=self.ways.services,
            webrtc=self.ways.negotiate is not None,
        )
        self.register = Register(self.recorder, title_of=self.reception.title_of)
        self.switchboard = Switchboard(
            dial=self.ways.dial,
            negotiate=self.ways.negotiate,
            mint=self.ways.mint if settings.session_minting else None,
            reception=self.reception,
            recorder=self.register,
            observer=self.telemetry.observer,
            lines=Lines(settings.max_calls, settings.ticket_seconds),
        )
        self.tickets = TicketOffice(TicketTable(self.store), open_s=settings.ticket_seconds)
        self.telephone = self._telephone() if settings.acs_endpoint else None
        self.rtc = self._rtc() if self.ways.negotiate else None
        self.minting = self._minting(self.rtc) if self.rtc and settings.session_minting else None
        self.sweeper = Sweeper(
            self.store,
            self.reception.retention_days,
            settings.retention_days,
            alias=self.telephone.alias if self.telephone else None,
        )
        self.console = self._console()
        self.watch = Watch(settings, self.store.answers)
        self.broken: list[str] = []
        """What should be running and is not."""
        self.refusal: ConfigurationError | None = None
        """Why it could not be opened."""

    def _telemetry(self) -> Telemetry:
        config = TelemetryConfig.read(
            version("switchboard"),
            connection_string=self.settings.applicationinsights_connection_string,
            otlp_endpoint=self.settings.otel_exporter_otlp_endpoint,
        )
        if config.insights is None:
            return telemetry_of(config)
        tokens = self.identities.towards(config.insights.scope)
        return telemetry_of(config, lambda: tokens.held)

    def gauges(self) -> dict[str, Callable[[], float]]:
        """What can be read at any moment, and is measured."""
        gauges: dict[str, Callable[[], float]] = {
            names.CALLS_LIMIT: lambda: self.settings.max_calls,
            names.RECORDS_DROPPED: lambda: self.recorder.dropped,
        }
        if (proxy := self.proxy) is not None:
            gauges[names.PROXY_CONNECTIONS] = proxy.active
        return gauges

    def _console(self) -> ConsoleRoom:
        def agents() -> list[AgentName]:
            known = self.reception.page_config().agents
            return [AgentName(a.id, a.title, a.accent, a.accent_dark) for a in known]

        return ConsoleRoom(
            self.register,
            LocalCalls(self.switchboard, self.register.is_asking),
            self.store,
            self.origins,
            agents=agents,
            title_of=self.reception.title_of,
            version=version("switchboard"),
        )

    def _rtc(self) -> RtcRoom:
        settings = self.settings
        limits = RtcLimits(first_s=settings.ticket_seconds, reattach_s=settings.reattach_seconds)
        return RtcRoom(
            self.switchboard,
            self.origins,
            title_of=self.reception.title_of,
            config=RtcConfig(limits=limits),
        )

    def _minting(self, legs: RtcRoom) -> MintingRoom:
        return MintingRoom(
            self.switchboard,
            legs,
            self.origins,
            rate=_per_minute(self.settings.session_minting_per_minute),
            attach_s=self.settings.ticket_seconds,
        )

    def _proxy(self) -> ProxyRoom:
        settings = self.settings
        passage = PassageConfig(
            settings.voicelive_endpoint,
            settings.azure_voicelive_api_version,
            settings.proxy_max_frame_bytes,
        )
        passages = Passages(passage)
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
        tokens: TokenSource | KeySource | None = None
        lend: OpenService | None = None
        if settings.proxy_own_tokens_only:
            pass
        elif self.keys is not None:
            tokens = self.keys
            lend = lending(Passages(replace(passage, by_key=True)), self.keys)
        else:
            tokens = self.identities.towards(settings.azure_voicelive_scope)
        if tokens is not None:
            self.shown[Service.VOICE_LIVE] = tokens
        return ProxyRoom(
            self.origins, open_service=passages.open, tokens=tokens, lend=lend, config=config
        )

    def _telephone(self) -> "Telephone":
        # Not at the top: what it needs takes a while to import, and few servers have one.
        from switchboard.fitting import PhoneFitting
        from switchboard.phone.admission import CallerLimits
        from switchboard.telephone import Telephone, TelephoneConfig

        settings = self.settings
        if settings.phone_agent is not None:
            self.reception.need_agent(settings.phone_agent, "PHONE_AGENT")
        secret = settings.event_grid_secret
        config = TelephoneConfig(
            endpoint=settings.acs_endpoint or "",
            resource_id=settings.acs_resource_id,
            public_url=settings.public_url or "",
            choose=partial(self.reception.answering, otherwise=settings.phone_agent),
            data_dir=settings.data_dir,
            number=settings.acs_number,
            issuer=settings.acs_issuer,
            ca_file=settings.acs_ca_file,
            latency_ms=settings.acs_latency_ms,
            reattach_s=settings.reattach_seconds,
            tenant_id=settings.event_grid_tenant_id,
            audience=settings.event_grid_audience,
            secret=secret.get_secret_value() if secret else None,
            max_sockets=2 * settings.max_calls + 16,
            allowed=settings.dial_allowed,
            quiet_hours=settings.dial_quiet_hours,
            quotas=Quotas(
                settings.dial_user_a_day,
                settings.dial_number_a_day,
                settings.dial_a_day,
                settings.dial_at_once,
            ),
            ring_s=settings.dial_ring_seconds,
            callers=CallerLimits(
                _per_minute(settings.phone_caller_per_minute), settings.phone_caller_at_once
            ),
            redact=self.reception.redacted,
        )
        client_id = settings.azure_client_id
        credential = partial(default_credential, client_id)
        return Telephone(
            config,
            self.switchboard,
            self.store,
            fitting=PhoneFitting(self.reception),
            make_credential=credential,
        )

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Everything that runs beside the routes; all of it ends with the block."""
        async with (
            self.telemetry.running(),
            aclosing(self.password),
            self.store.opened(),
            self.replicas.joined(),
            self.door.opened(),
            anyio.create_task_group() as writers,
        ):
            interrupted = await self.recorder.close_left_open()
            if interrupted:
                logger.warning("calls had been interrupted", extra={"calls": interrupted})
            writers.start_soon(self._keep, "recorder", self.recorder.run)
            writers.start_soon(self._keep, "replicas", self.replicas.run)
            # The calls end before the writer does, so that their ends are written, and before the
            # carrier is closed, so that telephones are hung up.
            if self.telephone is not None:
                writers.start_soon(self._keep, "telephone", self.telephone.run)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep, "exchange", self.switchboard.run)
                if self.rtc is not None:
                    tasks.start_soon(self._keep, "webrtc", self.rtc.run)
                tasks.start_soon(self._keep, "agents", self.reception.book.watch)
                tasks.start_soon(self._keep, "tickets", self._sweep_tickets)
                for tokens in self.identities.tokens.values():
                    tasks.start_soon(self._keep, "tokens", tokens.refresh)
                if self.keys is not None:
                    tasks.start_soon(self._keep, "key", self.keys.refresh)
                tasks.start_soon(self._keep, "watch", self.watch.run)
                tasks.start_soon(self._keep, "retention", self.sweeper.run)
                yield
                tasks.cancel_scope.cancel()
            writers.cancel_scope.cancel()
        for signalling in self.ways.signalling:
            await signalling.aclose()

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
            "ready": READY_PATH,
            "live": LIVE_PATH,
            "config": "/api/config",
            "calls": "/api/calls",
            "audio": "/api/calls/{id}/audio",
            "console": "/console/",
        }
        if self.proxy is not None:
            endpoints["proxy"] = PROXY_PATH
        return {"name": "switchboard", "version": version("switchboard"), "endpoints": endpoints}

    def health(self) -> tuple[int, dict[str, Any]]:
        """HTTP status and what to say: 503 while a call could not be taken."""
        shown = {service: source.status for service, source in self.shown.items()}
        services = {
            service: State.OK if status.ok else State.NOT_OK for service, status in shown.items()
        }
        verdict = judge(self._exchange(), [], services.values())
        agents = self.reception.book.problem
        state: dict[str, Any] = {
            "status": verdict,
            "calls": {"live": self.switchboard.live(), "limit": self.settings.max_calls},
            "model": {
                "token": "ok" if all(status.ok for status in shown.values()) else "missing",
                "services": {
                    service: "ok" if status.ok else "missing" for service, status in shown.items()
                },
            },
            "agents": "ok" if agents is None else "an edit is refused; the last good one serves",
            "records": {"dropped": self.recorder.dropped},
            "broken": self.broken,
            "activeConnections": self.proxy.active() if self.proxy else 0,
            "maxConnections": self.settings.proxy_max_connections if self.proxy else 0,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        if self.settings.is_local:  # reasons may quote files and addresses: for the owner's eyes
            state["model"]["detail"] = (
                "; ".join(dict.fromkeys(status.text for status in shown.values())) or None
            )
            state["agents_problem"] = agents
        return verdict.status, state

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """HTTP status and what to say of whether calls should be sent here: by what the last
        round found, and without a wait."""
        exchange = self._exchange()
        stores = {part: self.watch.state(part) for part in (DATA_DIRECTORY, RECORDS)}
        services = {
            service: self.watch.state(service) if source.status.ok else State.NOT_OK
            for service, source in self.shown.items()
        }
        verdict = judge(exchange, stores.values(), services.values())
        return verdict.status, {
            "status": verdict,
            "checks": {"exchange": exchange, **stores, **services},
        }

    def _exchange(self) -> State:
        return State.OK if self.switchboard.ready() and not self.broken else State.NOT_OK


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
        try:
            async with house.running():
                yield
        except ConfigurationError as refusal:
            house.refusal = refusal
            raise

    app = FastAPI(
        title="Switchboard",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=NATIVE_OFF,
    )
    app.state.house = house
    _mount(app, house)
    _refuse_in_words(app)
    app.add_middleware(KnownHosts, hosts=house.origins.hosts, except_paths=PROBES)
    app.add_middleware(LastWord)
    app.add_middleware(SafeHeaders, origins=house.origins.allowed, others=house.door.authorities)
    app.add_middleware(TrustedProxies, proxies=settings.trusted_proxies)
    house.telemetry.watch(app, PROBES, house.gauges())
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
            reattach_s=settings.reattach_seconds,
            max_sockets=2 * settings.max_calls + 16,
            stranger_rate=STRANGERS if house.door.by else None,
            sign_in=house.door.choice,
            sign_out=None if house.door.by_tokens else PLATFORM_SIGN_OUT,
        ),
        rtc=house.rtc,
        phone=house.telephone.choice if house.telephone else lambda _: None,
    )

    @app.get(HEALTH_PATH)
    async def health() -> Response:  # pyright: ignore[reportUnusedFunction]
        status, state = house.health()
        return json_answer(msgspec.json.encode(state), status)

    @app.get(READY_PATH)
    async def ready() -> Response:  # pyright: ignore[reportUnusedFunction]
        status, state = house.readiness()
        return json_answer(msgspec.json.encode(state), status)

    @app.get(LIVE_PATH)
    async def live() -> Response:  # pyright: ignore[reportUnusedFunction]
        return json_answer(b'{"status":"alive"}', 200)

    identify = Identify(house.authenticator, tickets_speak=house.door.by_tokens)
    app.include_router(browser_routes(room, identify))
    if house.rtc is not None:
        app.include_router(rtc_routes(house.rtc, identify))
    app.include_router(minting_routes(house.minting, identify))
    app.include_router(console_routes(house.console, identify))
    if house.proxy is not None:
        app.include_router(proxy_routes(house.proxy, identify))
    if house.telephone is not None:
        from switchboard.phone.routes import phone_routes

        app.include_router(phone_routes(house.telephone.room))
        if house.telephone.dials:
            from switchboard.phone.outgoing_routes import outgoing_routes

            routes = outgoing_routes(house.telephone.outgoing, house.origins, identify)
            app.include_router(routes)
    app.mount("/", PageFiles(about=msgspec.json.encode(house.about())))


def _refuse_in_words(app: FastAPI) -> None:
    for refusal in REFUSALS:
        app.add_exception_handler(refusal, answer_refusal)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, reason: HTTPException) -> Response:  # pyright: ignore[reportUnusedFunction]
        return problem_answer(reason.status_code, "refused", f"{reason.detail}.", reason.headers)
