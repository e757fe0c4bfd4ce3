"""The REST interface of Call Automation, api-version 2026-03-12 and those before it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response

from switchboard_local.acs import operations
from switchboard_local.acs.acs import Acs
from switchboard_local.acs.bodies import Record
from switchboard_local.acs.doorway import Asking, Doorway
from switchboard_local.acs.identifiers import checked
from switchboard_local.acs.live import LiveCall
from switchboard_local.acs.operations import Answer
from switchboard_local.acs.refusals import AcsRefused, bad, gone
from switchboard_local.acs.repeats import Answered, Repeats
from switchboard_local.acs.verbs import OF_A_CALL, OF_THE_RESOURCE

MAX_BODY_BYTES: Final = 256 * 1024
API_VERSIONS: Final = frozenset(
    {
        "2023-03-06",
        "2023-10-15",
        "2024-04-15",
        "2024-09-15",
        "2025-05-15",
        "2025-06-15",
        "2026-03-12",
    }
)
CALLS: Final = "/calling/callConnections"
RECORDINGS: Final = "/calling/recordings"

_ID: Final = re.compile(r"^callConnections/([0-9a-f-]{36})")

type Do = Callable[[bytes], tuple[int, Answer]]


@dataclass(slots=True)
class Desk:
    """Takes requests: who asks, have they asked before, and what goes wrong on purpose."""

    acs: Acs
    doorway: Doorway
    repeats: Repeats = field(default_factory=Repeats)

    async def take(self, request: Request, do: Do) -> Response:
        """Everything from the arrival to the answer, noted for those who watch."""
        began = time.monotonic()
        sent, response = await self._take(request, do)
        title, call = _titled(request.url.path)
        self.acs.flow.note(
            "request",
            "to_carrier",
            f"{request.method} {title}",
            call=call,
            status=response.status_code,
            took_ms=(time.monotonic() - began) * 1000,
            body=_both(sent, bytes(response.body)),
        )
        return response

    async def _take(self, request: Request, do: Do) -> tuple[bytes, Response]:
        """The body as sent, and the answer. Nothing awaits between check and deed."""
        body = b""
        try:
            body = await _body(request)
            target = _target(request)
            self.doorway.check(Asking(request.method, target, request.headers, body))
            if request.query_params.get("api-version") not in API_VERSIONS:
                raise bad("The api-version is missing or unknown.")
            trouble = self.acs.troubles.befalls_request(request.url.path)
            if trouble is not None and not trouble.done_first:
                return body, _trouble(trouble.status, trouble.retry_after_s)
            answered = self._once(request, target, body, do)
            if trouble is not None:
                return body, _trouble(trouble.status, trouble.retry_after_s)
        except AcsRefused as refused:
            return body, _error(refused.status, refused.code, str(refused))
        return body, _json(answered.status, answered.body)

    def _once(self, request: Request, target: str, body: bytes, do: Do) -> Answered:
        name = request.headers.get("repeatability-request-id")
        answered = self.repeats.find(name, target)
        if answered is None:
            status, answer = do(body)
            sent = b"" if status == 204 else msgspec.json.encode(answer or {})
            answered = Answered(target, status, sent)
            self.repeats.note(name, answered)
        return answered


def acs_router(acs: Acs, doorway: Doorway) -> APIRouter:
    """All of D2's verbs. The tables say which there are."""
    router = APIRouter()
    desk = Desk(acs, doorway)

    def call(call_id: str) -> LiveCall:
        found = acs.find(call_id)
        if found is None:
            raise gone("The call")
        return found

    _add_reading(router, desk, call)

    @router.post(CALLS)
    @router.post(CALLS + ":{verb}")
    async def of_the_resource(request: Request, verb: str = "") -> Response:
        def do(body: bytes) -> tuple[int, Answer]:
            known = OF_THE_RESOURCE.get(f":{verb}" if verb else "")
            if known is None:
                raise gone("The operation")
            return known.status, known.run(acs, body)

        return await desk.take(request, do)

    @router.post(CALLS + "/{rest:path}")
    async def of_a_call(request: Request, rest: str) -> Response:
        def do(body: bytes) -> tuple[int, Answer]:
            cut = rest.find("/") if "/" in rest else rest.find(":")
            known = OF_A_CALL.get(rest[cut:]) if cut > 0 else None
            if known is None:
                raise gone("The operation")
            return known.status, known.run(call(rest[:cut]), body)

        return await desk.take(request, do)

    _add_recordings(router, desk)
    return router


