"""What this server can be asked over HTTP, as OpenAPI 3.1: `switchboard openapi`.

The server itself does not serve it: strangers need not know more than the page does. The document
in `docs/openapi.json` is this one, and tests/test_openapi.py asks the real server whatever it says.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from types import NoneType
from typing import Any, Final, cast

import msgspec

from switchboard.browser import protocol as page
from switchboard.browser.protocol import Problem
from switchboard.console import protocol as console
from switchboard.phone.outgoing_routes import PlaceTelephoneCall, TelephoneCall

REF: Final = "#/components/schemas/{name}"
STREAM: Final = "text/event-stream"
JSON: Final = "application/json"
SOUND: Final = "audio/wav"
HTML: Final = "text/html"
NOTHING: Final = ""
"""An answer without a body."""

type Kind = Any
"""A msgspec type, several of which one holds, one of the names above, or a JSON Schema."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    summary: str
    answers: Mapping[int, Kind]
    """By status. Every one above 399 is a `Problem` unless it is said here."""
    refusals: Sequence[int] = ()
    body: Kind = None
    query: Mapping[str, Mapping[str, Any]] | None = None
    ticketed: bool = False
    """It carries the ticket of its call in a header."""
    open_to_all: bool = False
    """Nobody is asked who they are."""
    machines: Sequence[str] = ()
    """For no person, but for whoever comes by one of these security schemes."""


_STATE: Final = {"type": "object", "properties": {"status": {"type": "string"}}}
_ANY: Final[Mapping[str, Any]] = {"type": "object"}
_EVENTS: Final = {"type": ["array", "object"]}
_NAME: Final = {"type": "string", "pattern": "^[A-Za-z0-9_.-]{0,64}$"}
_TIME: Final = {"type": "number", "minimum": 0, "maximum": 4_102_444_800}
_DAYS: Final = {"since": _TIME, "until": _TIME, "agent": _NAME}
_CARRIER: Final = ("carrier",)
"""ACS and Event Grid, who show their own tokens."""
_DELIVERY: Final = (*_CARRIER, "delivery")
"""Or an Event Grid without one, whose address holds our secret."""
_WHO: Final = (401, 403, 421, 429, 503)
"""Whoever asks may be nobody we know, at a page or by a name that is not ours, or too often."""
_BODY: Final = (400, 408, 413)

