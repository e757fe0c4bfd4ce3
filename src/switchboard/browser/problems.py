"""Refusals in words, over HTTP and before a socket is accepted."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from switchboard.access.refusals import BudgetSpent, CannotTell, NotIdentified, TooOften
from switchboard.browser.protocol import Problem
from switchboard.errors import (
    LinesBusy,
    ModelUnavailable,
    NotAllowed,
    OfferRefused,
    RecordsUnavailable,
    ServerStopping,
)

logger = logging.getLogger(__name__)

_API: Final = "/api/"


class Refusal(Exception):
    """Answers a request with a problem."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.problem = Problem(code, text)


def problem_answer(
    status: int, code: str, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that carries a problem; refuses a socket, too, where it is not yet accepted."""
    body = msgspec.json.encode(Problem(code, text))
    return json_answer(body, status, headers)


def json_answer(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer that nobody keeps."""
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status, headers, media_type="application/json")


async def answer_refusal(_: HTTPConnection, reason: Exception) -> Response:
    """What the application answers to the exceptions named in `REFUSALS`."""
    match reason:
        case Refusal(status=status, problem=problem):
            return problem_answer(status, problem.code, problem.text)
        case TooOften() | CannotTell():
            status, code = _LATER[type(reason)]
            wait = {"Retry-After": str(max(1, round(reason.retry_after_s)))}
            return problem_answer(status, code, str(reason), wait)
        case NotIdentified():
            challenge = {"WWW-Authenticate": reason.challenge} if reason.challenge else None
            return problem_answer(401, "not_identified", str(reason), challenge)
        case ModelUnavailable():
            text = "The voice service cannot be reached just now."
            return problem_answer(503, "model_unavailable", text)
        case _:
            return _plainly(reason)


_LATER: Final = {
    BudgetSpent: (429, "budget_spent"),
    TooOften: (429, "too_often"),
    CannotTell: (503, "cannot_tell"),
}
"""Those that say themselves when to come again."""
_PLAIN: Final[Sequence[tuple[type[Exception], int, str, str | None]]] = (
    (NotAllowed, 403, "not_allowed", None),
    (ServerStopping, 503, "stopping", "1"),  # whoever asks again soon is sent to another server
    (LinesBusy, 503, "lines_busy", "10"),
    (RecordsUnavailable, 503, "records_away", "10"),
    (OfferRefused, 400, "bad_offer", None),
)
"""Status, code, and after how many seconds to come again."""


def _plainly(reason: Exception) -> Response:
    for kind, status, code, again in _PLAIN:
        if isinstance(reason, kind):
            wait = None if again is None else {"Retry-After": again}
            return problem_answer(status, code, str(reason), wait)
    raise reason


REFUSALS = (
    Refusal,
    NotAllowed,
    LinesBusy,
    OfferRefused,
    ModelUnavailable,
    RecordsUnavailable,
)
"""Exceptions that `answer_refusal` has words for."""


class LastWord:
    """ASGI middleware: a fault of ours is logged, and the page hears only that there was one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = ""

        async def send_and_see(message: Message) -> None:
            nonlocal begun
            begun = message["type"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        except (ClientDisconnect, ClientDisconnected):
            return  # nobody is left to answer, not even with a refusal
        except Exception:
            if scope["type"] not in ("http", "websocket"):
                raise
            logger.exception("a request failed", extra={"path": scope["path"]})
            if not begun:
                text = "Something went wrong on our side."
                await problem_answer(500, "internal_error", text)(scope, receive, send)
            elif begun in ("websocket.accept", "websocket.send"):
                await send({"type": "websocket.close", "code": 1011, "reason": "internal error"})


class KnownPaths:
    """ASGI middleware: what is asked for below `/api` and begins like nothing there is (`heads`,
    see `head_of`), is refused before it is looked for among all routes."""

    def __init__(self, app: ASGIApp, heads: Collection[str]) -> None:
        self._app = app
        self._heads = heads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(_API) and head_of(path) not in self._heads:
            await problem_answer(404, "refused", "Not Found.")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def head_of(path: str) -> str:
    """`/api/calls` of `/api/calls/{call_id}`."""
    return "/".join(path.split("/", 3)[:3])
