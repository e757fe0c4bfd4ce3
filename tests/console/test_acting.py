"""What an operator does to a call."""

from collections.abc import Sequence

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from switchboard.conversation import commands as c
from switchboard.records.operators import deeds_of
from tests.browser.peers import FRAME
from tests.console.house import CARD, Obedient, Served, next_frame, next_line


async def deeds(home: Served, call_id: str) -> list[tuple[str, str, str]]:
    done = await deeds_of(home.house.store, call_id)
    return [(deed.kind, deed.principal_name, deed.outcome) for deed in done]


def told(model: Obedient, kind: type[c.AddNote]) -> Sequence[str]:
    return [command.text for command in model.told if isinstance(command, kind)]


async def test_a_whisper_reaches_the_agent_and_not_the_caller(home: Served) -> None:
    async with home.caller() as (call_id, page, model):
        answer = await home.act(call_id, "whisper", text="Offer ten euros.")
        assert answer.status_code == 200
        assert (answer.json()["by"], answer.json()["outcome"]) == ("You", "taken")
        [note] = [text for text in told(model, c.AddNote) if "Offer ten euros." in text]
        assert "supervisor" in note
        assert await deeds(home, call_id) == [("whisper", "You", "taken")]
        await page.say("end")
        _, said = await page.closed()
    assert not any("Offer ten" in str(message) for message in said)


async def test_sentences_are_said_word_for_word_and_none_is_lost(home: Served) -> None:
    async with home.caller() as (call_id, page, model):
        assert (await home.act(call_id, "say", text='A "colleague" is coming.')).is_success
        assert (await home.act(call_id, "say", text="It takes a minute.")).is_success
        line = await next_line(page, "A 'colleague' is coming.")
        await page.say("played", item=line["id"], ms=20)
        await next_line(page, "It takes a minute.")
        asked = [cmd for cmd in model.told if isinstance(cmd, c.RequestReply)]
        assert [cmd.allow_tools for cmd in asked[-2:]] == [False, False]


async def test_a_dangerous_tool_runs_once_an_operator_has_approved_it(home: Served) -> None:
    async with home.caller() as (call_id, page, model):
        model.wish = ("block_card", CARD)
        await page.say("text", id="t1", text="Block my card")
        asked = await page.next("tool")
        assert asked["state"] == "asking"
        model.wish = ("block_card", CARD)  # what a model does once it is told of the consent
        approved = await home.act(call_id, "approve", tool=asked["id"])
        assert approved.status_code == 200, approved.text
        done = await page.next("tool")
        while done["state"] != "done":
            done = await page.next("tool")
        assert done["name"] == "block_card"
        late = await home.act(call_id, "refuse", tool=asked["id"])
        assert (late.status_code, late.json()["code"]) == (409, "not_possible")
        assert await deeds(home, call_id) == [
            ("approve", "You", "taken"),
            ("refuse", "You", "refused"),
        ]


async def test_a_refused_tool_never_runs(home: Served) -> None:
    async with home.caller() as (call_id, page, model):
        model.wish = ("block_card", CARD)
        await page.say("text", id="t1", text="Block my card")
        asked = await page.next("tool")
        assert (await home.act(call_id, "refuse", tool=asked["id"])).is_success
        assert (await page.next("tool"))["state"] == "declined"


async def test_a_call_is_ended_at_once_or_after_a_goodbye(home: Served) -> None:
    async with home.caller() as (call_id, page, _):
        assert (await home.act(call_id, "end")).is_success
        await next_line(page, "say goodbye")  # its 20 ms are soon over
        code, said = await page.closed()
        assert (code, said[-1]["reason"]) == (1000, "operator")
    async with home.caller() as (other, page, _):
        assert (await home.act(other, "cut")).is_success
        code, said = await page.closed()
        assert said[-1]["reason"] == "operator"
        assert "looks after this service" in said[-1]["text"]
    await home.quiet()
    assert (await home.detail(other))["call"]["outcome"] == "stopped"
    assert [act["kind"] for act in (await home.detail(other))["actions"]] == ["cut"]


async def test_what_a_call_cannot_do_is_refused_with_its_reason(home: Served) -> None:
    async with home.caller() as (call_id, _, _):
        refused = await home.act(call_id, "human")
        assert refused.status_code == 409
        assert refused.json()["text"] == "Only a telephone call can be handed to a human."


async def test_an_operator_hears_both_voices_and_each_ticket_once(home: Served) -> None:
    async with home.caller() as (call_id, page, _):
        answer = await home.http.post(f"/api/console/calls/{call_id}/listeners")
        assert answer.status_code == 201, answer.text
        ticket = answer.json()["ticket"]
        async with home.ear(call_id, ticket) as ear:
            await page.say("audio", audio=FRAME)
            assert await next_frame(ear, "voice") == {
                "type": "voice",
                "side": "caller",
                "audio": FRAME,
            }
            await page.say("text", id="t1", text="Hello?")
            assert (await next_frame(ear, "voice"))["side"] == "agent"
            with pytest.raises(InvalidStatus) as refused:
                async with home.ear(call_id, ticket):
                    pass
            assert refused.value.response.status_code == 401
            await home.act(call_id, "cut")
            await next_frame(ear, "over")
            with pytest.raises(ConnectionClosed):
                await ear.recv()
        assert ("listen", "You", "taken") in await deeds(home, call_id)


# -- who may not, and what is not taken -----------------------------------------------------------


async def test_an_action_after_the_end_is_refused(home: Served) -> None:
    async with home.caller() as (call_id, page, _):
        await page.say("end")
        await page.closed()
    await home.quiet()
    late = await home.act(call_id, "whisper", text="Too late")
    assert (late.status_code, late.json()["code"]) == (409, "call_over")
    assert await deeds(home, call_id) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "whisper", "text": "x" * 1_001}, 400),
        ({"type": "whisper", "text": "x" * 20_000}, 413),
        ({"type": "whisper", "text": "   "}, 400),
        ({"type": "whisper", "text": "a", "as": "admin"}, 400),
        ({"type": "explode"}, 400),
        ({"type": "approve", "tool": ""}, 400),
    ],
)
async def test_odd_bodies_are_refused(home: Served, body: dict[str, str], status: int) -> None:
    async with home.caller() as (call_id, _, _):
        answer = await home.http.post(f"/api/console/calls/{call_id}/actions", json=body)
        assert answer.status_code == status
        assert await deeds(home, call_id) == []
