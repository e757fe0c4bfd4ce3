"""Telemetry as the house has it: nothing at all, or providers of its own and who sends for them.

No provider is global: a test, or a second house in the process, has others.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

import anyio
from anyio import to_thread

from switchboard.exchange.observer import UNOBSERVED, Observer
from switchboard.telemetry.config import TelemetryConfig

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from azure.core.credentials import AccessToken
    from fastapi import FastAPI
    from fastapi.telemetry import TelemetryConfig as TelemetryOfFastAPI

    from switchboard.telemetry.destinations import Closing, Held

logger = logging.getLogger(__name__)

NATIVE_OFF: Final["TelemetryOfFastAPI"] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
"""For `FastAPI(telemetry=…)`: by itself it writes queries down, and sends where it likes."""
FLUSH_S: Final = 5.0
"""How long what still waits may take to be sent, once the server stops."""


class Telemetry(Protocol):
    @property
    def observer(self) -> Observer:
        """For the exchange."""
        ...

    def watch(
        self, app: "FastAPI", unwatched: Sequence[str], gauges: Mapping[str, Callable[[], float]]
    ) -> None:
        """Before `app` serves: measure its requests but those for the paths `unwatched`, and
        whatever the gauges tell."""
        ...

    def running(self) -> "AbstractAsyncContextManager[None]":
        """Send, until the block ends; then what still waits, in bounded time."""
        ...


class _Off:
    """Nobody collects, and nothing is done."""

    observer: Observer = UNOBSERVED

    def watch(
        self, app: "FastAPI", unwatched: Sequence[str], gauges: Mapping[str, Callable[[], float]]
    ) -> None:
        pass

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        yield


OFF: Final[Telemetry] = _Off()


def telemetry_of(
    config: TelemetryConfig, held: "Callable[[], AccessToken | None]" = lambda: None
) -> Telemetry:
    """`held` gives the token for `config.insights`, where there is one just now."""
    return OFF if config.off else _On(config, held)


class _On:
    def __init__(self, config: TelemetryConfig, held: "Held") -> None:
        # Here, not at the top: whoever sends nothing need not wait for it.
        from opentelemetry.sdk._logs import (  # pyright: ignore[reportPrivateUsage]
            LoggerProvider,
        )
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider

        from switchboard.telemetry.calls import WatchedCalls
        from switchboard.telemetry.destinations import Providers
        from switchboard.telemetry.instruments import Instruments
        from switchboard.telemetry.shipping import Shipping
        from switchboard.telemetry.web import views

        self._config = config
        self._held = held
        ours = Resource.create(
            {
                "service.name": "switchboard",
                "service.version": config.version,
                "service.instance.id": _instance(config.worker),
            }
        )
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word.
        resource = ours.merge(OTELResourceDetector().detect())
        self._providers = Providers(
            TracerProvider(resource=resource, shutdown_on_exit=False),
            MeterProvider(resource=resource, shutdown_on_exit=False, views=views()),
            LoggerProvider(resource=resource, shutdown_on_exit=False),
        )
        scope = ("switchboard", config.version)
        self._meter = self._providers.meters.get_meter(*scope)
        calls = WatchedCalls(self._providers.tracers.get_tracer(*scope), Instruments(self._meter))
        self.observer: Observer = calls
        self._shipping = Shipping(self._providers.loggers.get_logger(*scope), calls.context_of)
        self._closing: list[Closing] = []
        self._app: FastAPI | None = None

    def watch(
        self, app: "FastAPI", unwatched: Sequence[str], gauges: Mapping[str, Callable[[], float]]
    ) -> None:
        from switchboard.telemetry.instruments import observe
        from switchboard.telemetry.web import watch_requests

        observe(self._meter, gauges)
        watch_requests(app, self._providers.tracers, self._providers.meters, unwatched)
        self._app = app

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        # Before anything is measured: a count that misses its beginning is wrong for ever.
        await self._connect()
        root = logging.getLogger()
        root.addHandler(self._shipping)
        try:
            yield
        finally:
            root.removeHandler(self._shipping)
            with anyio.CancelScope(shield=True):
                await self._close()
            if self._app is not None:
                from switchboard.telemetry.web import unwatch_requests

                unwatch_requests(self._app)

    async def _connect(self) -> None:
        """In a thread: the libraries take a while to import."""
        try:
            await to_thread.run_sync(self._attach)
        except Exception:
            # Whatever it is, calls go on without.
            logger.exception("telemetry is not sent")
        else:
            logger.info(
                "telemetry is sent",
                extra={
                    "insights": self._config.insights is not None,
                    "otlp": self._config.otlp_endpoint is not None,
                },
            )

    def _attach(self) -> None:
        from switchboard.telemetry.destinations import connect

        self._closing = connect(self._config, self._held, self._providers)

    async def _close(self) -> None:
        """A collector that does not answer is left alone after a while; its threads are daemons."""
        loop = asyncio.get_running_loop()
        over = [anyio.Event() for _ in self._closing]

        def close(one: "Closing", done: anyio.Event) -> None:
            with suppress(Exception):
                one.shutdown()
            with suppress(RuntimeError):  # the loop may be closed by then
                loop.call_soon_threadsafe(done.set)

        for one, done in zip(self._closing, over, strict=True):
            threading.Thread(target=close, args=(one, done), daemon=True).start()
        with anyio.move_on_after(FLUSH_S) as patience:
            for done in over:
                await done.wait()
        if patience.cancelled_caught:
            logger.warning("telemetry was not all sent", extra={"within_s": FLUSH_S})


def _instance(worker: int | None) -> str:
    """What tells this process's measurements from those of all others."""
    machine = socket.gethostname()
    return machine if worker is None else f"{machine}-{worker}"
