"""A socket of Voice Live as it is, for clients that speak its language themselves.

Nothing here reads a frame. Credentials are shown at the upgrade, in a header, and nowhere else.
"""

import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import anyio
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from switchboard.model.endings import unreachable
from switchboard.model.endpoint import Endpoint
from switchboard.model.frames import send_at_once, send_whole
from switchboard.model.profiles import VOICE_LIVE, of_version, with_key
from switchboard.model.upgrade import Upgrade, bound_kernel_buffer

_LOST: Final = 1006
_TOO_BIG: Final = 1009

type Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PassageConfig:
    """Where Voice Live is, and what we take from it."""

    endpoint: str
    """`https://<resource>.services.ai.azure.com`, or plain http on loopback."""
    api_version: str
    max_frame_bytes: int
    """A larger message from the service ends the passage (1009)."""
    by_key: bool = False
    """What is shown is a key, not a token."""
    ping_interval_s: float = 20.0
    close_timeout_s: float = 1.0


class Passage:
    """One open socket. Iterating it ends when it is closed; `ending` says how."""

    def __init__(self, opened: ClientConnection) -> None:
        self._opened = opened

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        with suppress(ConnectionClosed):
            while True:
                yield await self._opened.recv()

    async def send(self, frame: str | bytes) -> None:
        """Send one message; waits while the service is slow. Sent to a closed socket, it is lost:
        whoever iterates learns of the end."""
        with suppress(ConnectionClosed, OSError):
            await send_whole(self._opened, frame)

    def send_at_once(self, frame: str | bytes) -> bool:
        """Send one message if that takes no waiting; else `False`, and nothing is sent."""
        return send_at_once(self._opened, frame)

    @property
    def ending(self) -> tuple[int, str]:
        """The service's close code and reason; 1009 if it sent too much, 1006 if it was lost."""
        protocol = self._opened.protocol
        if protocol.close_rcvd is not None:
            return protocol.close_rcvd.code, protocol.close_rcvd.reason
        if protocol.close_sent is not None and protocol.close_sent.code == _TOO_BIG:
            return _TOO_BIG, "a message of the service is too large"
        return _LOST, ""

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye with a code that may be sent."""
        await self._opened.close(code, reason)


class Passages:
    """Opens passages. Raises `ConfigurationError` for an endpoint that cannot be right."""

    def __init__(
        self,
        config: PassageConfig,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._config = config
        service = of_version(VOICE_LIVE, config.api_version)
        self._service = with_key(service) if config.by_key else service
        self._endpoint = Endpoint(config.endpoint, self._service)
        self._transport: dict[str, Any] = {}
        if self._endpoint.secure:
            self._transport["ssl"] = tls or ssl.create_default_context()
        if self._endpoint.loopback:
            self._transport["proxy"] = None
        # At debug level the library writes every header and frame, the token among them.
        self._wire_log = logging.getLogger(f"{__name__}.wire")
        self._wire_log.setLevel(logging.INFO)

    @asynccontextmanager
    async def open(self, query: Query, token: str, /) -> AsyncGenerator[Passage]:
        """A passage to where `query` leads, closed whatever happens when the block ends.

        Has no time limit of its own. Raises `ModelUnavailable`.
        """
        opened = await self._upgrade(query, token)
        try:
            yield Passage(opened)
        finally:
            with anyio.move_on_after(self._config.close_timeout_s, shield=True):
                await opened.close()
            opened.transport.abort()

    async def _upgrade(self, query: Query, token: str) -> ClientConnection:
        config = self._config
        try:
            opened = await Upgrade(
                self._endpoint.url(query),
                additional_headers=self._service.show(token),
                user_agent_header="switchboard",
                compression=None,
                open_timeout=None,  # whoever opens has one
                ping_interval=config.ping_interval_s,
                # A pong may wait behind minutes of audio that a slow client has not taken yet.
                ping_timeout=None,
                close_timeout=config.close_timeout_s,
                max_size=config.max_frame_bytes,
                max_queue=1,  # messages: with the largest one, what may wait here
                logger=self._wire_log,
                **self._transport,
            )
        except (OSError, WebSocketException) as error:
            raise unreachable(error, self._service) from error
        bound_kernel_buffer(opened)
        return opened
