"""Where the softphone is: `/softphone/` is the page, `WS /local/softphone` what it talks to."""

import logging
import re
from pathlib import Path
from typing import Final

import anyio
from fastapi import FastAPI, Response, WebSocket
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from starlette.websockets import WebSocketDisconnect

from switchboard_local.loopback import from_here
from switchboard_local.softphone.page import Misfit, SoftphonePage
from switchboard_local.softphone.protocol import PATH
from switchboard_local.softphone.room import MAX_PAGES, Room, Stay

logger = logging.getLogger(__name__)

PAGE: Final = "/softphone/"
BUILT: Final = Path(__file__).parent / "built"
"""Where the front end's build puts the page."""
LEAVE_S: Final = 5.0
_TAB: Final = re.compile(r"[0-9a-f-]{1,36}")
_HOST: Final = re.compile(r"[a-z0-9.:\[\]]+")
_ALSO: Final = {
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Softphone: the page is not built</title>
<h1>The softphone page has not been built</h1>
<p>Building it needs <strong>Node.js 20.19 or newer</strong>. Install it from
<code>https://nodejs.org</code>, then stop the server and run <code>make run</code> again.
Until then <code>switchboard-local call</code> rings the agent from a terminal.</p>
</html>
"""


def add_softphone(app: FastAPI, room: Room, built: Path = BUILT) -> None:
    """The page and its socket, on a local cloud that answers this machine only."""

    @app.get(PAGE.rstrip("/"))
    async def to_the_page() -> RedirectResponse:
        return RedirectResponse(PAGE)

    @app.websocket(PATH)
    async def softphone(socket: WebSocket) -> None:
        tab = socket.query_params.get("tab", "")
        if not from_here(socket.headers) or not _TAB.fullmatch(tab):
            await socket.send_denial_response(Response(status_code=403))
            return
        await _replace(room, tab)
        if len(room.tabs) >= MAX_PAGES:
            await socket.send_denial_response(Response(status_code=429))
            return
        await _stay(socket, room, tab)

    app.mount(PAGE.rstrip("/"), SoftphoneFiles(built), "softphone")


async def _replace(room: Room, tab: str) -> None:
    """A tab that comes again takes the place of its old self, which may not know yet."""
    old = room.tabs.get(tab)
    if old is not None:
        old.scope.cancel()
        with anyio.move_on_after(LEAVE_S):
            await old.gone.wait()


async def _stay(socket: WebSocket, room: Room, tab: str) -> None:
    stay = room.tabs[tab] = Stay()
    try:
        with stay.scope:
            await socket.accept()
            await SoftphonePage(socket, room).serve()
    except* (WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
        logger.info("softphone page gone")
    except* Misfit:
        logger.warning("softphone page said what is none of its protocol")
    finally:
        if room.tabs.get(tab) is stay:
            del room.tabs[tab]
        stay.gone.set()


class SoftphoneFiles(StaticFiles):
    """The built page, under a policy that allows nothing inline and nobody else's files."""

    def __init__(self, built: Path) -> None:
        super().__init__(directory=built, html=True, check_dir=False)
        self._index = built / "index.html"

    async def check_config(self) -> None:
        """A page that is not built is no fault of whoever asks."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path == "." and not self._index.is_file():
            answer: Response = HTMLResponse(NOT_BUILT, 503)
        else:
            answer = await super().get_response(path, scope)
        hashed = path.startswith("assets/") and answer.status_code in (200, 304)
        answer.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if hashed else "no-cache"
        )
        answer.headers["Content-Security-Policy"] = _policy(scope)
        answer.headers.update(_ALSO)
        return answer


def _policy(scope: Scope) -> str:
    # 'self' does not cover sockets in every browser, so the one there is is named.
    host = Headers(scope=scope).get("host", "")
    socket = f" ws://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            f"connect-src 'self'{socket}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
