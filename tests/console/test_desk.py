"""An operator takes a call over, talks with the caller, and hands it back; wishes ring."""

import base64
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from switchboard.console.protocol import DESK_PROTOCOL, LISTEN_TICKET
from switchboard.conversation import commands as c
from tests.console.house import WAIT_S, Obedient, Served, next_frame, next_line, open_house
from tests.exchange.legs import until

VOICE = base64.b64encode(b"\x11\x22" * 480).decode()
CALLERS = base64.b64encode(b"\x33\x01" * 480).decode()


def desk(home: Served, call_id: str, ticket: str) -> connect:
    return connect(
        f"ws://127.0.0.1:{home.port}/api/console/calls/{call_id}/desk",
        origin=f"http://127.0.0.1:{home.port}",  # pyright: ignore[reportArgumentType]  (a text)
        subprotocols=[Subprotocol(name) for name in (DESK_PROTOCOL, LISTEN_TICKET + ticket)],
        proxy=None,
    )


async def let_in(home: Served, call_id: str) -> str:
    answer = await home.http.post(f"/api/console/calls/{call_id}/desk", json={})
    assert answer.status_code == 201, answer.text
    return answer.json()["ticket"]


async def says(seat: ClientConnection, type_: str, **fields: object) -> None:
    await seat.send(msgspec.json.encode({"type": type_, **fields}).decode())


async def sent(model: Obedient, kind: type[Any]) -> Any:  # noqa: ANN401  (a command of that kind)
    found = await until(lambda: [each for each in model.told if isinstance(each, kind)])
    return found[-1]


async def test_operator_and_caller_hear_each_other_and_the_agent_goes_on(tmp_path: Path) -> None:
    async with open_house(tmp_path) as home, home.caller() as (call_id, page, model):
        async with desk(home, call_id, await let_in(home, call_id)) as seat:
            assert "taken over" in (await page.next("notice"))["text"]
            turns = await sent(model, c.SetTurns)
            assert turns.turn_detection["create_response"] is False
            await says(seat, "mic", audio=VOICE)
            assert (await page.next("audio"))["audio"] == VOICE
            await page.say("audio", audio=CALLERS)
            voice = await next_frame(seat, "voice")
            assert (voice["side"], voice["audio"]) == ("caller", CALLERS)
            assert (await home.detail(call_id))["takenBy"] == "You"
            refused = await home.act(call_id, "say", text="Hello")
            assert refused.status_code == 409

            await says(seat, "handBack", summary="A refund was agreed.")
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await seat.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1000
        note = await sent(model, c.AddNote)
        assert "A refund was agreed." in note.text
        assert (await sent(model, c.SetTurns)).turn_detection["create_response"] is True
        await next_line(page, "handed the call back")  # this model says what it is asked to
        detail = await home.detail(call_id)
        assert detail["takenBy"] is None
        assert [deed["kind"] for deed in detail["actions"]][:1] == ["take_over"]
        await page.say("end")
        await home.quiet()
        kept = {deed["kind"]: deed for deed in (await home.detail(call_id))["actions"]}
        assert kept["hand_back"]["text"] == "A refund was agreed."
        assert kept["hand_back"]["by"] == "You"


async def test_a_second_operator_is_told_who_has_the_call(tmp_path: Path) -> None:
    async with open_house(tmp_path) as home, home.caller() as (call_id, page, _):
        later = await let_in(home, call_id)
        async with desk(home, call_id, await let_in(home, call_id)):
            await page.next("notice")
            answer = await home.http.post(f"/api/console/calls/{call_id}/desk", json={})
            assert answer.status_code == 409
            assert answer.json()["text"] == "This call is with You."
            with pytest.raises(Exception, match=r"HTTP 503"):
                async with desk(home, call_id, later):
                    pass


async def test_a_ticket_to_listen_takes_nothing_over(tmp_path: Path) -> None:
    async with open_house(tmp_path) as home, home.caller() as (call_id, _, _model):
        answer = await home.http.post(f"/api/console/calls/{call_id}/listeners", json={})
        with pytest.raises(Exception, match="HTTP 40"):
            async with desk(home, call_id, answer.json()["ticket"]):
                pass


async def test_when_the_operators_socket_is_lost_the_agent_takes_the_call_back(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as home, home.caller() as (call_id, page, model):
        async with desk(home, call_id, await let_in(home, call_id)) as seat:
            await sent(model, c.SetTurns)
            seat.transport.abort()
        await next_line(page, "their line broke off")
        detail = await home.detail(call_id)
        assert detail["takenBy"] is None
        assert "desk_lost" in [deed["kind"] for deed in detail["actions"]]


async def test_a_page_that_says_too_much_nonsense_loses_the_call(tmp_path: Path) -> None:
    async with open_house(tmp_path) as home, home.caller() as (call_id, _, _model):
        ticket = await let_in(home, call_id)
        async with desk(home, call_id, ticket) as seat:
            with anyio.fail_after(WAIT_S), pytest.raises(ConnectionClosed) as closed:
                for _ in range(30):
                    await says(seat, "mic", audio="no audio")
                while True:
                    await seat.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008


# -- wishes --------------------------------------------------------------------------------------


async def test_the_button_rings_in_the_console_until_somebody_takes_the_call(
    tmp_path: Path,
) -> None:
    async with (
        open_house(tmp_path) as home,
        home.caller() as (call_id, page, _),
        home.stream("/api/console/live") as live,
    ):
        await live.next("live")
        await page.say("human")
        while (row := (await live.next("row"))["row"])["wish"] is None:
            pass
        assert row["wish"]["human"] == "operator"
        assert any("Contoso" in said for said in row["wish"]["said"])
        async with desk(home, call_id, await let_in(home, call_id)):
            while (row := (await live.next("row"))["row"])["takenBy"] is None:
                pass
            assert row["wish"] is None


async def test_the_caller_is_told_at_once_when_no_console_is_open(tmp_path: Path) -> None:
    async with open_house(tmp_path) as home, home.caller() as (_, page, _model):
        await page.say("human")
        while (await page.next("notice"))["code"] != "nobody_came":
            pass


async def test_an_operator_may_say_that_nobody_comes(tmp_path: Path) -> None:
    async with (
        open_house(tmp_path) as home,
        home.caller() as (call_id, page, _),
        home.stream("/api/console/live") as live,
    ):
        await live.next("live")
        await page.say("human")
        while (await live.next("row"))["row"]["wish"] is None:
            pass
        answer = await home.act(call_id, "decline")
        assert answer.status_code == 200, answer.text
        while (await page.next("notice"))["code"] != "nobody_came":
            pass
        assert (await home.act(call_id, "decline")).status_code == 409


async def test_the_agents_tool_rings_with_its_reason_and_a_caller_may_think_again(
    tmp_path: Path,
) -> None:
    async with (
        open_house(tmp_path) as home,
        home.caller() as (_, page, model),
        home.stream("/api/console/live") as live,
    ):
        await live.next("live")
        model.wish = ("bring_in_human", '{"human": "operator", "reason": "A refund."}')
        await page.say("text", id="t1", text="Get me somebody.")
        while (wish := (await live.next("row"))["row"]["wish"]) is None:
            pass
        assert wish["reason"] == "A refund."
        await page.say("human", withdraw=True)
        while (await live.next("row"))["row"]["wish"] is not None:
            pass