def _add_reading(router: APIRouter, desk: Desk, call: Callable[[str], LiveCall]) -> None:
    @router.get(CALLS + "/{call_id}")
    async def properties(request: Request, call_id: str) -> Response:
        return await desk.take(request, lambda _: (200, call(call_id).wire()))

    @router.delete(CALLS + "/{call_id}")
    async def hang_up(request: Request, call_id: str) -> Response:
        return await desk.take(request, lambda _: (204, operations.hang_up(call(call_id))))

    @router.get(CALLS + "/{call_id}/participants")
    async def participants(request: Request, call_id: str) -> Response:
        return await desk.take(request, lambda _: (200, operations.participants(call(call_id))))

    @router.get(CALLS + "/{call_id}/participants/{raw_id}")
    async def participant(request: Request, call_id: str, raw_id: str) -> Response:
        def do(_: bytes) -> tuple[int, Answer]:
            return 200, operations.participant(call(call_id), checked(raw_id))

        return await desk.take(request, do)


def _add_recordings(router: APIRouter, desk: Desk) -> None:
    recordings = desk.acs.recordings

    @router.post(RECORDINGS)
    async def start(request: Request) -> Response:
        def do(body: bytes) -> tuple[int, Answer]:
            try:
                checked_body = msgspec.json.decode(body, type=Record)
            except (msgspec.DecodeError, RecursionError) as wrong:
                raise bad(str(wrong)) from None
            return 200, recordings.start(checked_body).wire()

        return await desk.take(request, do)

    @router.get(RECORDINGS + "/{recording_id}")
    async def state(request: Request, recording_id: str) -> Response:
        return await desk.take(request, lambda _: (200, recordings.find(recording_id).wire()))

    @router.delete(RECORDINGS + "/{recording_id}")
    async def stop(request: Request, recording_id: str) -> Response:
        return await desk.take(request, lambda _: (204, recordings.stop(recording_id)))

    @router.post(RECORDINGS + "/{recording_id}:{verb}")
    async def switch(request: Request, recording_id: str, verb: str) -> Response:
        def do(_: bytes) -> tuple[int, Answer]:
            if verb not in ("pause", "resume"):
                raise gone("The operation")
            recordings.switch(recording_id, active=verb == "resume")
            return 202, None

        return await desk.take(request, do)


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise AcsRefused(413, "RequestTooLarge", f"At most {MAX_BODY_BYTES} bytes.")
    return body


def _target(request: Request) -> str:
    """Path and query as they were sent: signatures are of those."""
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return f"{raw.decode()}?{query.decode()}" if query else raw.decode()


def _titled(path: str) -> tuple[str, str]:
    """A path in short, and the id of the call in it."""
    short = path.removeprefix("/calling/")
    match = _ID.search(short)
    return (short, "") if match is None else (short.replace(match[1], "…"), match[1])


def _both(sent: bytes, answered: bytes) -> bytes:
    """What was sent and what was answered, as one object."""
    parts = ((b'"sent":', sent), (b'"answered":', answered))
    return b"{" + b",".join(name + body for name, body in parts if body) + b"}"


def _trouble(status: int, retry_after_s: int | None) -> Response:
    response = _error(status, "ServiceUnavailable", "Scripted.")
    if retry_after_s is not None:
        response.headers["retry-after"] = str(retry_after_s)
    return response


def _error(status: int, code: str, message: str) -> Response:
    return _json(status, msgspec.json.encode({"error": {"code": code, "message": message}}))


def _json(status: int, body: bytes) -> Response:
    return Response(body or None, status, media_type="application/json" if body else None)
