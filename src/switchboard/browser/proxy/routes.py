"""`WS /ws`: who may open a proxied connection, and how many there may be."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Annotated, Final

import anyio
from fastapi import APIRouter, Depends
from starlette.websockets import WebSocket

from switchboard.access.identity import Identify, address_of
from switchboard.access.origins import Origins
from switchboard.access.principal import Kind, Principal
from switchboard.access.rates import Places, Rate, Rates
from switchboard.access.refusals import NotIdentified
from switchboard.browser.leg import Close
from switchboard.browser.proxy import closing
from switchboard.browser.proxy.relay import OpenService, Relay, RelayLimits, Tokens
from switchboard.browser.proxy.wanted import OwnToken, Wanted, read_wanted
from switchboard.errors import LinesBusy
from switchboard.extensions import WIDEN

PATH: Final = "/ws"


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """What the proxy is told about itself."""

    max_connections: int = 100
    address_rate: Rate = field(default=Rate(2, 60))
    """New connections of one address."""
    user_rate: Rate = field(default=Rate(1, 30))
    """New connections of one user."""
    relay: RelayLimits = field(default_factory=RelayLimits)


class ProxyRoom:
    """Lends our credentials to clients that speak the service's language themselves.

    Without `tokens`, the server's identity is lent to nobody: users bring their own.
    """

    def __init__(
        self,
        origins: Origins,
        *,
        open_service: OpenService,
        tokens: Tokens | None,
        lend: OpenService | None = None,
        config: ProxyConfig | None = None,
    ) -> None:
        """`lend` opens with what `tokens` has, where that is shown otherwise than a user's own."""
        self._origins = origins
        self._open_service = open_service
        self._lend = lend or open_service
        self._tokens = tokens
        self._config = config or ProxyConfig()
        self._addresses = Rates(self._config.address_rate)
        self._users = Rates(self._config.user_rate)
        self._places = Places(self._config.max_connections)
        self._live: set[Relay] = set()
        self._is_stopping = False

    def active(self) -> int:
        return self._places.taken

    async def open(self, socket: WebSocket, who: Principal) -> None:
        """`WS /ws`: carry one connection, until a side leaves."""
        self._origins.check(socket)
        address = address_of(socket)
        self._addresses.check(address)
        offered: list[str] = socket.scope.get("subprotocols", [])
        wanted = read_wanted(socket.scope["query_string"], offered, time.time())
        if wanted.token is None and self._tokens is None:
            raise NotIdentified("This server asks for your own token.")
        self._users.check(_user(who, wanted.token, address))
        if self._is_stopping:
            await _turn_away(socket, wanted, closing.STOPPING)
            return
        try:
            with self._places.take():
                await self._carry(socket, wanted, who)
        except LinesBusy:
            await _turn_away(socket, wanted, closing.FULL)

    async def drain(self, grace_s: float) -> int:
        """Take no more; let those there are finish. Returns how many were cut off."""
        self._is_stopping = True
        await self._empty(grace_s)
        cut_off = list(self._live)
        for relay in cut_off:
            relay.stop()
        await self._empty(2 * self._config.relay.close_s)
        return len(cut_off)

    async def _carry(self, socket: WebSocket, wanted: Wanted, who: Principal) -> None:
        widen = socket.scope.get("extensions", {}).get(WIDEN)
        if widen is not None:
            widen["to"](self._config.relay.max_frame_bytes)
        await socket.accept(wanted.subprotocol)
        relay = Relay(
            socket,
            wanted,
            principal_id=who.id,
            open_service=self._lend if wanted.token is None else self._open_service,
            tokens=self._tokens,
            limits=self._config.relay,
            until=who.until,
        )
        self._live.add(relay)
        try:
            await relay.run()
        finally:
            self._live.discard(relay)

    async def _empty(self, patience_s: float) -> None:
        with anyio.move_on_after(patience_s):
            # One that is being accepted has its place, and lives a moment later.
            while self._places.taken:  # noqa: ASYNC110  (only when stopping)
                await anyio.sleep(0.05)


def proxy_routes(room: ProxyRoom, identify: Identify) -> APIRouter:
    """The room's one route."""
    router = APIRouter()

    @router.websocket(PATH)
    async def proxied(socket: WebSocket, who: Annotated[Principal, Depends(identify)]) -> None:  # pyright: ignore[reportUnusedFunction]
        await room.open(socket, who)

    return router


def _user(who: Principal, token: OwnToken | None, address: str) -> str:
    """Whose rate it is. A token's claims are unverified here: they could name a victim."""
    if token is not None:
        return hashlib.sha256(token.value.encode()).hexdigest()
    return who.id if who.kind is Kind.PERSON else f"{who.id} {address}"


async def _turn_away(socket: WebSocket, wanted: Wanted, close: Close) -> None:
    # Accepted first: a browser is told the code of an open socket only.
    await socket.accept(wanted.subprotocol)
    await socket.close(*close)
