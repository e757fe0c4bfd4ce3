"""Refusals in words, over HTTP and before a socket is accepted."""

import logging
from collections.abc import Mapping

import msgspec
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from switchboard.access.refusals import CannotTell, NotIdentified, TooOften
from switchboard.browser.protocol import Problem
from switchboard.errors import LinesBusy, ModelUnavailable, NotAllowed, OfferRefused

logger = logging.getLogger(__name__)


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
        case TooOften():
            wait = {"Retry-After": str(max(1, round(reason.retry_after_s)))}
            return problem_answer(429, "too_often", str(reason), wait)
        case CannotTell():
            wait = {"Retry-After": str(max(1, round(reason.retry_after_s)))}
            return problem_answer(503, "cannot_tell", str(reason), wait)
        case NotIdentified():
            challenge = {"WWW-Authenticate": reason.challenge} if reason.challenge else None
            return problem_answer(401, "not_identified", str(reason), challenge)
        case NotAllowed():
            return problem_answer(403, "not_allowed", str(reason))
        case LinesBusy():
            return problem_answer(503, "lines_busy", str(reason), {"Retry-After": "10"})
        case OfferRefused():
            return problem_answer(400, "bad_offer", str(reason))
        case ModelUnavailable():
            text = "The voice service cannot be reached just now."
            return problem_answer(503, "model_unavailable", text)
        case _:
            raise reason


REFUSALS = (Refusal, NotAllowed, LinesBusy, OfferRefused, ModelUnavailable)
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
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception:
            if scope["type"] not in ("http", "websocket"):
                raise
            logger.exception("a request failed", extra={"path": scope["path"]})
            if not begun:
                text = "Something went wrong on our side."
                await problem_answer(500, "internal_error", text)(scope, receive, send)
            elif begun in ("websocket.accept", "websocket.send"):
                await send({"type": "websocket.close", "code": 1011, "reason": "internal error"})