OPERATIONS: Final[Sequence[Operation]] = (
    Operation("get", "/livez", "The process is alive.", {200: _STATE}, open_to_all=True),
    Operation(
        "get", "/readyz", "Calls may be sent here.", {200: _STATE, 503: _STATE}, open_to_all=True
    ),
    Operation(
        "get", "/health", "A call could be taken.", {200: _STATE, 503: _STATE}, open_to_all=True
    ),
    Operation(
        "get",
        "/api/sign-in",
        "How somebody signs in, if at all.",
        {200: page.SignInOffer},
        (421,),
        open_to_all=True,
    ),
    Operation("get", "/api/config", "What a page may choose.", {200: page.PageConfig}, _WHO),
    Operation(
        "post",
        "/api/calls",
        "Place a call; with an offer, over WebRTC.",
        {201: (page.CallPlaced, page.RtcPlaced)},
        (*_WHO, *_BODY, 404),
        page.PlaceCall,
    ),
    Operation(
        "get",
        "/api/calls/{call_id}/events",
        "What happens on a call over WebRTC. `Last-Event-ID` goes on from there.",
        {200: STREAM},
        (*_WHO, 404),
        ticketed=True,
    ),
    Operation(
        "post",
        "/api/calls/{call_id}/messages",
        "Say something on a call over WebRTC.",
        {204: NOTHING},
        (*_WHO, *_BODY, 404),
        page.PageMessage,
        ticketed=True,
    ),
    Operation(
        "post",
        "/api/calls/{call_id}/offers",
        "A fresh connection to the same call.",
        {200: page.OfferAnswered},
        (*_WHO, *_BODY, 404),
        page.NewOffer,
        ticketed=True,
    ),
    Operation(
        "post",
        "/api/session",
        "A client secret for a front end of one's own, where that is allowed.",
        {201: page.SessionMinted},
        (*_WHO, *_BODY, 404),
        page.MintSession,
    ),
    Operation(
        "post",
        "/api/session/{call_id}/attach",
        "Have this server steer the session.",
        {201: page.CallAttached},
        (*_WHO, *_BODY, 404),
        page.AttachCall,
        ticketed=True,
    ),
    Operation("get", "/api/console/me", "Which operator this is.", {200: console.Me}, _WHO),
    Operation("get", "/api/console/live", "All live calls, as they change.", {200: STREAM}, _WHO),
    Operation(
        "get",
        "/api/console/history",
        "Past calls, the newest first.",
        {200: console.History},
        (*_WHO, 400),
        query={
            **_DAYS,
            "q": {"type": "string", "maxLength": console.MAX_SEARCH, "pattern": "^[^\\u0000]*$"},
            "channel": _NAME,
            "outcome": _NAME,
            "goals": _NAME,
            "before": {
                "type": "string",
                "pattern": "^[0-9]{1,12}(\\.[0-9]{1,9})?~[A-Za-z0-9_-]{1,64}$",
            },
        },
    ),
    Operation(
        "get",
        "/api/console/overview",
        "Figures of some days.",
        {200: console.Overview},
        (*_WHO, 400),
        query={**_DAYS, "zone": {"type": "number", "minimum": -840, "maximum": 840}},
    ),
    Operation(
        "get",
        "/api/console/calls/{call_id}",
        "One call, live or past.",
        {200: console.CallDetail},
        (*_WHO, 404),
    ),
    Operation(
        "get",
        "/api/console/calls/{call_id}/events",
        "One live call, as it changes.",
        {200: STREAM},
        (*_WHO, 409),
    ),
    Operation(
        "post",
        "/api/console/calls/{call_id}/actions",
        "Do something to a live call.",
        {200: console.Acted},
        (*_WHO, *_BODY, 409),
        console.Deed,
    ),
    Operation(
        "post",
        "/api/console/calls/{call_id}/listeners",
        "A ticket to listen in.",
        {201: console.ListenTicket},
        (*_WHO, 409),
    ),
    Operation(
        "post",
        "/api/console/calls/{call_id}/desk",
        "A ticket to take a call over.",
        {201: console.DeskTicket},
        (*_WHO, 409),
    ),
    Operation(
        "get",
        "/api/console/calls/{call_id}/recording",
        "The sound of a past call, whole or by ranges.",
        {200: SOUND, 206: SOUND, 416: NOTHING},
        (*_WHO, 404),
    ),
    Operation(
        "get",
        "/api/console/calls/{call_id}/after",
        "What a past call came to.",
        {200: console.After},
        (*_WHO, 404),
    ),
    Operation(
        "post",
        "/api/console/calls/{call_id}/deliveries",
        "Send now what the webhook has not got.",
        {200: console.After},
        (*_WHO, 404, 409),
    ),
    Operation(
        "get",
        "/api/console/evals",
        "Evaluations that were held, the newest first.",
        {200: console.EvalRuns},
        _WHO,
    ),
    Operation(
        "get",
        "/api/console/evals/{run_id}",
        "One evaluation, with each conversation's verdicts.",
        {200: console.EvalDetail},
        (*_WHO, 404, 409),
    ),
    Operation(
        "get",
        "/api/console/evals/{run_id}/page",
        "Its page, as a file.",
        {200: HTML},
        (*_WHO, 404),
    ),
    Operation(
        "get",
        "/api/console/agents/{agent}",
        "What an agent is.",
        {200: console.AgentSheet},
        (*_WHO, 404),
    ),
    Operation(
        "post",
        "/api/phone/calls",
        "Have somebody rung.",
        {201: TelephoneCall},
        (*_WHO, *_BODY, 404, 409, 415),
        PlaceTelephoneCall,
    ),
    Operation(
        "get",
        "/api/phone/calls/{call_id}",
        "How a placed call stands.",
        {200: TelephoneCall},
        (*_WHO, 404),
    ),
    Operation(
        "options",
        "/api/phone/incoming",
        "Event Grid's handshake (CloudEvents).",
        {200: NOTHING},
        (401, 421, 503),
        machines=_DELIVERY,
    ),
    Operation(
        "post",
        "/api/phone/incoming",
        "Event Grid tells of a call.",
        {200: {"type": "object", "properties": {"validationResponse": {"type": "string"}}}},
        (401, 415, 421, 503, *_BODY),
        _EVENTS,
        machines=_DELIVERY,
    ),
    Operation(
        "post",
        "/api/phone/events/{call_id}",
        "ACS tells of a call.",
        {200: NOTHING},
        (401, 415, 421, 503, *_BODY),
        _EVENTS,
        machines=_CARRIER,
    ),
)


