"""The application: the house, its routes, and what stands before them."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager

import msgspec
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Scope

from switchboard.access.identity import Identify
from switchboard.access.origins import KnownHosts
from switchboard.access.proxies import TrustedProxies
from switchboard.access.rates import Rate
from switchboard.browser.crowd import SocketsPerAddress
from switchboard.browser.headers import SafeHeaders
from switchboard.browser.pages import PageFiles
from switchboard.browser.problems import (
    REFUSALS,
    KnownPaths,
    LastWord,
    answer_refusal,
    head_of,
    json_answer,
    problem_answer,
)
from switchboard.browser.proxy.routes import proxy_routes
from switchboard.browser.routes import BrowserConfig, BrowserRoom, browser_routes
from switchboard.browser.slowly import RefusedSlowly
from switchboard.browser.webrtc.minting import minting_routes
from switchboard.browser.webrtc.routes import rtc_routes
from switchboard.console.linkroom import link_routes
from switchboard.console.links import LINK_PATH
from switchboard.console.routes import console_routes
from switchboard.conversation.legs import Dial
from switchboard.errors import ConfigurationError
from switchboard.exchange.observer import Observer
from switchboard.house import HEALTH_PATH, LIVE_PATH, PROBES, READY_PATH, House
from switchboard.settings import Settings
from switchboard.telemetry.pipeline import NATIVE_OFF
from switchboard.turns import Begin, InTurn, Turns
from switchboard.workers.share import ALONE, Worker

STRANGERS_AT_FIRST = 3
"""New calls of strangers at one address that may come at once."""
CARRIER_SOCKETS = ("/api/phone/media/",)
PLATFORM_SIGN_OUT = "/.auth/logout"


def create_app(
    settings: Settings,
    *,
    dial: Dial | None = None,
    observer: Observer | None = None,
    worker: Worker = ALONE,
) -> FastAPI:
    """The whole product as an ASGI application. Raises `ConfigurationError`.

    `app.state.house` is the built house, for whoever runs the server.
    """
    house = House(settings, dial=dial, observer=observer, worker=worker)

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
        redirect_slashes=False,  # each unknown path would be looked for twice
        telemetry=NATIVE_OFF,
    )
    app.state.house = house
    turns = Turns()
    heads = _mount(app, house, turns)
    _refuse_in_words(app)
    # The routing's half of the work, after that of all that follows here. A probe waits for nobody.
    app.add_middleware(Begin, turns=turns, except_paths=PROBES)
    app.add_middleware(KnownPaths, heads=heads)
    # Others of ours call us by our address, too.
    nameless = (*PROBES, LINK_PATH) if house.store.is_shared else PROBES
    app.add_middleware(KnownHosts, hosts=house.origins.hosts, except_paths=nameless)
    app.add_middleware(LastWord)
    app.add_middleware(SafeHeaders, origins=house.origins.allowed, others=house.door.authorities)
    app.add_middleware(
        RefusedSlowly,
        rate=_per_minute(settings.refusals_address_per_minute),
        except_below=(*CARRIER_SOCKETS, *PROBES),
    )
    # Behind the limits by address: nobody who is beyond them waits here.
    app.add_middleware(InTurn, turns=turns, except_paths=PROBES)
    app.add_middleware(
        SocketsPerAddress, limit=settings.sockets_per_address, except_below=CARRIER_SOCKETS
    )
    app.add_middleware(TrustedProxies, proxies=settings.trusted_proxies)
    house.telemetry.watch(app, PROBES, house.gauges())
    _make_ready(app)
    return app


def _make_ready(app: FastAPI) -> None:
    """FastAPI makes routes of what it was given when it is first asked for one: not while calls
    wait for it."""
    unknown: Scope = {"type": "http", "method": "GET", "path": "/api/-", "headers": [], "app": app}
    for route in app.routes:
        route.matches(unknown)


def _mount(app: FastAPI, house: House, turns: Turns) -> Collection[str]:
    """How the paths begin that there are."""
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
            place_rate=_per_minute(settings.call_user_per_minute),
            address_rate=_per_minute(settings.call_address_per_minute),
            stranger_rate=_stranger_rate(settings) if house.door.by else None,
            open_rate=_open_rate(settings.call_address_per_minute),
            sign_in=house.door.choice,
            sign_out=None if house.door.by_tokens else PLATFORM_SIGN_OUT,
        ),
        rtc=house.rtc,
        phone=house.telephone.choice if house.telephone else lambda _: None,
        verify=house.door.verify,
        is_elsewhere=house.is_elsewhere,
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

    identify = Identify(house.authenticator, turns, tickets_speak=house.door.by_tokens)
    routers = [browser_routes(room, identify)]
    if house.rtc is not None:
        routers.append(rtc_routes(house.rtc, identify))
    routers.append(minting_routes(house.minting, identify))
    routers.append(console_routes(house.console, identify))
    if house.store.is_shared:
        routers.append(link_routes(house.links))
    if house.proxy is not None:
        routers.append(proxy_routes(house.proxy, identify))
    if house.telephone is not None:
        from switchboard.phone.routes import phone_routes

        routers.append(phone_routes(house.telephone.room, turns))
        if house.telephone.dials:
            from switchboard.phone.outgoing_routes import outgoing_routes

            routers.append(outgoing_routes(house.telephone.outgoing, house.origins, identify))
    for router in routers:
        app.include_router(router)
    # Not mounted, which would take a known path's wrong method for an unknown file.
    app.router.default = PageFiles(about=msgspec.json.encode(house.about()))
    routes = (route for router in routers for route in router.routes)
    return {head_of(route.path) for route in routes if isinstance(route, Route | WebSocketRoute)}


def _per_minute(times: float) -> Rate:
    """Two thirds of them may come at once."""
    return Rate(times / 60, max(1.0, times * 2 / 3))


def _open_rate(calls_per_minute: float) -> Rate:
    """Sockets of one address, which may place so many calls: pages come back, so it is more."""
    calls = _per_minute(calls_per_minute)
    return Rate(max(5.0, 2.5 * calls.per_second), max(100.0, 1.25 * calls.burst))


def _stranger_rate(settings: Settings) -> Rate:
    times = settings.call_stranger_per_minute
    return Rate(times / 60, max(STRANGERS_AT_FIRST, times * 2 / 3))


def _refuse_in_words(app: FastAPI) -> None:
    for refusal in REFUSALS:
        app.add_exception_handler(refusal, answer_refusal)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, reason: HTTPException) -> Response:  # pyright: ignore[reportUnusedFunction]
        return problem_answer(reason.status_code, "refused", f"{reason.detail}.", reason.headers)
