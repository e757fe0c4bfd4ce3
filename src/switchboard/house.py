"""The house: every room, built, joined, and run beside the routes."""

import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import anyio

from switchboard import descriptors
from switchboard.access.identity import choose_authenticator
from switchboard.access.tickets import TicketOffice
from switchboard.aftermath import Aftermath
from switchboard.browser.proxy.relay import OpenService
from switchboard.browser.proxy.routes import PATH as PROXY_PATH
from switchboard.browser.proxy.routes import ProxyRoom
from switchboard.browser.webrtc.leg import RtcLimits
from switchboard.browser.webrtc.minting import MintingRoom
from switchboard.browser.webrtc.routes import RtcConfig, RtcRoom
from switchboard.configs import budgets_of, lines_of, per_minute, proxy_config, telephone_config
from switchboard.console.calldesk import CallDesk, LocalCalls
from switchboard.console.linkroom import LinkRoom
from switchboard.console.neighbours import Neighbours
from switchboard.console.orders import DEED, Orders
from switchboard.console.protocol import AgentName
from switchboard.console.register import Register
from switchboard.console.room import ConsoleRoom
from switchboard.console.shown import server_name
from switchboard.conversation.legs import Dial
from switchboard.conversation.session import Service
from switchboard.doctor.watch import DATA_DIRECTORY, RECORDS, State, Watch
from switchboard.errors import ConfigurationError
from switchboard.exchange import Switchboard
from switchboard.exchange.observer import Observer
from switchboard.exchange.purse import Purse
from switchboard.exchange.tape import TapeDeck
from switchboard.health import judge
from switchboard.model.credentials import TokenSource, default_credential
from switchboard.model.keys import KeySource, lending
from switchboard.model.passage import PassageConfig, Passages
from switchboard.reception import Reception
from switchboard.records.budgets import BudgetTable
from switchboard.records.bus import Bus
from switchboard.records.clerk.desk import Desk
from switchboard.records.drawer import clear_table, tickets_of
from switchboard.records.entra import TokenPassword
from switchboard.records.recorder import Recorder
from switchboard.records.recordings import RecordingTable
from switchboard.records.replicas import Replicas
from switchboard.records.retention import Sweeper
from switchboard.records.shelf import DIRECTORY as SHELF
from switchboard.records.shelf import Shelf
from switchboard.records.spool import Spool
from switchboard.records.store import Store
from switchboard.services import Identities, Ways, key_of, ways_of
from switchboard.settings import Settings
from switchboard.sheets import sheet_of
from switchboard.sign_in import Door
from switchboard.telemetry import names
from switchboard.telemetry.config import TelemetryConfig
from switchboard.telemetry.pipeline import Telemetry, telemetry_of
from switchboard.workers.share import ALONE, Worker

if TYPE_CHECKING:
    from switchboard.telephone import Telephone

logger = logging.getLogger(__name__)

HEALTH_PATH = "/health"
READY_PATH = "/readyz"
LIVE_PATH = "/livez"
PROBES = (HEALTH_PATH, READY_PATH, LIVE_PATH)
"""Answered to anybody, by whatever name they reach us."""


