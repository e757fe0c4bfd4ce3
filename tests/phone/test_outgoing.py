"""Somebody has a telephone rung, and is told what became of it."""

import ast
import logging
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

import switchboard
from switchboard.access.identity import Anybody
from switchboard.access.principal import ANONYMOUS, LOCAL, Kind, Principal, Role
from switchboard.errors import NotAllowed
from switchboard.phone.dialling import QuietHours
from switchboard.phone.outgoing import check_may_place
from switchboard.records.dialled import Quotas
from tests.phone.house import CONNECTION, PERSON, RING_S, House, house
from tests.phone.peers import Carrier

SRC = Path(switchboard.__file__).parent


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as served:
        yield served


async def test_a_telephone_rings_is_answered_and_hung_up(home: House) -> None:
    placed = await home.places()
    assert placed.status_code == 201
    assert placed.json()["state"] == "ringing"
    [(permit, route)] = home.carrier.rung
    assert permit.target.number == "+442079460018"
    assert route.callback_url.endswith("/api/phone/events/call-0")
    assert home.exchange.waits[0] is not None
    assert home.exchange.waits[0] > RING_S  # its line is kept for as long as it rings

    await home.told("CallConnected")
    assert (await home.state())["state"] == "answered"
    async with home.media() as socket:
        await Carrier(socket).opens()
        await home.until(lambda: home.exchange.legs)
        await home.told("CallDisconnected", event_id="cb2", subcode=560000)
        state = await home.state()
    assert (state["state"], state["reason"]) == ("ended", "hung_up")
    assert state["carrier"] == {"code": 200, "subcode": 560000}
    assert home.room.live() == 0


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (486, "busy", None),
        (600, "busy", None),
        (480, "no_answer", None),
        (408, "no_answer", None),
        (487, "no_answer", None),
        (603, "failed", "declined"),
        (404, "failed", None),
        (500, "failed", None),
    ],
)
async def test_what_the_carrier_says_is_passed_on(
    home: House, code: int, state: str, reason: str | None
) -> None:
    await home.places()
    for _ in range(2):
        await home.told("CreateCallFailed", code=code, subcode=560000 + code)
    told = await home.state()
    assert (told["state"], told["reason"]) == (state, reason)
    assert told["carrier"] == {"code": code, "subcode": 560000 + code}
    assert home.exchange.ended == [("call-0", "hung_up")]
    assert home.room.live() == 0


async def test_one_operation_rings_once_however_often_and_at_once_it_is_asked(home: House) -> None:
    answers: list[dict[str, Any]] = []

    async def ask() -> None:
        answers.append((await home.places()).json())

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
    await ask()
    assert len(home.carrier.rung) == 1
    assert len({answer["call"] for answer in answers}) == 1
    lines = set(home.exchange.placed) - {call for call, _ in home.exchange.ended}
    assert lines == {answers[0]["call"]}  # no other keeps a line


async def test_another_operation_is_another_call(home: House) -> None:
    await home.places()
    await home.places(operation="operation-2")
    assert len(home.carrier.rung) == 2


async def test_a_crash_between_booking_and_placing_rings_nobody_twice(tmp_path: Path) -> None:
    async with house(tmp_path) as home, anyio.create_task_group() as tasks:
        home.carrier.slow = anyio.Event()
        tasks.start_soon(home.places)
        await home.until(lambda: home.carrier.rung)
        async with house(tmp_path) as after:  # the next server, on what the first left behind
            again = await after.places()
            assert again.status_code == 201
            assert (again.json()["state"], again.json()["reason"]) == ("failed", "interrupted")
            assert after.carrier.rung == []
        home.carrier.slow.set()


async def test_a_telephone_that_rings_too_long_is_hung_up(home: House) -> None:
    await home.places()
    await home.room.sweep()
    assert home.carrier.hung_up == []
    home.clock.now += RING_S
    await home.room.sweep()
    await home.room.sweep()
    assert home.carrier.hung_up == [CONNECTION]
    assert (await home.state())["state"] == "no_answer"


async def test_an_answered_telephone_whose_media_never_come_is_hung_up(home: House) -> None:
    await home.places()
    await home.told("CallConnected")
    home.clock.now += RING_S
    await home.room.sweep()
    assert home.carrier.hung_up == [CONNECTION]
    assert (await home.state())["state"] == "ended"


