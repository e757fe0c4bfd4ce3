"""A server makes room for as many sockets as it was told to take."""

import logging
import resource
from collections.abc import Generator

import pytest

from switchboard.descriptors import BESIDE, make_room
from switchboard.settings import Settings


@pytest.fixture(autouse=True)
def few() -> Generator[None]:
    """A process that may open few files, and more if it asks."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def soft() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_room_is_made_for_what_was_asked_and_never_less_than_there_was() -> None:
    make_room(2_000)
    assert soft() == 2_000 + BESIDE
    make_room(10)
    assert soft() == 2_000 + BESIDE


def test_where_the_system_allows_fewer_it_is_said_and_all_there_is_is_taken(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def allowed(which: int) -> tuple[int, int]:
        return 1_024, 4_096

    def note(which: int, limits: tuple[int, int]) -> None:
        asked.append(limits)

    monkeypatch.setattr(resource, "getrlimit", allowed)
    monkeypatch.setattr(resource, "setrlimit", note)
    with caplog.at_level(logging.WARNING):
        make_room(10_000)
    assert asked == [(4_096, 4_096)]
    assert "too few open files are allowed" in caplog.text


def test_a_proxied_connection_takes_two_sockets_and_a_call_a_few() -> None:
    without = Settings(max_calls=20, proxy_max_connections=1_000)
    assert without.sockets == 80
    assert without.model_copy(update={"voice_live_proxy": True}).sockets == 2_080
