"""The media of one call: dialled beside, lost, renewed. The service and the page are the test."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from switchboard.conversation.legs import ModelLeg, Negotiated
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable, NotAllowed
from switchboard.exchange.media import CallMedia
from tests.exchange.legs import SPEC, Model, until


@dataclass
class Calls:
    """A service's calls by number, as they are agreed upon."""

    hung_up: list[int] = field(default_factory=list[int])
    gone: set[int] = field(default_factory=set[int])
    beside: list[int] = field(default_factory=list[int])
    made: int = 0

    async def negotiate(self, spec: SessionSpec, offer: str, /) -> Negotiated:
        assert spec is SPEC
        number = self.made
        self.made += 1

        @asynccontextmanager
        async def dial(spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
            if number in self.gone:
                raise ModelUnavailable("no such call", retryable=False, status=404)
            self.beside.append(number)
            yield Model()

        async def hang_up() -> None:
            self.hung_up.append(number)
            self.gone.add(number)

        return Negotiated(f"answer to {offer}", dial, hang_up)


async def media(calls: Calls, *, renewable: bool = True) -> CallMedia:
    first = await calls.negotiate(SPEC, "the first")
    negotiate = calls.negotiate if renewable else None
    return CallMedia(SPEC, first, negotiate, offer_wait_s=0.2)


async def test_a_lost_sideband_is_dialled_beside_the_same_media() -> None:
    calls = Calls()
    call = await media(calls)
    for _ in range(2):
        async with call.dial(SPEC):
            pass
    assert calls.beside == [0, 0]
    assert not calls.hung_up


async def test_media_that_are_gone_are_had_anew_from_the_page() -> None:
    calls = Calls(gone={0})
    call = await media(calls)
    async with anyio.create_task_group() as page:
        call.ask_offer = lambda: page.start_soon(call.offered, "fresh")
        async with call.dial(SPEC):
            assert calls.beside == [1]


async def test_a_page_that_makes_no_offer_is_not_waited_for_long() -> None:
    asked: list[bool] = []
    call = await media(Calls(gone={0}))
    call.ask_offer = lambda: asked.append(True)
    with anyio.fail_after(20), pytest.raises(ModelUnavailable, match="no new offer") as failure:
        async with call.dial(SPEC):
            pass
    assert asked
    assert not failure.value.retryable


async def test_an_offer_that_nobody_asked_for_ends_the_former_media() -> None:
    calls = Calls()
    call = await media(calls)
    async with call.dial(SPEC):
        assert await call.offered("mine") == "answer to mine"
        assert calls.hung_up == [0]  # which is how the leg beside them learns of it
    async with call.dial(SPEC):
        assert calls.beside == [0, 1]


async def test_a_planned_renewal_keeps_the_former_media_until_the_new_ones_are_steered() -> None:
    calls = Calls()
    call = await media(calls)
    async with anyio.create_task_group() as page:
        call.ask_offer = lambda: page.start_soon(call.offered, "fresh")
        former = call.dial(SPEC)
        await former.__aenter__()
        async with call.dial(SPEC):
            assert calls.beside == [0, 1]
            assert not calls.hung_up
            await former.__aexit__(None, None, None)
            assert calls.hung_up == [0]
        assert calls.hung_up == [0]


async def test_media_that_others_agreed_upon_are_not_renewed() -> None:
    call = await media(Calls(gone={0}), renewable=False)
    with pytest.raises(ModelUnavailable):
        async with call.dial(SPEC):
            pass
    with pytest.raises(NotAllowed):
        await call.offered("mine")


async def test_media_agreed_upon_after_the_end_are_hung_up() -> None:
    calls = Calls(made=1)
    agree = anyio.Event()

    async def slowly(spec: SessionSpec, offer: str, /) -> Negotiated:
        await agree.wait()
        return await calls.negotiate(spec, offer)

    call = CallMedia(SPEC, await calls.negotiate(SPEC, "the first"), slowly)

    async def offers() -> None:
        with pytest.raises(NotAllowed):
            await call.offered("late")

    async with anyio.create_task_group() as page:
        page.start_soon(offers)
        await anyio.wait_all_tasks_blocked()
        await call.hang_up()
        agree.set()
    await until(lambda: calls.hung_up == [1, 2])


async def test_media_whose_leg_was_lost_while_the_page_was_asked_are_hung_up() -> None:
    calls = Calls()
    call = await media(calls)
    asked, lost = anyio.Event(), anyio.Event()
    call.ask_offer = asked.set

    async def page() -> None:
        await lost.wait()
        await call.offered("fresh")

    async def renewal() -> None:
        async with call.dial(SPEC):
            assert calls.beside == [0, 1]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(page)
        former = call.dial(SPEC)
        await former.__aenter__()
        tasks.start_soon(renewal)
        await asked.wait()
        await former.__aexit__(None, None, None)
        lost.set()
    await call.hang_up()

    assert sorted(calls.hung_up) == [0, 1]


async def test_media_that_the_page_offered_meanwhile_are_not_asked_for_again() -> None:
    """Its sideband is being dialled when the page moves to fresh media, and then found gone."""
    beside: list[int] = []
    asked: list[bool] = []
    dialling, gone = anyio.Event(), anyio.Event()
    numbers = iter(range(2))

    async def negotiate(_: SessionSpec, __: str, /) -> Negotiated:
        number = next(numbers)

        @asynccontextmanager
        async def dial(_: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
            if number == 0:
                dialling.set()
                await gone.wait()
                raise ModelUnavailable("gone", retryable=False, status=404)
            beside.append(number)
            yield Model()

        async def hang_up() -> None:
            pass

        return Negotiated("v=0", dial, hang_up)

    call = CallMedia(SPEC, await negotiate(SPEC, "first"), negotiate, offer_wait_s=0.2)
    call.ask_offer = lambda: asked.append(True)

    async def redial() -> None:
        async with call.dial(SPEC):
            pass

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(redial)
        await dialling.wait()
        await call.offered("of the page's own accord")
        gone.set()

    assert (asked, beside) == ([], [1])