async def test_a_call_that_fails_before_the_carrier_said_that_it_rings_is_over(
    home: House,
) -> None:
    home.carrier.slow = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(home.places)
        await home.until(lambda: home.carrier.rung)
        await home.told("CreateCallFailed", code=486)
        home.carrier.slow.set()
    assert (await home.state())["state"] == "busy"
    assert home.room.live() == 0


async def test_an_answer_before_the_carrier_said_that_it_rings_stands(home: House) -> None:
    home.carrier.slow = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(home.places)
        await home.until(lambda: home.carrier.rung)
        await home.told("CallConnected")
        home.carrier.slow.set()
    assert (await home.state())["state"] == "answered"
    assert home.carrier.hung_up == []


async def test_a_carrier_that_refuses_is_a_failed_call(home: House) -> None:
    home.carrier.away = True
    placed = await home.places()
    assert (placed.json()["state"], placed.json()["reason"]) == ("failed", "carrier")
    assert home.exchange.ended == [("call-0", "not_placed")]
    home.carrier.away = False
    assert (await home.places()).json()["state"] == "failed"  # the same operation: not rung again


async def test_a_server_that_stops_leaves_nobody_ringing(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(home.room.run)
            await home.places()
            tasks.cancel_scope.cancel()
        assert home.carrier.hung_up == [CONNECTION]
        state = await home.state()
        assert (state["state"], state["reason"]) == ("failed", "server_stopping")


async def test_a_call_that_has_ended_is_not_among_those_at_once(tmp_path: Path) -> None:
    async with house(tmp_path, quotas=Quotas(at_once=1)) as home:
        await home.places()
        full = await home.places(operation="operation-2")
        assert (full.status_code, full.json()["code"]) == (403, "too_many_at_once")
        await home.told("CreateCallFailed", code=480)
        assert (await home.places(operation="operation-3")).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to": "+33142685300"}, 403, "prefix_not_allowed"),
        ({"to": "+44 909 879 0000"}, 403, "premium_number"),
        ({"to": "+881612345678"}, 403, "satellite_number"),
        ({"to": "999"}, 403, "no_number"),
        ({"to": "+44 20 7946 0018;ext=5"}, 403, "no_number"),
        ({"to": ""}, 400, None),
        ({"to": 7}, 400, None),
        ({"to": "+" + "4" * 60}, 400, None),
        ({"agent": "nobody"}, 403, "not_allowed"),
        ({"operation": "short"}, 400, None),
        ({"operation": "x" * 65}, 400, None),
        ({"operation": "with space 1"}, 400, None),
        ({"operation": "operation-1\n"}, 400, None),
        ({"context": {"name": 7}}, 400, None),
        ({"context": {"na\nme": "x"}}, 400, None),
        ({"context": {"name\n": "x"}}, 400, None),
        ({"context": {f"n{i}": "x" for i in range(21)}}, 400, None),
        ({"context": {"name": "x" * 1_001}}, 400, None),
        ({"context": {f"n{i}": "x" * 900 for i in range(5)}}, 413, None),
        ({"context": {"name": "x" * 20_000}}, 413, None),
        ({"voice": "marin"}, 400, None),
    ],
)
async def test_what_is_not_allowed_is_refused_and_rings_nobody(
    home: House, changes: dict[str, Any], status: int, code: str | None
) -> None:
    answer = await home.places(**changes)
    assert answer.status_code == status
    if code is not None:
        assert answer.json()["code"] == code
    assert home.carrier.rung == []
    assert len(home.exchange.placed) == len(home.exchange.ended)  # no line is kept


async def test_a_number_that_is_never_called_is_refused_without_asking_the_database(
    home: House, stores_go: Callable[[], None]
) -> None:
    stores_go()
    for to, code in (("+33142685300", "prefix_not_allowed"), ("999", "no_number")):
        answer = await home.places(to=to)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert (await home.places()).status_code == 503


async def test_who_asks_again_at_night_is_told_of_the_call_by_day(tmp_path: Path) -> None:
    noon, midnight = 1_800_014_400.0, 1_800_057_600.0
    async with house(tmp_path, quiet=QuietHours()) as home:
        home.clock.now = noon
        assert (await home.places()).json()["call"] == "call-0"
        home.clock.now = midnight
        assert (await home.places()).json()["call"] == "call-0"
        other = await home.places(operation="operation-2")
        assert (other.status_code, other.json()["code"]) == (403, "quiet_hours")


