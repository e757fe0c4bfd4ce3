"""The agent hands its caller to a human: the product, the local ACS, nothing between replaced."""

import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import anyio
import pytest

from switchboard.conversation import wording
from switchboard.errors import CarrierUnavailable, NotAllowed
from switchboard.phone import lines
from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.people import Manner, PhoneCall
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.local.acs.peers import kept
from tests.local.acs.softphones import HUMAN
from tests.local.realtime.doubles import Cloud, last_words
from tests.phone.handing import (
    ASKING,
    BRIEFING,
    CONNECTING,
    MS_PER_CHAR,
    asks,
    colleague,
    receptionist,
    rings,
    staffed,
    they_talk,
)
from tests.phone.ringing import SPEECH, Town


def as_if_asked(request: Request) -> Sequence[Thought]:
    """A receptionist who knows a wish for a human by the words that a button says."""
    if not request.response_instructions and last_words(request) == wording.WANTS_HUMAN:
        wanted = json.dumps({"human": "support", "reason": "They asked."})
        return [Say(ASKING), Call("bring_in_human", wanted)]
    return receptionist(request)


@pytest.fixture
async def there(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Town]:
    async for place in kept(staffed(cloud, tmp_path)):
        yield place


async def test_a_caller_is_transferred_once_that_was_heard(there: Town) -> None:
    call = await asks(there, "put me through")
    media, call_id = there.media, there.call_id
    ring = await rings(there)
    # Within what a carrier's frames and the two clocks take.
    assert media.ms(media.playout.played_bytes) >= MS_PER_CHAR * len(f"Good day.{CONNECTING}") - 60

    human = ring.answer()
    await there.empty()
    assert not call.ended.is_set()
    await they_talk(call, human)
    account = await there.account(call_id)
    assert account.call.end_reason == "transferred"
    assert [(each.name, each.state) for each in account.tool_calls] == [
        ("transfer_to_human", "done")
    ]


@pytest.mark.parametrize(
    ("words", "manner", "status"),
    [
        ("put me through", Manner.DECLINES, "declined"),
        ("put me through", Manner.BUSY, "busy"),
        ("fetch somebody", Manner.DECLINES, "declined"),
        ("fetch somebody", Manner.BUSY, "busy"),
    ],
)
async def test_whoever_cannot_be_had_leaves_the_caller_with_the_agent(
    there: Town, words: str, manner: Manner, status: str
) -> None:
    colleague(there).manner = manner
    call = await asks(there, words)
    output = await there.told("conversation.item.create")
    assert f'"status": "{status}"' in output["item"]["output"]
    await there.said("response.done", 3)  # the greeting, the asking, and what came of it
    await there.quiet()
    assert not call.ended.is_set()

    there.cloud.doubles.ears.words = ["what is my balance"]
    await call.say_out(SPEECH)
    await there.told("conversation.item.create", 2)  # and it hears the caller again
    call.hang_up()
    await there.empty()


async def test_a_human_is_told_what_it_is_about_and_the_caller_does_not_hear_it(
    there: Town,
) -> None:
    call = await asks(there, "fetch somebody")
    media, call_id = there.media, there.call_id
    ring = await rings(there)
    assert media.ms(media.playout.played_bytes) >= MS_PER_CHAR * len(f"Good day.{ASKING}") - 60
    waited_ms = call.heard_ms
    await call.hear_ms(waited_ms + 500)  # the tune

    human = ring.answer()
    briefed_ms = MS_PER_CHAR * len(BRIEFING)
    with anyio.fail_after(20):
        await human.hear_ms(briefed_ms - 60)
    before_ms = call.heard_ms
    await there.empty()
    assert call.heard_ms - before_ms < 100
    assert not there.tap.lines  # the model's session is over, the two are not
    await they_talk(call, human)

    human.hang_up()
    await call.ended.wait()
    account = await there.account(call_id)
    assert account.call.end_reason == "handed_over"
    assert [(each.name, each.state) for each in account.tool_calls] == [("bring_in_human", "done")]


async def test_an_agent_who_says_nothing_is_made_to_say_it_first(there: Town) -> None:
    await asks(there, "without a word")
    await rings(there)
    [told] = [
        frame.event["response"]["instructions"]
        for frame in there.tap.events("response.create", from_model=False)
        if "colleague" in frame.event["response"].get("instructions", "")
    ]
    assert told.startswith("Tell the caller")


async def test_nobody_comes_and_the_telephone_stops_ringing(
    there: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "RING_S", 1)
    call = await asks(there, "fetch somebody")
    ring = await rings(there)
    await ring.over.wait()
    assert ring.outcome is Outcome.NO_ANSWER
    output = await there.told("conversation.item.create")
    assert '"status": "no_answer"' in output["item"]["output"]
    await there.said("response.done", 3)
    await there.quiet()
    assert not call.ended.is_set()


async def test_a_human_of_whom_we_were_not_told_is_briefed_all_the_same(
    there: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "GRACE_S", 2.0 - lines.RING_S)
    for event in ("AddParticipantSucceeded", "ParticipantsUpdated", "ParticipantsUpdated"):
        there.acs.troubles.script("drop", event)  # they come to another replica
    call = await asks(there, "fetch somebody")
    human = (await rings(there)).answer()
    with anyio.fail_after(15):
        await human.hear_ms(MS_PER_CHAR * len(BRIEFING) - 60)
    await there.empty()
    await they_talk(call, human)


