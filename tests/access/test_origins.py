"""Origins are exact, and so are the names this server answers to."""

import httpx
import pytest
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from switchboard.access.origins import KnownHosts, Origins, loopback_origins
from switchboard.errors import ConfigurationError, NotAllowed

TALK = "https://talk.example.com"


def naming(*origins: str) -> HTTPConnection:
    headers = [(b"origin", origin.encode()) for origin in origins]
    return HTTPConnection({"type": "http", "headers": headers})


def test_an_allowed_origin_may() -> None:
    Origins([TALK]).check(naming(TALK))


@pytest.mark.parametrize(
    "origins",
    [
        (),
        ("",),
        ("null",),
        ("https://talk.example.com.evil.com",),
        ("https://evil.com/https://talk.example.com",),
        ("http://talk.example.com",),
        ("https://talk.example.com:8443",),
        ("https://talk.example.com/",),
        ("https://TALK.example.com",),
        (TALK, TALK),
        (TALK, "https://evil.com"),
    ],
)
def test_anything_else_may_not(origins: tuple[str, ...]) -> None:
    with pytest.raises(NotAllowed):
        Origins([TALK]).check(naming(*origins))


@pytest.mark.parametrize(
    "wrong",
    [
        "talk.example.com",
        "https://",
        "https://a/b",
        "*",
        "https://*:",
        "ftp://a",
        "https://u@a",
        "",
    ],
)
def test_what_is_no_origin_is_a_configuration_error(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an origin"):
        Origins([wrong])


def test_an_origin_may_be_written_as_people_write_it() -> None:
    origins = Origins(["https://Talk.Example.com:443", "http://a:80", "http://[::1]:8000"])
    assert origins.allowed == {TALK, "http://a", "http://[::1]:8000"}


def test_loopback_has_two_names() -> None:
    assert Origins(loopback_origins(8000)).hosts == {"127.0.0.1:8000", "localhost:8000"}
    assert Origins(loopback_origins(80)).hosts == {"127.0.0.1", "localhost"}


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("talk.example.com", "/", 200),
        ("TALK.example.com", "/", 200),
        ("evil.com", "/", 421),
        ("talk.example.com:8000", "/", 421),
        ("10.0.0.7:8000", "/health", 200),
        ("10.0.0.7:8000", "/health/", 421),
    ],
)
async def test_only_its_own_names_are_answered(host: str, path: str, status: int) -> None:
    app = KnownHosts(PlainTextResponse("hello"), Origins([TALK]).hosts, except_paths=["/health"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
        answer = await client.get(f"http://server{path}", headers={"Host": host})
    assert answer.status_code == status
