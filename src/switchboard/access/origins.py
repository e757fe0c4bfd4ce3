"""Which pages may use this server: exact origins, exact hosts."""

import re
from collections.abc import Iterable
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from switchboard.errors import ConfigurationError, NotAllowed

_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?")


class Origins:
    """The origins whose pages may open sockets and change things here. No patterns."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = frozenset(map(_as_sent, allowed))

    @property
    def hosts(self) -> frozenset[str]:
        """`host[:port]` of each, as a `Host` header says it."""
        return frozenset(origin.partition("://")[2] for origin in self.allowed)

    def check(self, connection: HTTPConnection) -> None:
        """Raise `NotAllowed` unless the request names exactly one allowed origin.

        A browser always names one on sockets and on POST; whoever does not is no page of ours.
        """
        named = connection.headers.getlist("origin")
        if len(named) != 1 or named[0] not in self.allowed:
            raise NotAllowed("This page may not use this server.")


class KnownHosts:
    """ASGI middleware: answers only to its own names, so that no foreign name can be pointed at it
    (DNS rebinding). `except_paths` answer to any: a probe calls us by our address."""

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str], except_paths: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.encode() for host in hosts)
        self._except_paths = frozenset(except_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._is_known(scope):
            answer = PlainTextResponse("This server does not go by that name.\n", 421)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        if scope["path"] in self._except_paths:
            return True
        named = [value.lower() for name, value in scope["headers"] if name == b"host"]
        return len(named) == 1 and named[0] in self._hosts


def loopback_origins(port: int) -> frozenset[str]:
    """What a browser on this machine calls a server on loopback."""
    suffix = "" if port == 80 else f":{port}"
    return frozenset(f"http://{host}{suffix}" for host in ("127.0.0.1", "localhost"))


def _as_sent(origin: str) -> str:
    """An origin as browsers send it; raises `ConfigurationError` when it is none."""
    parts = _ORIGIN.fullmatch(origin.lower())
    if parts is None:
        raise ConfigurationError(
            f"{origin!r} is not an origin. Write scheme and host, such as https://talk.example.com "
            "(PUBLIC_URL, ALLOWED_ORIGINS)."
        )
    scheme, host, port = parts.groups()
    usual = {"http": ":80", "https": ":443"}[scheme]
    return f"{scheme}://{host}{'' if port in (None, usual) else port}"