def document() -> dict[str, Any]:
    """The whole, ready for JSON."""
    names, components = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard",
            "version": version("switchboard"),
            "description": "Calls, sockets aside: docs/architecture.md tells of those.",
        },
        "security": [{"person": []}, {}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "person": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "carrier": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "delivery": {"type": "apiKey", "in": "query", "name": "secret"},
            },
        },
    }


def document_text() -> str:
    """As the file in `docs/` has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _described(operation: Operation, names: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    kinds: dict[int, Kind] = {**dict.fromkeys(operation.refusals, Problem), **operation.answers}
    told: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _id(operation),
        "responses": {str(status): _answer(kinds[status], names) for status in sorted(kinds)},
    }
    if parameters := _parameters(operation):
        told["parameters"] = parameters
    if operation.body is not None:
        schema = _schema(operation.body, names)
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    if operation.open_to_all:
        told["security"] = []
    if operation.machines:
        told["security"] = [{scheme: []} for scheme in operation.machines]
    return told


def _id(operation: Operation) -> str:
    path = operation.path.replace("{call_id}", "call").replace("{agent}", "agent")
    words = path.strip("/").replace("-", "/").split("/")
    return operation.method + "".join(word.capitalize() for word in words)


def _answer(kind: Kind, names: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    if kind == NOTHING:
        return {"description": "Done."}
    if kind == STREAM:
        return {
            "description": "Events, until the call ends.",
            "content": {STREAM: {}},
        }
    if kind == HTML:
        return {"description": "A file.", "content": {HTML: {}}}
    if kind == SOUND:
        return {"description": "Sound.", "content": {SOUND: {}}}
    told = "What was wrong." if kind is Problem else "Done."
    return {"description": told, "content": {JSON: {"schema": _schema(kind, names)}}}


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in re.findall(r"{(\w+)}", operation.path):
        schema = {"type": "string", "minLength": 1}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if operation.ticketed:
        schema = {"type": "string"}
        found.append(
            {"name": page.TICKET_HEADER, "in": "header", "required": True, "schema": schema}
        )
    for name, schema in (operation.query or {}).items():
        found.append({"name": name, "in": "query", "schema": {**schema}})
    return found


def _schema(kind: Kind, names: Mapping[Any, Mapping[str, Any]]) -> Mapping[str, Any]:
    match kind:
        case dict():
            return kind  # pyright: ignore[reportUnknownVariableType]
        case tuple():
            return {"anyOf": [names[each] for each in kind]}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return names[kind]


_UNNAMED: Final = (str, dict, NoneType)


@cache
def _schemas() -> tuple[Mapping[Any, Mapping[str, Any]], Mapping[str, Any]]:
    """A schema for each type of a body, and what they all refer to."""
    told: list[Kind] = [each for o in OPERATIONS for each in (o.body, *o.answers.values())]
    alone = [
        cast("tuple[Kind, ...]", kind) if isinstance(kind, tuple) else (kind,) for kind in told
    ]
    named = [kind for kinds in alone for kind in kinds if not isinstance(kind, _UNNAMED)]
    kinds: list[Kind] = list(dict.fromkeys([Problem, *named]))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    written = [_ecma(schema) for schema in schemas]
    return dict(zip(kinds, written, strict=True)), _ecma(components)


def _ecma(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """The same with patterns as JSON Schema reads them: its `$` is the end, Python's is `\\Z`."""
    match schema:
        case dict():
            return {
                name: each.replace("\\Z", "$")
                if name == "pattern" and isinstance(each, str)
                else _ecma(each)
                for name, each in schema.items()  # pyright: ignore[reportUnknownVariableType]
            }
        case list():
            return [_ecma(each) for each in schema]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return schema
