"""Calls that begin while they ring: their model is there before their caller is."""

import logging
from pathlib import Path

import anyio
import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.rules import Rules
from switchboard.errors import LinesBusy, ModelUnavailable, NotAllowed
from switchboard.exchange import Lines
from switchboard.records.history import history
from tests.exchange.house import House, house, told
from tests.exchange.legs import PRINCIPAL, Caller, Model, until

GREETS = Rules(tools={}, reattach_s=0.3, silence_s=100, greeting="Welcome to the bank.")


async def rings(here: House, *, outgoing: bool = False) -> tuple[str, Model]:
    """A call whose model is ready, and whose caller is not there yet."""
    call_id = here.place(outgoing=outgoing)
    here.switchboard.begin(call_id)
    [model] = await until(lambda: here.service.dialled[-1:])
    model.does(e.ModelReady("s1"))
    call = here.switchboard._calls[call_id]  # pyright: ignore[reportPrivateUsage]  (no door shows it)
    await until(lambda: call._conversation.ready)  # pyright: ignore[reportPrivateUsage]
    return call_id, model


async def test_the_greeting_is_asked_for_when_the_caller_comes_and_not_before(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, GREETS) as here:
        call_id, model = await rings(here)
        assert not told(model, c.RequestReply)

        here.join(call_id, Caller())

        await until(lambda: told(model, c.RequestReply))
        assert len(here.service.dialled) == 1


async def test_a_caller_who_is_sooner_than_the_model_is_greeted_too(tmp_path: Path) -> None:
    async with house(tmp_path, GREETS) as here:
        call_id = here.place()
        here.switchboard.begin(call_id)
        here.join(call_id, Caller())
        [model] = await until(lambda: here.service.dialled)
        model.does(e.ModelReady("s1"))

        await until(lambda: told(model, c.RequestReply))
        assert len(here.service.dialled) == 1


async def test_a_session_lost_while_it_rings_is_dialled_again(tmp_path: Path) -> None:
    async with house(tmp_path, GREETS) as here:
        call_id, first = await rings(here)
        first.does(e.ModelLost("closed", retryable=True))
        second = await until(lambda: here.service.dialled[1:])
        second[0].does(e.ModelReady("s2"))

        here.join(call_id, Caller())

        await until(lambda: told(second[0], c.RequestReply))
        assert here.service.open == 1


async def test_a_call_given_up_while_it_rings_leaves_no_session_and_no_record(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, lines=Lines(calls=1)) as here:
        call_id, _ = await rings(here)
        with pytest.raises(LinesBusy):
            here.place()

        await here.switchboard.end(call_id, "not_answered")

        await until(lambda: not here.switchboard.live())
        assert here.service.open == 0
        await here.recorder.flush()
        assert await history(here.store, call_id) is None
        here.place()  # its line is free


async def test_given_up_before_the_dial_is_through_it_costs_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        call_id = here.place()
        here.switchboard.begin(call_id)
        await here.switchboard.end(call_id, "not_answered")
        await until(lambda: not here.switchboard.live())
        assert here.service.open == 0


async def test_nobody_is_waited_for_longer_than_the_line_would_have_been(tmp_path: Path) -> None:
    async with house(tmp_path, lines=Lines(wait_s=0.1)) as here:
        call_id, _ = await rings(here)

        await until(lambda: not here.switchboard.live())

        assert here.service.open == 0
        with pytest.raises(NotAllowed):
            await here.switchboard.carry(call_id, Caller())


async def test_who_rings_a_telephone_may_say_how_long_it_rings(tmp_path: Path) -> None:
    async with house(tmp_path, GREETS, lines=Lines(wait_s=0.05)) as here:
        call_id = here.place()
        here.switchboard.begin(call_id, wait_s=30)
        await anyio.sleep(0.15)
        here.join(call_id, caller := Caller())
        [model] = await until(lambda: here.service.dialled)
        model.does(e.ModelReady("s1"))
        await until(lambda: told(model, c.RequestReply))
        assert caller.closed is None


