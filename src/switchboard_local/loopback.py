"""Keeps the internet's web pages away from a service that trusts whoever is on this machine."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def is_local(headers: Mapping[str, str]) -> bool:
    """Whether a request names this machine as its host, and no other as its origin.

    A foreign `Host` is a rebound DNS name; a foreign `Origin` is a page from elsewhere.
    """
    if not is_loopback(f"//{headers.get('host', '')}"):
        return False
    origin = headers.get("origin")
    return origin is None or is_loopback(origin)


def from_here(headers: Mapping[str, str]) -> bool:
    """Whether a local request comes from a program, which names no origin, or from a page that the
    very server it asks has served: not from another page of this machine.
    """
    origin = headers.get("origin")
    host = headers.get("host", "")
    return origin is None or origin in (f"http://{host}", f"https://{host}")


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    try:
        return urlsplit(url).hostname in _NAMES
    except ValueError:
        return False


class LoopbackOnly:
    """Refuses, with 403, every request and upgrade that is not local."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or is_local(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        message = "The local cloud answers this machine only."
        refusal = JSONResponse({"error": {"code": "Forbidden", "message": message}}, 403)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refusal)
        else:
            await refusal(scope, receive, send)
