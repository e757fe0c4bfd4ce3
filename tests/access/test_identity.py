"""Who may call is decided before anything listens, and asked on every route."""

import pytest
from starlette.requests import HTTPConnection

from switchboard.access.identity import (
    Anybody,
    LocalOnly,
    choose_authenticator,
    is_loopback,
)
from switchboard.access.principal import ANONYMOUS, LOCAL
from switchboard.access.refusals import NotIdentified
from switchboard.errors import ConfigurationError


def from_address(host: str | None) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [], "client": host and (host, 1)})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1", "[::1]"])
def test_on_loopback_whoever_calls_is_local(host: str) -> None:
    assert isinstance(choose_authenticator(host, allow_anonymous=False), LocalOnly)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.0.4", "example.com", "localhost.evil", ""]
)
def test_anywhere_else_the_server_refuses_to_start_and_says_why(host: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"nothing here asks who they are.*ALLOW_ANONYMOUS"
    ):
        choose_authenticator(host, allow_anonymous=False)


def test_unless_its_owner_lets_anybody_in_which_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert isinstance(choose_authenticator("0.0.0.0", allow_anonymous=True), Anybody)
    assert [record.message for record in caplog.records] == ["anybody may call"]


async def test_a_local_server_knows_nobody_from_elsewhere() -> None:
    assert await LocalOnly().identify(from_address("127.0.0.1")) is LOCAL
    for stranger in ("10.0.0.1", "::ffff:10.0.0.1", "testclient", None):
        with pytest.raises(NotIdentified):
            await LocalOnly().identify(from_address(stranger))


async def test_anybody_is_anonymous_and_no_operator() -> None:
    assert await Anybody().identify(from_address("10.0.0.1")) is ANONYMOUS
    assert {role.value for role in ANONYMOUS.roles} == {"caller"}


def test_only_real_loopback_is_loopback() -> None:
    assert not any(map(is_loopback, ("127.0.0.1.evil.com", "127.1", "0", "0.0.0.0", "")))
