"""The line to the realtime service, shared by every call of the process."""

import logging
import random
import ssl
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol, cast

import anyio
from websockets.exceptions import WebSocketException

from switchboard.conversation.legs import Dial, ModelLeg
from switchboard.conversation.session import Service, SessionSpec
from switchboard.errors import ModelUnavailable
from switchboard.model.config import ModelConfig
from switchboard.model.endings import unreachable
from switchboard.model.endpoint import Endpoint
from switchboard.model.frames import QuickConnection
from switchboard.model.link import Link
from switchboard.model.profiles import AZURE_OPENAI, Capabilities
from switchboard.model.upgrade import Upgrade, bound_kernel_buffer
from switchboard.quiet import quietly

logger = logging.getLogger(__name__)

_RETRY_AFTER_S: Final = (0.2, 0.6)


class Tokens(Protocol):
    """Where the bearer token comes from."""

    async def token(self, wait_s: float) -> str:
        """A valid token, at once if there is one. Raises `ModelUnavailable`."""
        ...


class Line:
    """Opens model legs. `dial` is the `Dial` that the exchange is given.

    Raises `ConfigurationError` for an endpoint that cannot be right.
    """

    def __init__(
        self,
        config: ModelConfig,
        tokens: Tokens,
        *,
        service: Capabilities = AZURE_OPENAI,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._service = service
        self.endpoint: Final = Endpoint(config.endpoint, service)
        self._transport = self._transport_options(tls)
        # At debug level the library writes every header and frame, our token among them.
        self._wire_log = logging.getLogger(f"{__name__}.wire")
        self._wire_log.setLevel(logging.INFO)

    @asynccontextmanager
    async def dial(self, spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
        """A leg configured by `spec`, closed whatever happens when the block ends."""
        if spec.voice_object is not None and self._service.voice_kind == "name":
            message = f"The voice {spec.voice} is none of this model's."
            raise ModelUnavailable(message, retryable=False)
        if spec.agent is not None and not self._service.has_agents:
            message = f"The agent {spec.agent.name} is none of this service's."
            raise ModelUnavailable(message, retryable=False)
        opened = await self._open(self._address(spec))
        link = Link(opened, self._config, self._service, self._service.session_update(spec))
        async with self._held(opened, link):
            yield link

    @asynccontextmanager
    async def attach(self, call_id: str, opening: bytes, *, resumed: bool) -> AsyncGenerator[Link]:
        """A leg beside the media of a call (WebRTC). `opening` is its first frame.

        Raises `ModelUnavailable`, with status 404 for a call that is over or never was.
        """
        # A call just begun may not be known everywhere yet.
        again_on = frozenset[int]() if resumed else frozenset({404})
        # No other region knows it, so this one is tried twice however many there are.
        opened = await self._open(self.endpoint.url([("call_id", call_id)]), again_on, tries=2)
        link = Link(opened, self._config, self._service, opening, resumed=resumed)
        async with self._held(opened, link):
            yield link

    def _address(self, spec: SessionSpec) -> str:
        if spec.agent is not None:
            return self.endpoint.agent_url(spec.agent)
        return self.endpoint.session_url(spec.model)

    @asynccontextmanager
    async def _held(self, opened: QuickConnection, link: Link) -> AsyncGenerator[None]:
        try:
            async with _beside(link):
                yield
        finally:
            await self._hang_up(opened)
            logger.info(
                "model line closed", extra={"dropped": link.dropped, "malformed": link.malformed}
            )

    async def _open(
        self, url: str, again_on: Collection[int] = frozenset(), *, tries: int | None = None
    ) -> QuickConnection:
        patience_s, tries = self._config.dial_timeout_s, tries or self._config.tries
        try:
            with anyio.fail_after(patience_s):
                token = await self._tokens.token(self._config.token_wait_s)
                return await self._try_twice(url, token, again_on, tries)
        except TimeoutError:
            raise ModelUnavailable(
                f"The realtime service did not answer within {patience_s:g} s.", retryable=True
            ) from None

    async def _try_twice(
        self, url: str, token: str, again_on: Collection[int], tries: int
    ) -> QuickConnection:
        try:
            return await self._try(url, token)
        except ModelUnavailable as failure:
            again = failure.retryable and tries > 1
            if not (again or failure.status in again_on):
                raise
            logger.warning("dial failed, trying once more", extra={"status": failure.status})
        await anyio.sleep(random.uniform(*_RETRY_AFTER_S))  # noqa: S311  # jitter, not a secret
        return await self._try(url, token)

    async def _try(self, url: str, token: str) -> QuickConnection:
        try:
            opened = await self._upgrade(url, token)
        except (OSError, WebSocketException) as error:
            raise unreachable(error, self._service) from error
        bound_kernel_buffer(opened)
        return cast("QuickConnection", opened)

    def _upgrade(self, url: str, token: str) -> Upgrade:
        config = self._config
        return Upgrade(
            url,
            additional_headers=self._service.show(token),
            user_agent_header="switchboard",
            create_connection=QuickConnection,
            compression=None,  # base64 hardly shrinks, and 50 frames a second would pay for it
            open_timeout=None,  # the whole dial has one
            ping_interval=config.ping_interval_s,
            ping_timeout=config.ping_timeout_s,
            close_timeout=config.close_timeout_s,
            max_size=config.max_frame_bytes,
            logger=self._wire_log,
            **self._transport,
        )

    def _transport_options(self, tls: ssl.SSLContext | None) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self.endpoint.secure:
            # One context for the process: making it costs more than all the rest of a dial.
            options["ssl"] = tls or ssl.create_default_context()
        if self.endpoint.loopback:
            options["proxy"] = None
        return options

    async def _hang_up(self, opened: QuickConnection) -> None:
        # Shielded: a cancelled call says goodbye too, but never waits long for the answer.
        with anyio.move_on_after(self._config.close_timeout_s, shield=True):
            await opened.close()
        opened.transport.abort()


def by_service(dials: Mapping[Service, Dial]) -> Dial:
    """Dials the service that a session asks for."""

    def dial(spec: SessionSpec, /) -> AbstractAsyncContextManager[ModelLeg]:
        way = dials.get(spec.service)
        if way is None:
            message = f"This server has no line to the service {spec.service}."
            raise ModelUnavailable(message, retryable=False)
        return way(spec)

    return dial


@asynccontextmanager
async def _beside(link: Link) -> AsyncGenerator[None]:
    """Runs the link's tasks. What the block raises leaves as it is, not as a group of one."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(quietly, link.pump)
        try:
            with link.watched():
                yield
        except Exception as error:  # noqa: BLE001  # raised again below, outside the group
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
