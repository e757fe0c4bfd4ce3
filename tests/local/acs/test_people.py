"""Ringing the agent, and being rung: every way it can come out."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# (the SDK leaves its keyword arguments untyped)

import asyncio
from dataclasses import replace

import pytest
from azure.communication.callautomation import PhoneNumberIdentifier
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.people import Manner, NoAnswer, Phone
from tests.local.acs.peers import AGENT, CALLER, COLLEAGUE, QUICK, Town, eventually, town


def number(text: str) -> PhoneNumberIdentifier:
    return PhoneNumberIdentifier(text)


async def place(town: Town, *targets: str) -> str:
    placed = await town.sdk.create_call(
        [number(each) for each in targets],
        town.callback_url,
        source_caller_id_number=number(AGENT),
        operation_context="out",
    )
    assert placed.call_connection_id is not None
    return placed.call_connection_id


async def test_a_caller_rings_the_agent_and_hangs_up(quick: Town, caller: Phone) -> None:
    call, call_id = await quick.call_in(caller, operation_context="mine")
    connected = await quick.app.told("CallConnected")
    assert connected["callConnectionId"] == call_id
    assert connected["operationContext"] == "mine"
    people = (await quick.app.told("ParticipantsUpdated"))["participants"]
    assert [each["identifier"]["rawId"] for each in people] == [f"4:{CALLER}"]
    call.hang_up()
    await quick.app.told("CallDisconnected")
    assert call.ended.is_set()
    await eventually(lambda: not quick.acs.calls)
    with pytest.raises(ResourceNotFoundError):
        await quick.sdk.get_call_connection(call_id).get_call_properties()


@pytest.mark.parametrize(("reason", "outcome"), [("busy", "BUSY"), ("none", "DECLINED")])
async def test_the_agent_refuses(quick: Town, caller: Phone, reason: str, outcome: str) -> None:
    await quick.subscribe()
    dialling = asyncio.create_task(quick.acs.dial(caller, AGENT))
    told = await quick.app.called()
    await quick.sdk.reject_call(told["incomingCallContext"], call_reject_reason=reason)
    with pytest.raises(NoAnswer) as refused:
        await dialling
    assert refused.value.outcome is Outcome[outcome]


async def test_a_caller_who_gives_up_cannot_be_answered(quick: Town, caller: Phone) -> None:
    await quick.subscribe()
    dialling = asyncio.create_task(quick.acs.dial(caller, AGENT))
    told = await quick.app.called()
    dialling.cancel()
    await asyncio.wait([dialling])
    with pytest.raises(ResourceNotFoundError):
        await quick.sdk.answer_call(told["incomingCallContext"], quick.callback_url)


async def test_a_call_is_answered_once(quick: Town, caller: Phone) -> None:
    await quick.call_in(caller)
    context = quick.app.incoming[0]["data"]["incomingCallContext"]
    with pytest.raises(ResourceNotFoundError):
        await quick.sdk.answer_call(context, quick.callback_url)
    assert len(quick.acs.calls) == 1


async def test_an_agent_without_a_subscription_cannot_be_reached(
    quick: Town, caller: Phone
) -> None:
    with pytest.raises(NoAnswer) as nobody:
        await quick.acs.dial(caller, AGENT)
    assert nobody.value.outcome is Outcome.NOT_FOUND


async def test_a_call_is_redirected_to_a_colleague(
    quick: Town, caller: Phone, colleague: Phone
) -> None:
    await quick.subscribe()
    dialling = asyncio.create_task(quick.acs.dial(caller, AGENT))
    told = await quick.app.called()
    await quick.sdk.redirect_call(told["incomingCallContext"], number(COLLEAGUE))
    theirs = (await colleague.ringing()).answer()
    mine = await dialling
    theirs.say(b"\x00\x10" * 24_000)
    await mine.hear_ms(500)
    mine.hang_up()
    await theirs.ended.wait()


async def test_the_agent_rings_somebody(quick: Town, caller: Phone) -> None:
    call_id = await place(quick, CALLER)
    ring = await caller.ringing()
    assert ring.caller == f"4:{AGENT}"
    state = await quick.sdk.get_call_connection(call_id).get_call_properties()
    assert state.call_connection_state == "connecting"
    call = ring.answer()
    connected = await quick.app.told("CallConnected")
    assert connected["operationContext"] == "out"
    await quick.sdk.get_call_connection(call_id).hang_up(is_for_everyone=True)
    await call.ended.wait()
    await quick.app.told("CallDisconnected")


@pytest.mark.parametrize(
    ("manner", "code"), [(Manner.BUSY, 486), (Manner.DECLINES, 603), (Manner.IGNORES, 480)]
)
async def test_somebody_who_does_not_answer(manner: Manner, code: int) -> None:
    async with town(replace(QUICK, ring_s=0.05)) as there:
        there.acs.phone(CALLER).manner = manner
        await place(there, CALLER)
        failed = await there.app.told("CreateCallFailed")
        assert failed["resultInformation"]["code"] == code
        await eventually(lambda: not there.acs.calls)
        assert there.app.types() == ["CreateCallFailed"]


async def test_a_number_that_nobody_has(quick: Town) -> None:
    await place(quick, "+15550999")
    failed = await quick.app.told("CreateCallFailed")
    assert failed["resultInformation"]["code"] == 404


async def test_hanging_up_stops_the_ringing(quick: Town, caller: Phone) -> None:
    call_id = await place(quick, CALLER)
    ring = await caller.ringing()
    await quick.sdk.get_call_connection(call_id).hang_up(is_for_everyone=False)
    await ring.over.wait()
    with pytest.raises(NoAnswer):
        ring.answer()


async def test_the_first_of_several_who_answers_begins_the_call(
    quick: Town, caller: Phone, colleague: Phone
) -> None:
    await place(quick, CALLER, COLLEAGUE)
    (await caller.ringing()).answer()
    await quick.app.told("CallConnected")
    (await colleague.ringing()).answer()
    people = (await quick.app.told("ParticipantsUpdated", 2))["participants"]
    assert len(people) == 2


async def test_nobody_is_rung_from_a_number_that_is_not_ours(quick: Town, caller: Phone) -> None:
    with pytest.raises(HttpResponseError) as refused:
        await quick.sdk.create_call(
            number(CALLER), quick.callback_url, source_caller_id_number=number(COLLEAGUE)
        )
    assert refused.value.status_code == 400
    assert not quick.acs.calls


async def test_two_people_speak_without_an_agent(
    quick: Town, caller: Phone, colleague: Phone
) -> None:
    colleague.manner = Manner.ANSWERS
    mine = await quick.acs.dial(caller, COLLEAGUE)
    theirs = colleague.calls[-1]
    await mine.say_out(b"\x00\x10" * 12_000)
    await theirs.hear_ms(480)
    theirs.hang_up()
    await mine.ended.wait()
