"""The built page: files from `page/`, or a plain word on why there is none."""

import re
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from switchboard.browser.problems import json_answer

PAGE_DIR: Final = Path(__file__).parent / "page"
"""Where the front end's build puts it."""
HASHED: Final = "assets/"
"""Files below it carry a hash of their content in their name."""
_WEIGHT: Final = re.compile(r"[01](\.[0-9]{0,3})?")

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
    """Serves `directory`: hashed files for ever, all others asked for anew each time.

    `about` is what `/` says, as JSON, to those who ask for that.
    """

    def __init__(self, directory: Path = PAGE_DIR, *, about: bytes | None = None) -> None:
        super().__init__(directory=directory, html=True, check_dir=False)
        self._index = directory / "index.html"
        self._about = about

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            refusal = Response("Not found.\n", 404, media_type="text/plain")
            await refusal(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    async def check_config(self) -> None:
        """A page that is not built yet is no fault of whoever asks."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.split("/", 1)[0] == "api":
            raise HTTPException(404)  # no file is there, whatever the method
        if path == "." and scope["method"] in ("GET", "HEAD"):
            if self._about is not None and asks_for_json(scope):
                return json_answer(self._about, headers={"Vary": "Accept"})
            if not self._index.is_file():
                headers = {"Cache-Control": "no-store", "Vary": "Accept"}
                return HTMLResponse(NOT_BUILT, 503, headers)
        answer = await super().get_response(path, scope)
        hashed = path.startswith(HASHED) and answer.status_code in (200, 304)
        kept = "public, max-age=31536000, immutable" if hashed else "no-cache"
        answer.headers["Cache-Control"] = kept
        if path == ".":
            answer.headers["Vary"] = "Accept"
        return answer


def asks_for_json(scope: Scope) -> bool:
    """Whether the `Accept` header names JSON, and prefers it to a page."""
    wanted: dict[str, float] = {}
    for part in ",".join(Headers(scope=scope).getlist("accept")).split(","):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        wanted[kind] = next(map(_weight, (p for p in parameters if p.startswith("q="))), 1.0)
    return wanted.get("application/json", 0) > wanted.get("text/html", 0)


def _weight(parameter: str) -> float:
    """`q=0.5` as a number; what is none counts for nothing."""
    digits = parameter.removeprefix("q=")
    return float(digits) if _WEIGHT.fullmatch(digits) else 0.0
