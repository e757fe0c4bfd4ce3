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


def from_address(address: str | None, /, **headers: str) -> HTTPConnection:
    sent = {"host": "localhost:8000", **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()]
    return HTTPConnection({"type": "http", "headers": raw, "client": address and (address, 1)})


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


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": "203.0.113.7"},
        {"x_forwarded_host": "localhost"},
        {"forwarded": "for=203.0.113.7"},
        {"host": "talk.example"},
        {"host": "localhost.evil.example:8000"},
        {"host": "10.0.0.1"},
        {"host": ""},
        {"host": "[::1"},
        {"host": "elsewhere@10.0.0.1"},
    ],
)
async def test_whoever_a_proxy_here_speaks_for_is_not_local(headers: dict[str, str]) -> None:
    with pytest.raises(NotIdentified):
        await LocalOnly().identify(from_address("127.0.0.1", **headers))


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.1:8000", "LOCALHOST:1", "[::1]:8000"])
async def test_this_machine_s_own_names_are_local(name: str) -> None:
    assert await LocalOnly().identify(from_address("127.0.0.1", host=name)) is LOCAL


async def test_a_public_name_on_loopback_needs_the_owner_s_word() -> None:
    names = ["http://localhost:8000", "https://talk.example"]
    with pytest.raises(ConfigurationError, match=r"https://talk\.example.*ALLOW_ANONYMOUS=true"):
        choose_authenticator("127.0.0.1", allow_anonymous=False, published=names)
    assert isinstance(
        choose_authenticator("127.0.0.1", allow_anonymous=True, published=names), Anybody
    )
    assert isinstance(
        choose_authenticator("127.0.0.1", allow_anonymous=False, published=names[:1]), LocalOnly
    )


async def test_anybody_is_anonymous_and_no_operator() -> None:
    assert await Anybody().identify(from_address("10.0.0.1")) is ANONYMOUS
    assert {role.value for role in ANONYMOUS.roles} == {"caller"}


def test_only_real_loopback_is_loopback() -> None:
    assert not any(map(is_loopback, ("127.0.0.1.evil.com", "127.1", "0", "0.0.0.0", "")))
