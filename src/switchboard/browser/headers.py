"""What every answer says about itself: a strict policy that worklets and sockets live under."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def content_policy(origins: Iterable[str], others: Iterable[str] = ()) -> str:
    """The Content-Security-Policy of pages served at these origins, which may ask `others`."""
    # 'self' does not cover sockets in every browser, so these are named.
    sockets = sorted(origin.replace("http", "ws", 1) for origin in origins)
    asked = " ".join((*sockets, *others))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' {asked}".rstrip(),
            "media-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class SafeHeaders:
    """ASGI middleware: puts the headers on every HTTP answer."""

    def __init__(self, app: ASGIApp, origins: Iterable[str], others: Iterable[str] = ()) -> None:
        origins = list(origins)
        self._app = app
        headers = {
            "Content-Security-Policy": content_policy(origins, others),
            "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=()",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if origins and all(origin.startswith("https://") for origin in origins):
            headers["Strict-Transport-Security"] = "max-age=31536000"
        # As they go out, so that each answer's own are looked through once.
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [each for each in message["headers"] if each[0] not in self._names]
                message["headers"] = others + self._headers
            await send(message)

        await self._app(scope, receive, send_safely)