async def test_a_page_of_another_s_places_nothing(home: House) -> None:
    body = {"to": PERSON, "agent": "bank", "operation": "operation-1"}
    for headers in ({}, {"Origin": "https://evil.example"}):
        answer = await home.http.post("/api/phone/calls", json=body, headers=headers)
        assert answer.status_code == 403
    assert home.carrier.rung == []


async def test_strangers_neither_place_calls_nor_see_them(tmp_path: Path) -> None:
    async with house(tmp_path, authenticator=Anybody()) as home:
        assert (await home.places()).status_code == 403
        assert (await home.http.get("/api/phone/calls/call-0")).status_code == 403
        assert home.carrier.rung == []
        assert home.exchange.placed == []


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (LOCAL, True),
        (ANONYMOUS, False),
        (Principal("a", "A", frozenset(Role), Kind.ANONYMOUS), False),
        (Principal("t", "T", frozenset(Role), Kind.TELEPHONE), False),
        (Principal("p", "P", frozenset({Role.CALLER}), Kind.PERSON), False),
        (Principal("p", "P", frozenset({Role.OPERATOR}), Kind.PERSON), True),
    ],
)
def test_who_may_have_others_rung(who: Principal, may: bool) -> None:
    if may:
        check_may_place(who)
    else:
        with pytest.raises(NotAllowed):
            check_may_place(who)


async def test_somebody_who_asks_too_often_is_told_to_wait(home: House) -> None:
    answers = [await home.places(operation="short") for _ in range(25)]
    assert {answer.status_code for answer in answers} == {400, 429}


async def test_a_call_that_was_never_placed_has_no_state(home: House) -> None:
    assert (await home.http.get("/api/phone/calls/call-9")).status_code == 404


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_media_prove_that_somebody_took_it_though_nobody_was_told(
    tmp_path: Path, *, elsewhere: bool
) -> None:
    async with house(tmp_path) as home, house(tmp_path) as other:
        await home.places()
        carries = other if elsewhere else home
        async with carries.media(ticket=home.ticket) as socket:
            await carries.until(lambda: carries.exchange.legs)
            assert (await home.state())["state"] == "answered"
            await Carrier(socket).opens()
        home.clock.now += RING_S + 1
        await home.room.sweep()
        await carries.told("CallDisconnected")
        assert (await home.state())["state"] == "ended"
        assert (await home.state())["answeredAt"] is not None


async def test_neither_number_nor_context_reaches_the_log(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="switchboard"):
        await home.places(context={"secret": "the-blue-elephant"})
        await home.places(context={"secret": "the-blue-elephant"}, to="+33142685300")
        await home.told("CreateCallFailed", code=486)
    said = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "elephant" not in said
    assert "7946" not in said
    assert "4268" not in said


# -- no path without the rules ----------------------------------------------------------------


def names_in(file: Path) -> set[str]:
    """Everything a file calls, by its last name."""
    calls = [
        node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)
    ]
    return {
        call.attr if isinstance(call, ast.Attribute) else call.id
        for call in calls
        if isinstance(call, ast.Attribute | ast.Name)
    }


def files_that(call: str) -> set[str]:
    return {str(file.relative_to(SRC)) for file in SRC.rglob("*.py") if call in names_in(file)}


@pytest.mark.parametrize(
    ("call", "only_in"),
    [
        ("create_call", {"phone/acs.py"}),  # the SDK rings only from the carrier,
        ("transfer_call_to_participant", {"phone/acs.py"}),
        ("add_participant", {"phone/acs.py"}),
        ("redirect_call", {"phone/acs.py"}),
        ("Permit", {"phone/permits.py"}),  # which wants a permit that only the rules give,
        ("Target", {"phone/dialling.py", "doctor/rounds.py"}),  # or a number they let through.
    ],
)
def test_no_path_dials_without_the_rules(call: str, only_in: set[str]) -> None:
    assert files_that(call) == only_in


def test_the_doctor_s_targets_are_others() -> None:
    assert "dialling" not in (SRC / "doctor" / "rounds.py").read_text()
