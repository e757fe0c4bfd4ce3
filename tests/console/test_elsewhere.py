"""Two servers on one PostgreSQL: a call of the one, watched and helped from the other."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from switchboard.console.links import LINK_PATH, LINK_PROTOCOL, NO_ADDRESS, SCHEME, about
from switchboard.conversation import commands as c
from switchboard.records.history import history
from switchboard.records.operators import deeds_of
from switchboard.records.store import Store
from tests.browser.peers import FRAME
from tests.browser.peers import House as Door
from tests.browser.peers import Page as CallerPage
from tests.console.house import CARD, Obedient, Served, next_frame, next_line, open_house
from tests.console.test_desk import CALLERS, VOICE, desk, let_in, says, sent

WAIT_S = 30.0


@dataclass
class Pair:
    """`a` carries the calls, `b` has the operator."""

    a: Served
    b: Served


@asynccontextmanager
async def two_servers(url: str, place: Path, *, linked: bool) -> AsyncGenerator[Pair]:
    async with (
        open_house(place / "a", database_url=url, linked=linked) as a,
        open_house(place / "b", database_url=url, linked=linked) as b,
    ):
        yield Pair(a, b)


@pytest.fixture
async def pair(shared_url: str, tmp_path: Path) -> AsyncGenerator[Pair]:
    async with two_servers(shared_url, tmp_path, linked=True) as pair:
        yield pair


async def written(pair: Pair, call_id: str) -> None:
    """Until the call is in the records, and with it which server carries it."""
    await pair.a.house.recorder.flush()
    assert await history(pair.b.house.store, call_id) is not None


async def deeds(home: Served, call_id: str) -> list[tuple[str, str, str]]:
    done = await deeds_of(home.house.store, call_id)
    return [(deed.kind, deed.principal_name, deed.outcome) for deed in done]


def notes(model: Obedient) -> list[str]:
    return [command.text for command in model.told if isinstance(command, c.AddNote)]


async def row_of(stream: Any, call_id: str, **wanted: object) -> dict[str, Any]:  # noqa: ANN401  (a stream)
    """The next row of this call that looks so."""
    while True:
        row = (await stream.next("row"))["row"]
        if row["call"]["id"] == call_id and all(row[key] == wanted[key] for key in wanted):
            return row


@pytest.mark.timeout(120)
async def test_a_call_of_another_server_appears_changes_and_goes(pair: Pair) -> None:
    async with (
        pair.b.stream("/api/console/live") as live,
        pair.a.caller() as (call_id, page, _),
    ):
        await live.next("live")
        row = await row_of(live, call_id)
        assert row["call"]["server"] == pair.a.house.store.replica[:4]
        await page.say("text", id="t1", text="What do I owe?")
        row = await row_of(live, call_id, lastLine="You said: What do I owe?", written=False)
        assert row["lastSpeaker"] == "agent"
        async with pair.b.caller() as (own, _, _):
            assert (await row_of(live, own))["call"]["server"] != row["call"]["server"]
        await page.say("end")
        while (await live.next("gone"))["id"] != call_id:
            pass


@pytest.mark.timeout(120)
async def test_it_is_followed_to_its_end_and_acted_on_and_each_deed_is_written_once(
    pair: Pair,
) -> None:
    async with pair.a.caller() as (call_id, page, model):
        await written(pair, call_id)
        async with (
            pair.b.stream(f"/api/console/calls/{call_id}/events") as there,
            pair.a.stream(f"/api/console/calls/{call_id}/events") as here,
        ):
            detail = (await there.next("detail"))["detail"]
            assert detail["can"]["listen"] == {"ok": True, "why": None}
            assert detail["live"] and detail["call"]["server"] is not None
            whispered = await pair.b.act(call_id, "whisper", text="Be brief.")
            assert whispered.status_code == 200, whispered.text
            assert (whispered.json()["outcome"], whispered.json()["by"]) == ("taken", "You")
            assert any("Be brief." in note for note in notes(model))
            for stream in (there, here):
                action = (await stream.next("acted"))["action"]
                assert (action["id"], action["outcome"]) == (whispered.json()["id"], "taken")
                assert action["atMs"] == whispered.json()["atMs"] > 0
            refused = await pair.b.act(call_id, "human")
            assert refused.status_code == 409
            assert refused.json()["text"] == "Only a telephone call can be handed to a human."
            assert (await pair.b.act(call_id, "cut")).is_success
            _, said = await page.closed()
            assert said[-1]["reason"] == "operator"
            ended = await there.next("ended")
            assert (ended["call"]["endReason"], ended["call"]["outcome"]) == ("operator", "stopped")
    assert await deeds(pair.b, call_id) == [
        ("whisper", "You", "taken"),
        ("human", "You", "refused"),
        ("cut", "You", "taken"),
    ]
    await pair.a.quiet()
    late = await pair.b.act(call_id, "whisper", text="Hello?")
    assert (late.status_code, late.json()["code"]) == (409, "call_over")


async def test_a_dangerous_tool_is_approved_from_the_other_server(pair: Pair) -> None:
    async with pair.a.caller() as (call_id, page, model):
        await written(pair, call_id)
        model.wish = ("block_card", CARD)
        await page.say("text", id="t1", text="Block my card")
        asked = await page.next("tool")
        shown = await pair.b.detail(call_id)
        assert [tool["state"] for tool in shown["tools"]] == ["asking"]
        model.wish = ("block_card", CARD)
        assert (await pair.b.act(call_id, "approve", tool=asked["id"])).is_success
        while (await page.next("tool"))["state"] != "done":
            pass
        late = await pair.b.act(call_id, "refuse", tool=asked["id"])
        assert (late.status_code, late.json()["code"]) == (409, "not_possible")


async def test_an_operator_hears_both_voices_of_another_servers_call(pair: Pair) -> None:
    async with pair.a.caller() as (call_id, page, _):
        await written(pair, call_id)
        # Asked for at one server, and opened at another, as behind a balancer.
        answer = await pair.a.http.post(f"/api/console/calls/{call_id}/listeners")
        ticket = answer.json()["ticket"]
        async with pair.b.ear(call_id, ticket) as ear:
            assert await next_frame(ear, "muted") == {"type": "muted", "muted": False}
            await page.say("audio", audio=FRAME)
            heard = await next_frame(ear, "voice")
            assert heard == {"type": "voice", "side": "caller", "audio": FRAME}
            await page.say("text", id="t1", text="Hello?")
            assert (await next_frame(ear, "voice"))["side"] == "agent"
            shown = await pair.a.detail(call_id)
            assert [(act["kind"], act["outcome"]) for act in shown["actions"]] == [
                ("listen", "taken")
            ]
            await page.say("end")
            await next_frame(ear, "over")
            with pytest.raises(ConnectionClosed):
                await ear.recv()
            assert ear.close_code == 1000
        assert await deeds(pair.b, call_id) == [("listen", "You", "taken")]


async def test_who_speaks_where_there_is_only_to_listen_is_let_go(pair: Pair) -> None:
    """Frames go both ways: it is the server that carries the call that wants none."""
    async with pair.a.caller() as (call_id, _, _):
        await written(pair, call_id)
        ticket = (await pair.b.http.post(f"/api/console/calls/{call_id}/listeners")).json()
        async with pair.b.ear(call_id, ticket["ticket"]) as ear:
            await next_frame(ear, "muted")
            with anyio.fail_after(WAIT_S), pytest.raises(ConnectionClosed):
                for _ in range(100):
                    await ear.send('{"type":"voice"}')
                while True:
                    await ear.recv()
            assert (ear.close_code, ear.close_reason) == (1008, "this socket only listens")


@pytest.mark.timeout(120)
async def test_a_call_of_another_server_is_taken_over_spoken_in_and_handed_back(
    pair: Pair,
) -> None:
    async with pair.a.caller() as (call_id, page, model):
        await written(pair, call_id)
        async with desk(pair.b, call_id, await let_in(pair.b, call_id)) as seat:
            assert "taken over" in (await page.next("notice"))["text"]
            await says(seat, "mic", audio=VOICE)
            assert (await page.next("audio"))["audio"] == VOICE
            await page.say("audio", audio=CALLERS)
            voice = await next_frame(seat, "voice")
            assert (voice["side"], voice["audio"]) == ("caller", CALLERS)
            for home in (pair.a, pair.b):
                assert (await home.detail(call_id))["takenBy"] == "You"
                # A second operator is told who has it, wherever they are.
                second = await home.http.post(f"/api/console/calls/{call_id}/desk", json={})
                assert (second.status_code, second.json()["text"]) == (
                    409,
                    "This call is with You.",
                )
            await says(seat, "handBack", summary="A refund was agreed.")
            assert await closed_by_server(seat) == (1000, "handed back")
        assert "A refund was agreed." in (await sent(model, c.AddNote)).text
        await next_line(page, "handed the call back")
        shown = await shown_deed(pair.a, call_id, "hand_back")
        assert (shown["text"], shown["by"]) == ("A refund was agreed.", "You")
        assert shown["outcome"] == "taken"
        assert (await pair.b.detail(call_id))["takenBy"] is None
    assert await deeds(pair.b, call_id) == [
        ("take_over", "You", "taken"),
        ("hand_back", "You", "taken"),
    ]


async def test_the_agent_goes_on_when_the_line_of_an_operator_elsewhere_is_lost(
    pair: Pair,
) -> None:
    async with pair.a.caller() as (call_id, page, model):
        await written(pair, call_id)
        async with desk(pair.b, call_id, await let_in(pair.b, call_id)) as seat:
            await sent(model, c.SetTurns)
            seat.transport.abort()
        await next_line(page, "their line broke off")
        assert (await shown_deed(pair.a, call_id, "desk_lost"))["outcome"] == "taken"
    assert [kind for kind, _, _ in await deeds(pair.b, call_id)] == ["take_over", "desk_lost"]


@pytest.mark.parametrize("leaves_at_once", [True, False])
async def test_a_call_that_ends_under_an_operator_elsewhere_is_neither_lost_nor_handed_back(
    shared_url: str, tmp_path: Path, *, leaves_at_once: bool
) -> None:
    async with (
        two_servers(shared_url, tmp_path, linked=True) as pair,
        pair.a.caller() as (call_id, page, model),
    ):
        await written(pair, call_id)
        async with desk(pair.b, call_id, await let_in(pair.b, call_id)) as seat:
            await sent(model, c.SetTurns)
            await page.say("end")
            await next_frame(seat, "over")
            if not leaves_at_once:  # the console's page does
                assert await closed_by_server(seat) == (1000, "the call has ended")
    async with Store(shared_url).opened() as store:
        assert [deed.kind for deed in await deeds_of(store, call_id)] == ["take_over"]


async def test_a_second_operator_elsewhere_is_refused_and_that_is_written_down(
    pair: Pair,
) -> None:
    async with pair.a.caller() as (call_id, _, model):
        await written(pair, call_id)
        later = await let_in(pair.b, call_id)
        async with desk(pair.a, call_id, await let_in(pair.a, call_id)):
            await sent(model, c.SetTurns)
            with pytest.raises(InvalidStatus) as refused:
                async with desk(pair.b, call_id, later):
                    pass
            assert refused.value.response.status_code == 503
            assert [(kind, done) for kind, _, done in await deeds(pair.b, call_id)] == [
                ("take_over", "taken"),
                ("take_over", "refused"),
            ]


async def test_nonsense_from_afar_loses_the_call_as_it_does_here(pair: Pair) -> None:
    async with pair.a.caller() as (call_id, _, _model):
        await written(pair, call_id)
        async with desk(pair.b, call_id, await let_in(pair.b, call_id)) as seat:
            for _ in range(30):
                await says(seat, "mic", audio="no audio")
            assert await closed_by_server(seat) == (1008, "too many faults")


async def closed_by_server(seat: ClientConnection) -> tuple[int | None, str | None]:
    with anyio.fail_after(WAIT_S), pytest.raises(ConnectionClosed):
        while True:
            await seat.recv()
    return seat.close_code, seat.close_reason


async def shown_deed(home: Served, call_id: str, kind: str) -> dict[str, Any]:
    """As whoever watches the live call at this server sees it."""
    with anyio.fail_after(WAIT_S):
        while True:
            detail = await home.detail(call_id)
            assert detail["live"]
            for act in detail["actions"]:
                if act["kind"] == kind:
                    return act
            await anyio.sleep(0.02)


@pytest.mark.timeout(120)
async def test_without_a_way_to_it_a_call_is_shown_as_written_down_and_acted_on_all_the_same(
    shared_url: str, tmp_path: Path
) -> None:
    async with (
        two_servers(shared_url, tmp_path, linked=False) as pair,
        pair.a.caller() as (call_id, page, model),
    ):
        await written(pair, call_id)
        async with (
            pair.b.stream("/api/console/live") as live,
            pair.b.stream(f"/api/console/calls/{call_id}/events") as events,
        ):
            row = await row_of(live, call_id, written=True)
            assert row["call"]["server"] == pair.a.house.store.replica[:4]
            detail = (await events.next("detail"))["detail"]
            assert detail["can"]["listen"] == {"ok": False, "why": NO_ADDRESS}
            await page.say("text", id="t1", text="What do I owe?")
            await row_of(live, call_id, lastLine="You said: What do I owe?")
            while not any("What do I owe?" in line["text"] for line in detail["lines"]):
                detail = (await events.next("detail"))["detail"]
            assert detail["can"]["takeOver"] == {"ok": False, "why": NO_ADDRESS}
            for wanted in ("listeners", "desk"):
                refused = await pair.b.http.post(f"/api/console/calls/{call_id}/{wanted}")
                assert (refused.status_code, refused.json()["text"]) == (409, NO_ADDRESS)
            assert (await pair.b.act(call_id, "whisper", text="Be brief.")).is_success
            assert any("Be brief." in note for note in notes(model))
            assert (await pair.b.act(call_id, "cut")).is_success
            assert (await events.next("ended"))["call"]["outcome"] == "stopped"
            while (await live.next("gone"))["id"] != call_id:
                pass


async def test_a_link_is_for_a_server_with_a_ticket_and_each_ticket_for_one(pair: Pair) -> None:
    passes = pair.b.house.neighbours.linked
    a, b = (home.house.store.replica for home in (pair.a, pair.b))

    def link(*headers: str, protocol: str = LINK_PROTOCOL) -> connect:
        return connect(
            f"ws://127.0.0.1:{pair.a.port}{LINK_PATH}",
            additional_headers=[("Authorization", header) for header in headers],
            subprotocols=[Subprotocol(protocol)],
            proxy=None,
        )

    async def status_of(opening: connect) -> int:
        with pytest.raises(InvalidStatus) as refused:
            async with opening:
                pass
        return refused.value.response.status_code

    good = SCHEME + await passes.issue(about(a), b)
    async with link(good) as opened:
        await opened.send('{"type":"live"}')
        assert '"live"' in str(await opened.recv())
    listener = await pair.b.house.neighbours.listeners.issue(about(a), b)
    others = await passes.issue(about(b), b)
    shown = (good, SCHEME + others, SCHEME + listener, SCHEME, "Bearer x", SCHEME + "x" * 43)
    assert [await status_of(link(each)) for each in shown] == [401] * len(shown)
    assert await status_of(link()) == 401
    assert await status_of(link(good, protocol="other")) == 400
    fresh = SCHEME + await passes.issue(about(a), b)
    async with link(fresh) as opened:
        await opened.send("{}")
        with pytest.raises(ConnectionClosed):
            await opened.recv()
        assert opened.close_code == 1008


async def test_a_call_that_was_placed_here_may_begin_there(pair: Pair) -> None:
    answer = await pair.a.http.post("/api/calls", json={"agent": "telecom"})
    placed = answer.json()
    way_in = Door(pair.b.port, exchange=None, tickets=pair.b.house.tickets)  # pyright: ignore[reportArgumentType]  (only its address is used)
    async with way_in.dial(placed) as opened:
        page = CallerPage(opened)
        assert (await page.next("ready"))["call"] == placed["call"]
        await page.next("audio")
        assert pair.b.house.switchboard.live() == 1
        assert pair.a.house.switchboard.live() == 0
        await pair.b.house.recorder.flush()
        known = await history(pair.b.house.store, placed["call"])
        assert known is not None
        assert (known.call.agent, known.call.principal_id) == ("telecom", "local")
        assert known.call.replica_id == pair.b.house.store.replica
        await page.say("end")


async def test_a_caller_who_comes_back_to_the_wrong_server_is_told_to_try_again(
    pair: Pair,
) -> None:
    way_in = Door(pair.b.port, exchange=None, tickets=pair.b.house.tickets)  # pyright: ignore[reportArgumentType]
    right = Door(pair.a.port, exchange=None, tickets=pair.a.house.tickets)  # pyright: ignore[reportArgumentType]
    async with pair.a.caller() as (call_id, page, _):
        await written(pair, call_id)
        back = {"call": call_id, "socket": f"/api/calls/{call_id}/audio"}
        ticket = page.ready["resume"]
        for _ in range(2):
            async with way_in.dial(back, ticket=ticket) as wrong:
                code, said = await CallerPage(wrong).closed()
                assert (code, said) == (1013, [])
        async with right.dial(back, ticket=ticket) as opened:
            assert (await CallerPage(opened).next("ready"))["resumed"]
        gone = await pair.b.http.get(f"/api/calls/{call_id}/events")
        assert gone.status_code in (404, 503)