async def test_a_caller_who_came_is_put_down_and_waited_for_no_more(tmp_path: Path) -> None:
    async with house(tmp_path, lines=Lines(wait_s=1)) as here:
        call_id, _ = await rings(here)
        here.join(call_id, Caller())
        await anyio.sleep(1.2)
        assert here.switchboard.live() == 1
        await here.recorder.flush()
        account = await history(here.store, call_id)
        assert account is not None
        assert account.call.ended_at is None
        await here.switchboard.end(call_id, "hung_up")
        await until(lambda: not here.switchboard.live())


async def test_a_call_begins_once_and_only_if_it_was_placed(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        call_id, _ = await rings(here)
        for unknown in (call_id, "nobody's"):
            with pytest.raises(NotAllowed):
                here.switchboard.begin(unknown)
        assert len(here.service.dialled) == 1


async def test_a_server_that_stops_rings_nobody_any_more(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await rings(here, outgoing=True)
        with anyio.fail_after(20):
            assert await here.switchboard.drain(60) == 0


async def test_but_who_rang_it_and_was_answered_may_still_come(tmp_path: Path) -> None:
    async with house(tmp_path, GREETS) as here:
        call_id, model = await rings(here)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.switchboard.drain, 60.0)
            await until(lambda: not here.switchboard.ready())
            here.join(call_id, caller := Caller())
            await until(lambda: told(model, c.RequestReply))
            assert caller.closed is None
            await here.switchboard.end(call_id, "hung_up")


async def test_while_no_model_can_be_had_the_caller_is_not_kept_on_the_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refuse = ModelUnavailable("no", retryable=False)
    async with house(tmp_path, refuse=refuse) as here:
        call_id = here.place()
        here.switchboard.begin(call_id)
        await until(lambda: here.service.refused and not here.switchboard.live())
        with pytest.raises(NotAllowed):
            await here.switchboard.carry(call_id, Caller())


async def test_the_time_it_rang_is_no_part_of_the_call(tmp_path: Path) -> None:
    rules = Rules(tools={}, silence_s=100, max_call_s=1.5, warn_before_s=0, goodbye_s=0.05)
    async with house(tmp_path, rules) as here:
        call_id, _ = await rings(here)
        await anyio.sleep(1.6)
        here.join(call_id, caller := Caller())
        await anyio.sleep(0.2)
        assert caller.closed is None
        await until(lambda: caller.closed == "max_duration")


async def test_a_call_placed_elsewhere_is_carried_where_its_caller_came(tmp_path: Path) -> None:
    async with house(tmp_path, GREETS) as here:
        here.switchboard.adopt("elsewhere", principal=PRINCIPAL, agent="ana")

        here.join("elsewhere", Caller())

        [model] = await until(lambda: here.service.dialled)
        model.does(e.ModelReady("s1"))
        await until(lambda: told(model, c.RequestReply))


async def test_what_rang_here_does_not_close_the_record_of_who_carries_it(tmp_path: Path) -> None:
    async with house(tmp_path / "here", GREETS) as here, house(tmp_path / "there") as there:
        here.switchboard._recorder = there.recorder  # pyright: ignore[reportPrivateUsage]  (one database)
        call_id, _ = await rings(here)
        there.switchboard.adopt(call_id, principal=PRINCIPAL, agent="ana")
        there.join(call_id, Caller())
        await until(there.switchboard.live)
        await here.switchboard.end(call_id, "elsewhere")
        await until(lambda: not here.switchboard.live())
        await there.recorder.flush()
        kept = await history(there.store, call_id)
        assert kept is not None
        assert (kept.call.end_reason, kept.call.ended_at) == (None, None)


async def test_a_call_that_is_here_is_not_adopted(tmp_path: Path) -> None:
    async with house(tmp_path, lines=Lines(calls=1)) as here:
        waiting = here.place()
        here.switchboard.adopt(waiting, principal=PRINCIPAL, agent="ana")
        here.switchboard.begin(waiting)
        here.switchboard.adopt(waiting, principal=PRINCIPAL, agent="ana")
        [_] = await until(lambda: here.service.dialled)
        assert here.switchboard.live() == 1


async def test_a_full_house_adopts_nobody(tmp_path: Path) -> None:
    async with house(tmp_path, lines=Lines(calls=1)) as here:
        here.place()
        with pytest.raises(LinesBusy):
            here.switchboard.adopt("elsewhere", principal=PRINCIPAL, agent="ana")
