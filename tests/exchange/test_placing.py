"""Lines that are taken while the service is still being asked: for an answer, or for a secret."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from switchboard.conversation.legs import Minted, Negotiated
from switchboard.conversation.session import SessionSpec
from switchboard.errors import LinesBusy, NotAllowed
from switchboard.exchange import Lines
from tests.exchange.house import House, house
from tests.exchange.legs import PRINCIPAL, Caller, Service, until

ASK: dict[str, Any] = {"principal": PRINCIPAL, "agent": "ana", "voice": None, "model": None}
ONE_LINE = Lines(calls=1, wait_s=1)
LATE_S = 1.2
"""After a line of `ONE_LINE` is nobody's any more."""


@dataclass
class SlowService:
    """Is asked, and answers when the test lets it."""

    asked: int = 0
    hung_up: int = 0
    answers: anyio.Event = field(default_factory=anyio.Event)

    async def negotiate(self, spec: SessionSpec, offer: str, /) -> Negotiated:
        await self._answered()

        async def hang_up() -> None:
            self.hung_up += 1

        return Negotiated("answer", Service().dial, hang_up)

    async def mint(self, spec: SessionSpec, /) -> Minted:
        await self._answered()

        async def hang_up() -> None: ...

        return Minted("secret", 0.0, "http://x", lambda _: Negotiated("", Service().dial, hang_up))

    async def _answered(self) -> None:
        self.asked += 1
        await self.answers.wait()


async def test_a_call_that_is_being_negotiated_keeps_its_line(tmp_path: Path) -> None:
    slow = SlowService()
    async with house(tmp_path, lines=ONE_LINE, negotiate=slow.negotiate) as here:
        async with anyio.create_task_group() as asking:
            asking.start_soon(lambda: here.switchboard.place_offer(**ASK, offer="v=0"))
            await until(lambda: slow.asked)
            await anyio.sleep(LATE_S)

            with pytest.raises(LinesBusy):
                await here.switchboard.place_offer(**ASK, offer="v=0")

            slow.answers.set()
        assert (here.switchboard.live(), slow.asked) == (1, 1)


async def test_a_secret_that_came_late_may_be_used_as_long_as_any(tmp_path: Path) -> None:
    slow = SlowService()
    async with house(tmp_path, lines=ONE_LINE, mint=slow.mint) as here:
        call_id = await late_secret(here, slow)

        with pytest.raises(LinesBusy):
            here.place()
        here.switchboard.attach(call_id, "rtc_1")

        assert here.switchboard.live() == 1


async def test_a_secret_that_nobody_used_is_forgotten_with_its_line(tmp_path: Path) -> None:
    slow = SlowService()
    async with house(tmp_path, lines=ONE_LINE, mint=slow.mint) as here:
        call_id = await late_secret(here, slow)
        await anyio.sleep(LATE_S)

        here.place()

        with pytest.raises(NotAllowed):
            here.switchboard.attach(call_id, "rtc_1")
        assert not secrets_kept(here)


async def test_a_secret_minted_while_the_server_stops_is_given_to_nobody(tmp_path: Path) -> None:
    slow = SlowService()
    async with house(tmp_path, lines=ONE_LINE, mint=slow.mint) as here:
        refused: list[LinesBusy] = []

        async def ask() -> None:
            try:
                await here.switchboard.place_session(**ASK)
            except LinesBusy as busy:
                refused.append(busy)

        async with anyio.create_task_group() as asking:
            asking.start_soon(ask)
            await until(lambda: slow.asked)
            await here.switchboard.drain(0)
            slow.answers.set()
        assert refused
        assert not secrets_kept(here)


async def test_a_minted_call_that_is_carried_without_its_secret_keeps_none(tmp_path: Path) -> None:
    slow = SlowService()
    slow.answers.set()
    async with house(tmp_path, mint=slow.mint) as here:
        call_id, _ = await here.switchboard.place_session(**ASK)

        here.join(call_id, Caller())

        await until(here.switchboard.live)
        assert not secrets_kept(here)


async def late_secret(here: House, slow: SlowService) -> str:
    """The call of a secret that took longer than a line is kept for who does not come."""
    called: list[str] = []

    async def ask() -> None:
        call_id, _ = await here.switchboard.place_session(**ASK)
        called.append(call_id)

    async with anyio.create_task_group() as asking:
        asking.start_soon(ask)
        await until(lambda: slow.asked)
        await anyio.sleep(LATE_S)
        with pytest.raises(LinesBusy):
            here.place()
        slow.answers.set()
    return called[0]


def secrets_kept(here: House) -> int:
    waits = here.switchboard._waiting._waits.values()  # pyright: ignore[reportPrivateUsage]  (no door shows it)
    return sum(each.minted is not None for each in waits)
