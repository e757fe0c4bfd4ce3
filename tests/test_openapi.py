"""docs/openapi.json is what the real server is: asked whatever it allows and what it does not."""

# Schemathesis says little of its types.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownParameterType=false, reportUntypedFunctionDecorator=false
# pyright: reportMissingTypeArgument=false, reportIncompatibleMethodOverride=false

import random
import re
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import pytest
import requests
import schemathesis
from anyio.from_thread import start_blocking_portal
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, settings
from requests.adapters import HTTPAdapter
from schemathesis import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from switchboard.access.rates import Rate, Rates
from switchboard.app import create_app
from switchboard.console.protocol import StreamMessage
from switchboard.openapi import OPERATIONS, document, document_text
from switchboard.settings import Settings
from tests.browser.peers import serving
from tests.test_app import ROOT, leaves

SECRET: Final = "correct-horse-battery-staple-and-more"
CHECKS: Final = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
    positive_data_acceptance,
    ignored_auth,
]
"""A fault of ours (500) is in no answer of the document, so the first finds it; 503, which says
that calls cannot be taken, is. Where nobody need sign in, `ignored_auth` has nothing to say; it
holds the carrier's doors to their signatures."""
RELATED: Final = {
    "/api/console/history",
    "/api/console/overview",
    "/api/phone/incoming",
    "/api/phone/events/{call_id}",
}
"""Where one field must suit another, as an end its beginning or an event's data its type, which no
schema of these can say: what is good each by itself is refused together, in words. They are not
asked to accept it all."""
DICE: Final = random.Random()
"""Not Python's own, which Hypothesis keeps an eye on."""
QUIET: Final = cast("list[HealthCheck]", list(HealthCheck))
FEW: Final = 8
MANY: Final = 400

# The server, in a thread of this process, throws dice of its own while Hypothesis draws.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Do not use the .random. module:hypothesis.errors.HypothesisDeprecationWarning"
)

# It lasts as long as somebody reads it: there is a test of its own for it.
api = schemathesis.openapi.from_dict(document()).exclude(path="/api/console/live")


@asynccontextmanager
async def _server(data_dir: Path) -> AsyncGenerator[str]:
    """The whole product with everything on, a telephone too; only the model is a script."""
    door = socket.create_server(("0.0.0.0", 0))
    port = door.getsockname()[1]
    everything: dict[str, Any] = {
        "acs_endpoint": "https://127.0.0.1:1",
        "acs_resource_id": "11111111-2222-3333-4444-555555555555",
        "acs_issuer": "http://127.0.0.1:1",
        "acs_number": "+442079460018",
        "dial_allowed": "GB",
        "event_grid_secret": SECRET,
        "public_url": f"http://127.0.0.1:{port}",
        "azure_openai_endpoint": "http://127.0.0.1:1",
        "session_minting": True,
        "max_calls": 4,
    }
    app = create_app(
        Settings(
            port=port, data_dir=data_dir, session_config=ROOT / "session_config.json", **everything
        ),
    )
    # Its rates are shown elsewhere; here they would answer in the place of what is behind them.
    app.state.house.console._acting = Rates(Rate(10_000, 10_000))
    async with serving(app, door):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_server(tmp_path_factory.mktemp("api"))) as address,
    ):
        yield address


class FromElsewhere(HTTPAdapter):
    """Each request comes from an address of its own on loopback, whose rates nobody has used up."""

    def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 - requests' own
        host = ".".join(str(DICE.randrange(1, 255)) for _ in range(3))
        self.poolmanager.connection_pool_kw["source_address"] = (f"127.{host}", 0)
        self.poolmanager.clear()
        return super().send(request, **options)


@pytest.fixture(scope="module")
def session() -> Generator[requests.Session]:
    with requests.Session() as asking:
        asking.trust_env = False
        asking.mount("http://", FromElsewhere())
        yield asking


def _ask(case: Case, server: str, asking: requests.Session) -> None:
    left_out: list[Any] = [positive_data_acceptance] if case.operation.path in RELATED else []
    if "/phone/" in case.path and DICE.random() < 0.5:
        case.query = {**(case.query or {}), "secret": SECRET}  # Event Grid itself, hostile
        left_out += [missing_required_header, ignored_auth]  # it stands for the header
    case.headers["Origin"] = server
    answer = case.call(base_url=server, session=asking, timeout=20)
    case.validate_response(answer, checks=CHECKS, excluded_checks=left_out)


@api.parametrize()
@settings(max_examples=FEW, deadline=None, suppress_health_check=QUIET)
def test_every_answer_is_as_the_document_says(
    case: Case, server: str, session: requests.Session
) -> None:
    _ask(case, server, session)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@api.parametrize()
@settings(max_examples=MANY, deadline=None, suppress_health_check=QUIET)
def test_every_answer_is_as_the_document_says_at_length(
    case: Case, server: str, session: requests.Session
) -> None:
    _ask(case, server, session)


def test_the_stream_of_live_calls_begins_with_how_things_stand(
    server: str, session: requests.Session
) -> None:
    address = f"{server}/api/console/live"
    with session.get(address, headers={"Origin": server}, stream=True, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        line = next(line for line in answer.iter_lines() if line.startswith(b"data:"))
    assert msgspec.json.decode(line.removeprefix(b"data:"), type=StreamMessage)


# -- the document itself ------------------------------------------------------------------------


def test_the_file_is_the_document() -> None:
    committed = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert committed == document_text(), "run `switchboard openapi > docs/openapi.json`"


def test_every_route_is_in_the_document_and_nothing_else(tmp_path: Path) -> None:
    app = create_app(
        Settings(
            data_dir=tmp_path,
            session_config=ROOT / "session_config.json",
            azure_openai_endpoint="http://127.0.0.1:1",
            acs_endpoint="https://acs.example",
            acs_resource_id="11111111-2222-3333-4444-555555555555",
            acs_number="+442079460018",
            dial_allowed="GB",  # pyright: ignore[reportArgumentType]  (as the environment has it)
            event_grid_secret=SECRET,  # pyright: ignore[reportArgumentType]
            public_url="http://127.0.0.1:8000",
        ),
    )
    served: set[tuple[str, str]] = {
        (method.lower(), route.path)
        for route in leaves(app.routes)
        if isinstance(route, APIRoute)
        for method in (route.methods or set[str]()) - {"HEAD"}
    }
    assert served == {(each.method, each.path) for each in OPERATIONS}


def test_a_server_tells_nobody_what_it_can_be_asked(server: str, session: requests.Session) -> None:
    for path in ("/openapi.json", "/docs", "/redoc"):
        assert session.get(server + path, timeout=20).status_code == 404


def test_its_patterns_are_those_of_json_schema() -> None:
    patterns = re.findall(r'"pattern": "([^"]*)"', document_text())
    assert patterns
    assert not any("\\Z" in pattern for pattern in patterns)
