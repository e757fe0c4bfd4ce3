"""Other regions and other deployments, when the first is full or in trouble: real sockets."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from switchboard.conversation.events import ModelReady
from switchboard.conversation.legs import Dial
from switchboard.errors import ModelUnavailable
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line
from switchboard.model.detours import REST_S, Detours, dialling
from tests.model.peer import SPEC, FixedToken, Peer, serving, until, welcome_and_listen


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def dial_of(*peers: Peer, clock: Clock | None = None) -> Dial:
    lines = [Line(ModelConfig(peer.endpoint, tries=1), FixedToken()) for peer in peers]
    ways = Detours(len(lines), clock=clock or Clock())
    return dialling(ways, [line.dial for line in lines])


def asked_for(peer: Peer) -> Sequence[str]:
    return [request.path.partition("model=")[2] for request in peer.requests]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_full_or_troubled_region_gives_way_to_the_next(status: int) -> None:
    async with (
        serving(welcome_and_listen, refusals=[status]) as first,
        serving(welcome_and_listen) as second,
        dial_of(first, second)(SPEC) as leg,
    ):
        assert await until(ModelReady, leg)

    assert len(first.requests) == len(second.requests) == 1


async def test_a_region_that_is_gone_gives_way_to_the_next() -> None:
    async with serving(welcome_and_listen) as gone:
        pass
    async with (
        serving(welcome_and_listen) as second,
        dial_of(gone, second)(SPEC) as leg,
    ):
        assert await until(ModelReady, leg)


async def test_every_region_is_tried_before_another_deployment_is() -> None:
    spec = replace(SPEC, model="large", fallbacks=["small"])
    async with (
        serving(welcome_and_listen, refusals=[429]) as first,
        serving(welcome_and_listen, refusals=[429, 429]) as second,
        dial_of(first, second)(spec) as leg,
    ):
        assert await until(ModelReady, leg)

    assert asked_for(first) == ["large", "small"]
    assert asked_for(second) == ["large"]


async def test_a_closed_way_rests_and_is_first_again_after_that() -> None:
    clock = Clock()
    async with (
        serving(welcome_and_listen, refusals=[429]) as first,
        serving(welcome_and_listen) as second,
    ):
        dial = dial_of(first, second, clock=clock)
        for _ in range(2):
            async with dial(SPEC):
                pass
        assert (len(first.requests), len(second.requests)) == (1, 2)

        clock.now += REST_S
        async with dial(SPEC):
            pass

    assert (len(first.requests), len(second.requests)) == (2, 2)


async def test_where_every_way_rests_they_are_tried_all_the_same() -> None:
    async with serving(welcome_and_listen, refusals=[429]) as only:
        dial = dial_of(only)
        with pytest.raises(ModelUnavailable, match="quota"):
            async with dial(SPEC):
                pass

        async with dial(SPEC) as leg:
            assert await until(ModelReady, leg)


async def test_a_refusal_that_will_not_pass_is_told_at_once() -> None:
    async with (
        serving(welcome_and_listen, refusals=[404]) as first,
        serving(welcome_and_listen) as second,
    ):
        with pytest.raises(ModelUnavailable, match="deployment"):
            async with dial_of(first, second)(SPEC):
                pass

    assert not second.requests


async def test_a_fallback_that_does_not_exist_does_not_hide_the_quota() -> None:
    async with (
        serving(welcome_and_listen, refusals=[429]) as first,
        serving(welcome_and_listen, refusals=[404]) as second,
    ):
        with pytest.raises(ModelUnavailable, match="quota") as refusal:
            async with dial_of(first, second)(SPEC):
                pass

    assert refusal.value.retryable


async def test_what_happens_on_the_line_is_no_reason_to_try_another() -> None:
    async with (
        serving(welcome_and_listen) as first,
        serving(welcome_and_listen) as second,
    ):
        with pytest.raises(ModelUnavailable, match="in mid-call"):
            async with dial_of(first, second)(SPEC):
                raise ModelUnavailable("lost in mid-call", retryable=True)

    assert not second.requests