class House:
    """Every room, built and joined; nothing runs yet.

    `dial` opens model legs in place of the configured service: the seam for tests. `observer` is
    told of calls in place of telemetry. `worker` says which of several processes this is, whose
    share the `settings` are. Raises `ConfigurationError`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        dial: Dial | None = None,
        observer: Observer | None = None,
        worker: Worker = ALONE,
    ) -> None:
        self.settings = settings
        self.worker = worker
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
        self.replicas = Replicas(self.store, url=settings.own_replica_url())
        self.bus = Bus(self.store)
        beside = (
            settings.records_process and not self.store.is_in_memory and sys.platform != "win32"
        )
        self.recorder = Recorder(
            self.store,
            spool=Spool(settings.data_dir, worker=worker.number),
            desk=Desk(self.store) if beside else None,
        )
        self.shelf = Shelf(settings.data_dir / SHELF, self.store, settings.recordings_max_mb)
        self.telemetry = self._telemetry()
        self.reception = Reception(
            settings.session_config,
            settings.data_dir,
            reattach_s=settings.reattach_seconds,
            version=version("switchboard"),
            services=self.ways.services,
            webrtc=self.ways.negotiate is not None,
        )
        self.register = Register(
            self.recorder,
            title_of=self.reception.title_of,
            server=server_name(self.store.replica) if self.store.is_shared else None,
        )
        rows = tickets_of(self.store)
        self.neighbours = Neighbours(self.store, self.bus, rows, title_of=self.reception.title_of)
        self.purse = self._purse()
        self.switchboard = Switchboard(
            dial=self.ways.dial,
            negotiate=self.ways.negotiate,
            mint=self.ways.mint if settings.session_minting else None,
            reception=self.reception,
            recorder=self.purse or self.register,
            observer=observer or self.telemetry.observer,
            lines=lines_of(settings, people=bool(self.door.by)),
            deck=TapeDeck(self.shelf, RecordingTable(self.store)),
            purse=self.purse,
            operators=self.register.is_watched,
            new_id=worker.new_call_id,
        )
        self.tickets = TicketOffice(rows, open_s=settings.ticket_seconds)
        self.telephone = self._telephone() if settings.acs_endpoint else None
        self.rtc = self._rtc() if self.ways.negotiate else None
        self.minting = self._minting(self.rtc) if self.rtc and settings.session_minting else None
        self.sweeper = Sweeper(
            self.store,
            self.reception.retention_days,
            settings.retention_days,
            alias=self.telephone.alias if self.telephone else None,
        )
        self.aftermath = Aftermath(
            settings,
            self.store,
            self.reception,
            self.ways.dial,
            self.identities,
            live=self.switchboard.live,
        )
        desk = LocalCalls(self.switchboard, self.register.is_asking)
        self.console = self._console(desk)
        self.links = LinkRoom(self.register, desk, self.neighbours.linked, self.store.replica)
        self.bus.obey(DEED, Orders(self.register, desk).obey)
        self.watch = Watch(settings, self.store.answers)
        self.broken: list[str] = []
        """What should be running and is not."""
        self.refusal: ConfigurationError | None = None
        """Why it could not be opened."""
        self._drains_until: float | None = None
        """By the monotonic clock: then those who still speak are told goodbye."""

    def _purse(self) -> Purse | None:
        budgets = budgets_of(self.settings)
        if not budgets.limited:
            return None
        unpriced = self.reception.unpriced()
        if budgets.in_money and unpriced:
            logger.warning(
                "no price, so no budget in money counts them", extra={"models": unpriced}
            )
        table = BudgetTable(self.store)
        return Purse(self.register, table, budgets, new_id=self.worker.new_call_id)

    def _telemetry(self) -> Telemetry:
        config = TelemetryConfig.read(
            version("switchboard"),
            connection_string=self.settings.applicationinsights_connection_string,
            otlp_endpoint=self.settings.otel_exporter_otlp_endpoint,
            worker=self.worker.shown,
        )
        if config.insights is None:
            return telemetry_of(config)
        tokens = self.identities.towards(config.insights.scope)
        return telemetry_of(config, lambda: tokens.held)

    def gauges(self) -> dict[str, Callable[[], float]]:
        """What can be read at any moment, and is measured."""
        gauges: dict[str, Callable[[], float]] = {
            names.CALLS_LIMIT: lambda: self.settings.max_calls,
            names.DRAIN_LEFT: self.switchboard.left,
            names.RECORDS_DROPPED: lambda: self.recorder.dropped,
            names.RECORDS_SPOOLED: lambda: self.recorder.spooled_bytes,
        }
        if (proxy := self.proxy) is not None:
            gauges[names.PROXY_CONNECTIONS] = proxy.active
        return gauges

    def _console(self, desk: CallDesk) -> ConsoleRoom:
        def agents() -> list[AgentName]:
            known = self.reception.page_config().agents
            return [AgentName(a.id, a.title, a.accent, a.accent_dark) for a in known]

        return ConsoleRoom(
            self.register,
            desk,
            self.store,
            self.origins,
            agents=agents,
            title_of=self.reception.title_of,
            version=version("switchboard"),
            neighbours=self.neighbours,
            sheet_of=partial(sheet_of, self.reception, retention_days=self.settings.retention_days),
            sound_of=self.shelf.find,
            after=self.reception.after,
            verify=self.door.verify,
        )

    def _rtc(self) -> RtcRoom:
        settings = self.settings
        limits = RtcLimits(first_s=settings.ticket_seconds, reattach_s=settings.reattach_seconds)
        return RtcRoom(
            self.switchboard,
            self.origins,
            title_of=self.reception.title_of,
            config=RtcConfig(limits=limits),
            verify=self.door.verify,
            is_elsewhere=self.is_elsewhere,
        )

    async def is_elsewhere(self, call_id: str) -> bool:
        """Whether another server carries this call."""
        if not self.store.is_shared or self.switchboard.knows(call_id):
            return False
        return await self.neighbours.far.holder(call_id) is not None

    def _minting(self, legs: RtcRoom) -> MintingRoom:
        return MintingRoom(
            self.switchboard,
            legs,
            self.origins,
            rate=per_minute(self.settings.session_minting_per_minute),
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
        config = proxy_config(settings)
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
        from switchboard.telephone import Telephone

        settings = self.settings
        if settings.phone_agent is not None:
            self.reception.need_agent(settings.phone_agent, "PHONE_AGENT")
        config = telephone_config(settings, self.reception)
        client_id = settings.azure_client_id
        credential = partial(default_credential, client_id)
        return Telephone(
            config,
            self.switchboard,
            self.store,
            fitting=PhoneFitting(self.reception),
            make_credential=credential,
            bus=self.bus if self.store.is_shared else None,
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
            await clear_table(self.store)
            interrupted = await self.recorder.close_left_open()
            if interrupted:
                logger.warning("calls had been interrupted", extra={"calls": interrupted})
            writers.start_soon(self._keep, "recorder", self.recorder.run)
            writers.start_soon(self._keep, "replicas", self.replicas.run)
            if self.store.is_shared and self.settings.own_replica_url() is None:
                logger.warning(
                    "no REPLICA_URL: other servers' operators cannot listen to calls here"
                )
            if self.purse is not None:
                writers.start_soon(self._keep, "budgets", self.purse.run)
            # The calls end before the writer does, so that their ends are written, and before the
            # carrier is closed, so that telephones are hung up.
            if self.telephone is not None:
                writers.start_soon(self._keep, "telephone", self.telephone.run)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep, "exchange", self.switchboard.run)
                tasks.start_soon(self._keep, "bus", self.bus.run)
                tasks.start_soon(self._keep, "elsewhere", self.neighbours.elsewhere.run)
                if self.rtc is not None:
                    tasks.start_soon(self._keep, "webrtc", self.rtc.run)
                tasks.start_soon(self._keep, "agents", self.reception.book.watch)
                tasks.start_soon(self._keep, "tickets", self._sweep_tickets)
                for tokens in self.identities.tokens.values():
                    tasks.start_soon(self._keep, "tokens", tokens.refresh)
                if self.keys is not None:
                    tasks.start_soon(self._keep, "key", self.keys.refresh)
                tasks.start_soon(self._keep, "watch", self.watch.run)
                tasks.start_soon(self._keep, "descriptors", descriptors.watch)
                tasks.start_soon(self._keep, "retention", self.sweeper.run)
                tasks.start_soon(self._keep, "recordings", self.shelf.run)
                tasks.start_soon(self._keep, "console", self.register.run)
                if self.settings.after_calls:
                    tasks.start_soon(self._keep, "after", self.aftermath.run)
                yield
                tasks.cancel_scope.cancel()
            writers.cancel_scope.cancel()
        for signalling in self.ways.signalling:
            await signalling.aclose()

    async def drain(self) -> None:
        """Finish the calls before stopping: they may go on for a while, then say goodbye, and
        those that outlast even that are cut off. Nothing new is taken from the first moment."""
        grace_s = self.settings.drain_seconds
        self._drains_until = anyio.current_time() + grace_s
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._drain_proxy, grace_s)
            tasks.start_soon(self._drain_calls, grace_s)
        self.console.streams.close()  # operators watched to the end; their pages ask elsewhere

    async def _drain_calls(self, grace_s: float) -> None:
        remaining = await self.switchboard.drain(grace_s)
        logger.info("drained", extra={"calls_cut_off": remaining})

    async def _drain_proxy(self, grace_s: float) -> None:
        if self.proxy is not None:
            cut_off = await self.proxy.drain(grace_s)
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

    def speaking(self) -> int:
        """Calls and proxied connections: those whom a pause of ours would interrupt."""
        return self.switchboard.live() + (self.proxy.active() if self.proxy else 0)

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
            "drain": self._drain_state(),
            "model": {
                "token": "ok" if all(status.ok for status in shown.values()) else "missing",
                "services": {
                    service: "ok" if status.ok else "missing" for service, status in shown.items()
                },
            },
            "agents": "ok" if agents is None else "an edit is refused; the last good one serves",
            "records": {
                "database": State.NOT_OK if self.store.away else State.OK,
                "dropped": self.recorder.dropped,
                "spooledBytes": self.recorder.spooled_bytes,
            },
            "broken": self.broken,
            "activeConnections": self.proxy.active() if self.proxy else 0,
            "maxConnections": self.settings.proxy_max_connections if self.proxy else 0,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        if self.worker.shown is not None:
            state["worker"] = {"number": self.worker.number, "of": self.worker.of}
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
        if self.store.away:  # a transaction knows sooner than the next round
            stores[RECORDS] = State.NOT_OK
        services = {
            service: self.watch.state(service) if source.status.ok else State.NOT_OK
            for service, source in self.shown.items()
        }
        verdict = judge(exchange, stores.values(), services.values())
        return verdict.status, {
            "status": verdict,
            "checks": {"exchange": exchange, **stores, **services},
        }

    def _drain_state(self) -> dict[str, Any] | None:
        """What is waited for before this server goes; nothing where it stays."""
        if self._drains_until is None:
            return None
        return {
            "calls_left": self.switchboard.left(),
            "connections_left": self.proxy.active() if self.proxy else 0,
            "seconds_left": round(max(self._drains_until - anyio.current_time(), 0.0), 1),
        }

    def _exchange(self) -> State:
        return State.OK if self.switchboard.ready() and not self.broken else State.NOT_OK
