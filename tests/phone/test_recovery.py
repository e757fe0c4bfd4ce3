"""Calls of a server that died, or to which the media no longer lead."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from switchboard.conversation.past import Past
from switchboard.phone.carrier import Standing
from switchboard.records.claims import Claims
from switchboard.records.store import Store, sqlite_url
from tests.phone.house import CONNECTION, House, house

PAST = Past(30.0)


@dataclass
class Register:
    """What the records say of whose a call is: theirs, until it is claimed."""

    theirs: set[str] = field(default_factory=set[str])
    dead: set[str] = field(default_factory=set[str])
    lost: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    away: bool = False


class Told(Claims):
    """Claims of which the test says what comes of them; the real ones have tests of their own."""

    def __init__(self, store: Store, register: Register) -> None:
        super().__init__(store)
        self.register = register

    @property
    def any(self) -> bool:
        return True

    async def of_dead(self, most: int) -> list[str]:
        claimed = sorted(self.register.dead)[:most]
        self.register.dead.difference_update(claimed)
        self.register.theirs.difference_update(claimed)
        return claimed

    async def take(self, call_id: str) -> bool:
        taken = call_id in self.register.theirs
        self.register.theirs.discard(call_id)
        return taken

    async def others(self, call_ids: Collection[str]) -> frozenset[str]:
        if self.register.away:
            raise ConnectionRefusedError
        return frozenset(self.register.theirs.intersection(call_ids))

    async def lose(self, call_id: str, reason: str = "lost") -> bool:
        self.register.lost.append((call_id, reason))
        return True


@dataclass
class Pair:
    here: House
    there: House
    register: Register


@asynccontextmanager
async def paired(tmp_path: Path) -> AsyncGenerator[Pair]:
    """`here` has answered a call whose media have come; `there` is another server."""
    register = Register()
    mine, others = Register(), Told(Store(sqlite_url(tmp_path)), register)
    own = Told(Store(sqlite_url(tmp_path)), mine)
    async with (
        house(tmp_path, claims=own) as here,
        house(tmp_path, claims=others, past=PAST) as there,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(there.room.run)
        await here.rings()
        register.theirs.add("call-0")
        yield Pair(here, there, register)
        tasks.cancel_scope.cancel()


def known_here(pair: Pair) -> Register:
    """What this server is told of whose a call is."""
    claims = pair.here.room._calls._owners  # pyright: ignore[reportPrivateUsage]  (no door shows it)
    assert isinstance(claims, Told)
    return claims.register


async def bound(pair: Pair, *, dead: bool = True) -> str:
    """The call's media have come here, and broke. Their ticket. A server that is `dead` does no
    more for it."""
    ticket = pair.here.ticket
    if dead:
        known_here(pair).theirs.add("call-0")
    async with pair.here.media():
        await pair.here.until(lambda: pair.here.exchange.legs)
    return ticket


async def test_media_that_come_to_another_server_bring_the_call_with_them(tmp_path: Path) -> None:
    async with paired(tmp_path) as pair:
        ticket = await bound(pair)
        async with pair.there.media(ticket=ticket):
            await pair.there.until(lambda: pair.there.exchange.legs)
            assert pair.there.exchange.pasts == [PAST]
            assert pair.there.carrier.hung_up == []
            assert pair.register.theirs == set()


async def test_a_call_that_was_claimed_is_let_go_and_not_hung_up(tmp_path: Path) -> None:
    async with paired(tmp_path) as pair:
        here = pair.here
        async with here.media():
            await here.until(lambda: here.exchange.legs)
            known_here(pair).theirs.add("call-0")
            await here.room._recovery.look()  # pyright: ignore[reportPrivateUsage]
            assert here.exchange.let_go_of == ["call-0"]
            [leg] = here.exchange.legs
            await leg.close("elsewhere")  # as the exchange does
        await here.until(lambda: not here.room._calls.legs)  # pyright: ignore[reportPrivateUsage]
        assert (here.carrier.hung_up, here.room.live()) == ([], 0)


async def test_nor_is_one_whose_media_broke_while_nobody_can_say_whose_it_is(
    tmp_path: Path,
) -> None:
    async with paired(tmp_path) as pair:
        here = pair.here
        known = known_here(pair)
        known.away = True
        await bound(pair, dead=False)
        await anyio.sleep(0.5)  # longer than a lost socket is waited for
        assert here.carrier.hung_up == []
        known.theirs.add("call-0")
        known.away = False
        await here.until(lambda: here.exchange.let_go_of == ["call-0"])
        assert here.carrier.hung_up == []


async def test_a_call_of_a_dead_server_has_its_media_opened_here(tmp_path: Path) -> None:
    async with paired(tmp_path) as pair:
        await bound(pair)
        there = pair.there
        there.carrier.standing = Standing(connected=True, streaming=True)
        pair.register.dead.add("call-0")
        await there.until(lambda: there.carrier.media)
        await there.until(lambda: there.carrier.media == ["stop", "start"])
        assert there.exchange.begun == ["call-0"]  # the model is dialled meanwhile
        async with there.media(ticket=pair.here.ticket):
            await there.until(lambda: there.exchange.legs)
        assert pair.register.lost == []


async def test_one_that_the_carrier_holds_no_more_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with paired(tmp_path) as pair:
        await bound(pair)
        there = pair.there
        there.carrier.standing = Standing(connected=False, streaming=False)
        pair.register.dead.add("call-0")
        await there.until(lambda: pair.register.lost)
        assert pair.register.lost == [("call-0", "lost")]
        assert there.carrier.hung_up == [CONNECTION]
        assert there.exchange.adopted == []
        assert "call of a dead server lost" in caplog.text


async def test_a_failure_of_its_media_is_enough_to_take_it(tmp_path: Path) -> None:
    async with paired(tmp_path) as pair:
        await bound(pair)
        there = pair.there
        await there.told("MediaStreamingFailed", code=400, subcode=8581)
        await there.until(lambda: there.carrier.media == ["start"])
        assert there.carrier.hung_up == []
