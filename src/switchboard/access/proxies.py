"""Whose word is taken for where a request comes from: that of proxies which are named."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

type Network = IPv4Network | IPv6Network

_PEER: Final = "switchboard.peer"
_MAPPED: Final = int(IPv6Address("::ffff:0.0.0.0"))
_MAPPED_BITS: Final = 96


class TrustedProxies:
    """ASGI middleware: for a request that one of `proxies` passes on, the client becomes whom it
    speaks for. What anybody else says in a header changes nothing.

    uvicorn's middleware reads `X-Forwarded-For`: every such header, from the right, up to the first
    address that is no proxy of ours. Two things it leaves to us. It does not know an IPv4 proxy by
    the IPv6 address that a socket for both gives it. And it takes for an address whatever is
    written there, which would be a bucket of one's own for each invented word: then the client
    stays the proxy.
    """

    def __init__(self, app: ASGIApp, proxies: Iterable[Network]) -> None:
        self._app = app
        named = [str(form) for network in proxies for form in _forms(network)]
        self._passed_on = cast(
            ASGIApp,
            ProxyHeadersMiddleware(cast("object", self._judged), named),  # pyright: ignore[reportArgumentType]  (its own ASGI types)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_PEER] = scope.get("client")
        await self._passed_on(scope, receive, send)

    async def _judged(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.pop(_PEER)
        if scope.get("client") != peer:
            scope["client"] = _plain(scope["client"]) or peer
        await self._app(scope, receive, send)


def _forms(network: Network) -> Iterable[Network]:
    """A network as IPv4 sockets name it, and as those for both families do (RFC 4291, 2.5.5.2)."""
    yield network
    if isinstance(network, IPv4Network):
        first = IPv6Address(_MAPPED + int(network.network_address))
        yield ip_network(f"{first}/{_MAPPED_BITS + network.prefixlen}")


def _plain(client: tuple[str, int]) -> tuple[str, int] | None:
    """Address and port, one way of writing for each address. `None` for what is no address."""
    try:
        address = ip_address(client[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address), client[1]
