"""Somebody stands behind a socket for as long as their tokens hold, and a minute more."""

from dataclasses import dataclass, field
from itertools import pairwise

import anyio
import pytest

from switchboard.access.principal import Kind, Principal, Role
from switchboard.access.refusals import CannotTell, NotIdentified
from switchboard.access.renewal import Renewal
from switchboard.access.standing import (
    AGAIN_S,
    ASK_S,
    GRACE_S,
    RAN_OUT,
    SomebodyElse,
    Standing,
    nobody_verifies,
    stream_end,
)
from switchboard.errors import NotAllowed

HOUR_S = 3_600.0
CALLER = frozenset({Role.CALLER})


@dataclass
class Tenant:
    """Knows its people by tokens that name them: `ada caller 3600`."""

    now: float = 0.0
    away: bool = False
    asked: list[str] = field(default_factory=list[str])

    async def verify(self, token: str) -> Principal:
        self.asked.append(token)
        if self.away:
            raise CannotTell("Tokens cannot be checked just now.", retry_after_s=1)
        name, *roles, until = token.split()
        if float(until) < self.now:
            raise NotIdentified("This token is not good here.")
        if not roles:
            raise NotAllowed("Your account has no role here.")
        return Principal(name, name, frozenset(map(Role, roles)), Kind.PERSON, until=float(until))

    def standing(self, until: float | None = HOUR_S, role: Role = Role.CALLER) -> Standing:
        return Standing("ada", until, role=role, verify=self.verify, clock=lambda: self.now)


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


def test_a_token_is_asked_for_in_time_and_again_until_there_is_one(tenant: Tenant) -> None:
    standing = tenant.standing()
    tenant.now = HOUR_S - ASK_S - 1
    assert not standing.asks()
    asked: list[float] = []
    while not standing.is_over:
        tenant.now += 1
        if standing.asks():
            asked.append(tenant.now)
    assert asked[0] == HOUR_S - ASK_S
    assert {later - sooner for sooner, later in pairwise(asked)} == {AGAIN_S}
    assert tenant.now == HOUR_S + GRACE_S


def test_of_a_token_that_does_not_last_half_the_time_is_waited(tenant: Tenant) -> None:
    standing = tenant.standing(until=10)
    tenant.now = 4.9
    assert not standing.asks()
    tenant.now = 5
    assert standing.asks()


async def test_a_fresh_token_of_the_same_person_goes_on(tenant: Tenant) -> None:
    standing = tenant.standing()
    tenant.now = HOUR_S + 30
    assert await standing.renew("ada caller 7200") == 2 * HOUR_S
    tenant.now = HOUR_S + GRACE_S + 1
    assert not standing.is_over
    assert not standing.asks()


async def test_an_older_token_shortens_nothing(tenant: Tenant) -> None:
    standing = tenant.standing()
    assert await standing.renew("ada caller 100") == HOUR_S


@pytest.mark.parametrize(
    ("token", "role"),
    [
        ("bob caller 7200", Role.CALLER),
        ("ada 7200", Role.CALLER),
        ("ada caller 7200", Role.OPERATOR),
    ],
    ids=["somebody else", "the role was taken", "an operator no more"],
)
async def test_a_good_token_that_says_no_ends_it(tenant: Tenant, token: str, role: Role) -> None:
    standing = tenant.standing(role=role)
    with pytest.raises(SomebodyElse):
        await standing.renew(token)
    assert standing.until == HOUR_S


async def test_a_bad_token_changes_nothing(tenant: Tenant) -> None:
    standing = tenant.standing()
    tenant.now = 50
    with pytest.raises(NotIdentified):
        await standing.renew("ada caller 49")
    tenant.away = True
    with pytest.raises(CannotTell):
        await standing.renew("ada caller 7200")
    assert not standing.is_over


async def test_where_nobody_shows_tokens_none_is_good_and_nothing_runs_out(tenant: Tenant) -> None:
    standing = Standing("local", None, clock=lambda: tenant.now)
    tenant.now = 1e9
    assert not (standing.runs_out or standing.is_over or standing.asks())
    with pytest.raises(NotIdentified):
        await nobody_verifies("anything")


def test_a_stream_ends_with_the_token_or_with_the_grace() -> None:
    assert stream_end(None, 5) is None
    assert stream_end(10, 5) == 10
    assert stream_end(10, 12) == 10 + GRACE_S


# -- on a socket ----------------------------------------------------------------------------------


@dataclass
class Socket:
    standing: Standing
    told: list[object] = field(default_factory=list[object])
    broken: bool = False

    def renewal(self) -> Renewal:
        async def taken(until: float) -> None:
            self.told.append(until)
            if self.broken:
                raise OSError("the store is away")

        return Renewal(
            self.standing,
            ask=lambda: self.told.append("ask"),
            taken=taken,
            refused=lambda text: self.told.append(text),
        )


async def ended(renewal: Renewal) -> str:
    with anyio.fail_after(20):
        return await renewal.run()


async def test_nothing_shown_ends_a_socket_in_words(tenant: Tenant) -> None:
    tenant.now = HOUR_S + GRACE_S
    assert await ended(Socket(tenant.standing()).renewal()) == RAN_OUT


async def test_a_socket_hears_of_each_token_and_only_the_last_of_many_is_checked(
    tenant: Tenant,
) -> None:
    socket = Socket(tenant.standing(), broken=True)
    tenant.now = HOUR_S - 1
    renewal = socket.renewal()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(renewal.run)
        for token in ("ada caller 1", "ada caller 2", "ada caller 7200"):
            renewal.offer(token)
        with anyio.fail_after(20):
            while len(socket.told) < 2:  # noqa: ASYNC110  (a plain fact)
                await anyio.sleep(0.01)
            renewal.offer("ada caller 3")
            while len(socket.told) < 3:  # noqa: ASYNC110  (likewise)
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    assert tenant.asked == ["ada caller 7200", "ada caller 3"]
    assert socket.told == ["ask", 2 * HOUR_S, "This token is not good here."]


async def test_somebody_else_ends_it_and_nothing_good_comes_after(tenant: Tenant) -> None:
    socket = Socket(tenant.standing())
    renewal = socket.renewal()
    renewal.offer("bob caller 7200")
    assert await ended(renewal) == "This is somebody else's token."
    assert socket.standing.is_over
