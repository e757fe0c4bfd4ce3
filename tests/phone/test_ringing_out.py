"""The agent rings somebody: the product and the local ACS, and nothing between them replaced."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from switchboard_local.acs.people import Manner, PhoneCall
from switchboard_local.mind.parts import Request, Say, Thought
from tests.local.acs.peers import kept
from tests.local.realtime.doubles import Cloud
from tests.phone.handing import MS_PER_CHAR, with_humans
from tests.phone.ringing import AGENT, SPEECH, Town, teller, town

PERSON = "+442079460018"
GREETING = "You have reached the voicemail of Ada. Please leave a message after the tone."
MESSAGE = "This is the bank. Please call us back on Monday."
DIALS: dict[str, Any] = {
    "acs_number": AGENT,
    "dial_allowed": ("GB",),
    "dial_quiet_hours": "none",
    "dial_ring_seconds": 60,
}


def messenger(request: Request) -> Sequence[Thought]:
    """A clerk who says word for word what is to be left on a machine."""
    if MESSAGE in (request.response_instructions or ""):
        return [Say(MESSAGE)]
    return teller(request)


@pytest.fixture
async def dialling(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Town]:
    async for place in kept(town(cloud, tmp_path, **DIALS)):
        yield place


async def place(there: Town, **changes: object) -> httpx.Response:
    body = {"to": PERSON, "agent": "banking", "operation": "operation-1", **changes}
    return await there.home.http.post("/api/phone/calls", json=body)


async def stands(there: Town, call_id: str, state: str) -> dict[str, Any]:
    """What is told of the call, once it stands so."""
    with anyio.fail_after(20):
        while True:
            told = (await there.home.http.get(f"/api/phone/calls/{call_id}")).json()
            if told["state"] == state:
                return told
            await anyio.sleep(0.02)


async def test_somebody_is_rung_and_greeted_and_answered(dialling: Town) -> None:
    dialling.cloud.doubles.ears.words = ["what is my balance"]
    person = dialling.acs.phone(PERSON)
    placed = await place(dialling, context={"why": "the-blue-elephant"})
    assert placed.status_code == 201, placed.text
    call_id = placed.json()["call"]
    ring = await person.ringing()
    assert ring.caller.endswith(AGENT)
    assert (await stands(dialling, call_id, "ringing"))["carrier"] is None

    call = ring.answer()
    await stands(dialling, call_id, "answered")
    await call.hear_ms(300)
    await dialling.quiet()
    assert "the-blue-elephant" in (await dialling.told("session.update"))["session"]["instructions"]
    await call.say_out(SPEECH)
    output = await dialling.told("conversation.item.create")
    assert "balance" in output["item"]["output"]

    call.hang_up()
    ended = await stands(dialling, call_id, "ended")
    assert ended["reason"] == "hung_up"
    await dialling.empty()
    account = await dialling.account(call_id)
    assert (account.call.channel, account.call.direction) == ("phone", "out")


@pytest.mark.parametrize(
    ("manner", "state", "code"),
    [(Manner.BUSY, "busy", 486), (Manner.DECLINES, "failed", 603)],
)
async def test_somebody_who_does_not_take_the_call(
    dialling: Town, manner: Manner, state: str, code: int
) -> None:
    dialling.acs.phone(PERSON).manner = manner
    call_id = (await place(dialling)).json()["call"]
    told = await stands(dialling, call_id, state)
    assert told["carrier"]["code"] == code
    await dialling.empty()


async def test_a_telephone_that_nobody_takes_rings_no_longer_than_it_may(
    cloud: Cloud, tmp_path: Path
) -> None:
    briefly: dict[str, Any] = {**DIALS, "dial_ring_seconds": 5}
    async with town(cloud, tmp_path, **briefly) as there:
        there.acs.phone(PERSON).manner = Manner.IGNORES
        call_id = (await place(there)).json()["call"]
        await stands(there, call_id, "no_answer")
        await there.empty()


async def a_machine_takes(there: Town) -> tuple[str, PhoneCall]:
    """A placed call that an answering machine has taken, and greeted."""
    there.cloud.doubles.ears.words = [GREETING]
    machine = there.acs.phone(PERSON)
    call_id = (await place(there)).json()["call"]
    with anyio.fail_after(20):
        call = (await machine.ringing()).answer()
        await call.hear_ms(300)
    await call.say_out(SPEECH)
    return call_id, call


async def test_an_answering_machine_is_hung_up_on(cloud: Cloud, tmp_path: Path) -> None:
    config = with_humans(tmp_path / "agents", machine="hang_up")
    async with town(cloud, tmp_path, session_config=config, **DIALS) as there:
        call_id, call = await a_machine_takes(there)
        told = await stands(there, call_id, "machine")
        assert told["reason"] == "answering_machine"
        with anyio.fail_after(20):
            await call.ended.wait()
        await there.empty()
        assert (await there.account(call_id)).call.end_reason == "answering_machine"


async def test_an_answering_machine_is_left_a_message(cloud: Cloud, tmp_path: Path) -> None:
    cloud.doubles.mind.script = messenger
    config = with_humans(tmp_path / "agents", machine="leave_message", message=MESSAGE)
    async with town(cloud, tmp_path, session_config=config, **DIALS) as there:
        call_id, call = await a_machine_takes(there)
        before_ms = call.heard_ms
        with anyio.fail_after(30):
            await call.ended.wait()
        assert call.heard_ms - before_ms >= MS_PER_CHAR * len(MESSAGE) - 60  # all of it
        told = await stands(there, call_id, "machine")
        assert told["reason"] == "message_left"
        await there.empty()


async def test_asked_twice_it_rings_once(dialling: Town) -> None:
    person = dialling.acs.phone(PERSON)
    first, second = (await place(dialling)).json(), (await place(dialling)).json()
    assert first["call"] == second["call"]
    await person.ringing()
    with anyio.move_on_after(0.3) as waited:
        await person.ringing()
    assert waited.cancelled_caught


async def test_a_server_that_stops_leaves_nobody_ringing(cloud: Cloud, tmp_path: Path) -> None:
    async with town(cloud, tmp_path, **DIALS) as there:
        person = there.acs.phone(PERSON)
        await place(there)
        ring = await person.ringing()
        acs = there.acs
        assert not ring.over.is_set()
    assert ring.over.is_set()
    assert not acs.calls


async def test_where_nobody_may_be_rung_there_is_no_such_address(there: Town) -> None:
    assert (await place(there)).status_code in (404, 405)


async def test_a_published_server_rings_nobody_for_strangers(cloud: Cloud, tmp_path: Path) -> None:
    async with town(cloud, tmp_path, **DIALS, allow_anonymous=True) as there:
        there.acs.phone(PERSON)
        assert (await place(there)).status_code == 403
        assert not there.acs.calls