async def test_a_human_who_answers_as_we_give_up_is_sent_away(
    there: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert there.home.house.telephone is not None
    carrier = there.home.house.telephone.carrier
    monkeypatch.setattr(lines, "GRACE_S", 4.0 - lines.RING_S)  # we wait for four seconds
    call = await asks(there, "fetch somebody")
    ring = await rings(there)
    came: list[PhoneCall] = []

    async def too_late(connection_id: str, invitation_id: str) -> None:
        came.append(ring.answer())
        raise CarrierUnavailable("The invitation is over.", retryable=False)

    monkeypatch.setattr(carrier, "cancel_add", too_late)
    output = await there.told("conversation.item.create")
    assert '"status": "no_answer"' in output["item"]["output"]
    with anyio.fail_after(20):
        await came[0].ended.wait()
    await there.said("response.done", 3)
    await there.quiet()
    assert not call.ended.is_set()
    call.hang_up()
    await there.empty()


async def test_a_caller_who_goes_during_the_briefing_leaves_nobody_behind(there: Town) -> None:
    call = await asks(there, "fetch somebody")
    call_id = there.call_id
    human = (await rings(there)).answer()
    with anyio.fail_after(20):
        await human.hear_ms(300)  # the briefing
        call.hang_up()
        await human.ended.wait()
    await there.empty()
    account = await there.account(call_id)
    assert account.call.end_reason == "hung_up"
    assert [each.state for each in account.tool_calls] == ["abandoned"]


async def test_who_asks_for_a_human_by_a_button_is_given_one(there: Town) -> None:
    there.cloud.doubles.mind.script = as_if_asked
    call = await there.ring()
    call_id = there.call_id
    there.home.house.switchboard.ask_for_human(call_id)
    human = (await rings(there)).answer()
    await there.empty()
    await they_talk(call, human)
    account = await there.account(call_id)
    assert account.call.end_reason == "handed_over"
    with pytest.raises(NotAllowed):
        there.home.house.switchboard.ask_for_human(call_id)


async def test_who_hangs_up_while_it_rings_stops_the_ringing(there: Town) -> None:
    call = await asks(there, "fetch somebody")
    call_id = there.call_id
    ring = await rings(there)
    call.hang_up()
    with anyio.fail_after(20):
        await ring.over.wait()
    assert ring.outcome is Outcome.CANCELED
    await there.empty()
    account = await there.account(call_id)
    assert account.call.end_reason == "hung_up"
    # What the carrier tells first of the two is its own affair.
    assert account.tool_calls[0].state in ("failed", "abandoned")


async def test_who_speaks_before_it_has_begun_is_not_sent_away(there: Town) -> None:
    call = await asks(there, "fetch somebody")
    await there.said("response.created", 2)
    await call.hear_ms(call.heard_ms + 300)
    there.cloud.doubles.ears.words = ["what is my balance"]
    await call.say_out(SPEECH)
    # Whether the tool had been asked for by then or not: the caller is answered.
    with anyio.fail_after(20):
        told = there.tap.events
        while "balance_eur" not in str(told("conversation.item.create", from_model=False)):  # noqa: ASYNC110 - a fact
            await anyio.sleep(0.02)
    await there.quiet()
    assert not colleague(there).calls
    assert there.home.house.switchboard.live() == 1


async def test_a_number_that_is_not_allowed_is_not_rung(cloud: Cloud, tmp_path: Path) -> None:
    async with staffed(cloud, tmp_path, dial_allowed="US") as there:
        colleague(there).manner = Manner.ANSWERS
        await asks(there, "put me through")
        output = await there.told("conversation.item.create")
        assert '"status": "not_allowed"' in output["item"]["output"]
        assert not colleague(there).calls


async def test_keys_are_pressed_for_the_other_end(there: Town) -> None:
    call = await asks(there, "press 19#")
    output = await there.told("conversation.item.create")
    assert "pressed" in output["item"]["output"]
    assert list(call.keys_heard) == ["1", "9", "#"]


async def test_keys_that_are_none_are_refused_in_words(there: Town) -> None:
    call = await asks(there, "press 1;DROP")
    output = await there.told("conversation.item.create")
    assert '"status": "error"' in output["item"]["output"]
    assert not call.keys_heard


async def test_keys_the_caller_presses_reach_the_model(there: Town) -> None:
    call = await there.ring()
    call.press("42#")
    item = (await there.told("conversation.item.create"))["item"]
    assert item["role"] == "user"
    assert "4 2" in item["content"][0]["text"]


async def test_only_who_calls_by_telephone_is_offered_what_a_telephone_can_do(there: Town) -> None:
    await there.ring()
    session = (await there.told("session.update"))["session"]
    by_telephone = {"bring_in_human", "transfer_to_human", "send_keys"}
    assert by_telephone <= {tool["name"] for tool in session["tools"]}
    assert HUMAN not in str(session)
    elsewhere = there.home.house.reception.brief("banking", voice=None, model=None)
    assert not by_telephone & {tool.name for tool in elsewhere.spec.tools}
