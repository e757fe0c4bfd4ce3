"""The built page: files from `page/`, or a plain word on why there is none."""

from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

PAGE_DIR: Final = Path(__file__).parent / "page"
"""Where the front end's build puts it."""
HASHED: Final = "assets/"
"""Files below it carry a hash of their content in their name."""

NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Switchboard: the page is not built</title>
<h1>The server runs, but its page has not been built</h1>
<p>Building the page needs <strong>Node.js 20 or newer</strong>, which was not found when the server
was started.</p>
<ol>
<li>Install Node.js from <code>https://nodejs.org</code> or with your system's packages.</li>
<li>Stop the server and run <code>make run</code> again.</li>
</ol>
<p>Everything else is up: see <a href="/health">its state</a>.</p>
</html>
"""


class PageFiles(StaticFiles):
    """Serves `directory`: hashed files for ever, all others asked for anew each time."""

    def __init__(self, directory: Path = PAGE_DIR) -> None:
        super().__init__(directory=directory, html=True, check_dir=False)
        self._index = directory / "index.html"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            refusal = Response("Not found.\n", 404, media_type="text/plain")
            await refusal(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path == "." and not self._index.is_file():
            return HTMLResponse(NOT_BUILT, 503, {"Cache-Control": "no-store"})
        answer = await super().get_response(path, scope)
        hashed = path.startswith(HASHED) and answer.status_code in (200, 304)
        kept = "public, max-age=31536000, immutable" if hashed else "no-cache"
        answer.headers["Cache-Control"] = kept
        return answer
