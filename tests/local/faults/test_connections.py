"""Faults as their victims see them: real WebSocket clients, and callers over WebRTC."""

import asyncio
import json
import time
from collections.abc import Generator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from switchboard_local.faults.kinds import Close, Drop, Expire, Hang, LateAudio, Refuse, Stall
from switchboard_local.mind.parts import Say
from tests.local.realtime.clients import (
    append,
    closed,
    cut_off,
    joined,
    receive,
    send,
    still_answers,
    until,
)
from tests.local.realtime.doubles import Cloud, local_cloud, tone


@pytest.fixture
def cloud() -> Generator[Cloud]:
    with local_cloud() as cloud:
        cloud.doubles.mind.script = lambda request: [Say("word " * 50)]
        yield cloud


async def refused_with(cloud: Cloud) -> int:
    """The status that a dial is answered with: 101 is a session."""
    try:
        async with joined(cloud):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_dial_is_refused_as_often_as_asked_and_then_served(cloud: Cloud) -> None:
    cloud.doubles.faults.arm(Refuse(status=429, retry_after=7, times=2))
    with pytest.raises(InvalidStatus) as refused:
        async with joined(cloud):
            pass
    assert refused.value.response.headers["retry-after"] == "7"
    assert [await refused_with(cloud) for _ in range(2)] == [429, 101]


async def test_two_refusals_come_one_after_the_other(cloud: Cloud) -> None:
    for status in (503, 401):
        cloud.doubles.faults.arm(Refuse(status=status))
    assert [await refused_with(cloud) for _ in range(3)] == [503, 401, 101]


async def test_a_fault_of_one_service_leaves_the_others_alone(cloud: Cloud) -> None:
    cloud.doubles.faults.arm(Refuse(service="voice_live", times=None))
    assert await refused_with(cloud) == 101


async def test_a_dial_can_hang_and_be_served_all_the_same(cloud: Cloud) -> None:
    cloud.doubles.faults.arm(Hang(for_ms=400))
    begun = time.monotonic()
    async with joined(cloud) as socket:
        assert time.monotonic() - begun >= 0.4
        await still_answers(socket)


async def test_a_session_can_be_slow_to_say_that_it_is_there(cloud: Cloud) -> None:
    cloud.doubles.faults.arm(Stall(on="dial", for_ms=2_000))
    async with connect(cloud.ws_url, additional_headers=cloud.headers, proxy=None) as socket:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.3)
        assert (await receive(socket))["type"] == "session.created"
        await still_answers(socket)


async def test_a_stall_holds_everything_back_and_then_lets_it_go_in_order(cloud: Cloud) -> None:
    async with joined(cloud) as socket:
        await send(socket, "response.create")
        await until(socket, "response.output_audio.delta")
        cloud.doubles.faults.arm(Stall(for_ms=2_000))
        begun, longest = time.monotonic(), 0.0
        while (await receive(socket))["type"] != "response.done":
            longest, begun = max(longest, time.monotonic() - begun), time.monotonic()
        assert longest > 0.5
        await still_answers(socket)


async def test_all_that_is_open_can_be_cut_at_once(cloud: Cloud) -> None:
    async with joined(cloud) as one, joined(cloud) as other:
        armed = cloud.doubles.faults.arm(Drop())
        await asyncio.gather(cut_off(one), cut_off(other))
    assert armed.fired == 2
    async with joined(cloud) as socket:  # and whoever comes later is not
        await still_answers(socket)


async def test_a_connection_can_be_cut_a_while_after_it_was_made(cloud: Cloud) -> None:
    cloud.doubles.faults.arm(Drop(on="dial", after_ms=1_000))
    async with joined(cloud) as socket:
        await cut_off(socket)


async def test_a_connection_can_be_cut_in_the_midst_of_a_reply_again_and_again(
    cloud: Cloud,
) -> None:
    armed = cloud.doubles.faults.arm(Drop(on="reply", after_ms=1_000, times=3))
    for _ in range(3):
        async with joined(cloud) as socket:
            await send(socket, "response.create")
            await until(socket, "response.output_audio.delta")
            await cut_off(socket)
    assert (armed.fired, armed.spent) == (3, True)
    async with joined(cloud) as socket:
        await send(socket, "response.create")
        assert (await until(socket, "response.done"))["response"]["status"] == "completed"


async def test_a_session_can_be_closed_with_any_code(cloud: Cloud) -> None:
    cloud.doubles.faults.arm(Close(code=4242, reason="on purpose", on="reply"))
    async with joined(cloud) as socket:
        await send(socket, "response.create")
        assert await closed(socket) == (4242, "on purpose")


async def test_a_session_can_expire_before_its_time(cloud: Cloud) -> None:
    async with joined(cloud) as socket:
        cloud.doubles.faults.arm(Expire())
        assert (await until(socket, "error"))["error"]["code"] == "session_expired"
        assert await closed(socket) == (1001, "session_expired")


async def test_a_cancelled_reply_can_go_on_after_it_is_done(cloud: Cloud) -> None:
    cloud.doubles.faults.arm(LateAudio(deltas=3))
    async with joined(cloud) as socket:
        await send(socket, "response.create")
        await until(socket, "response.output_audio.delta")
        await append(socket, tone(300))
        done = await until(socket, "response.done")
        assert done["response"]["status"] == "cancelled"
        late = [await receive(socket) for _ in range(3)]
        assert {each["type"] for each in late} == {"response.output_audio.delta"}
        assert {each["response_id"] for each in late} == {done["response"]["id"]}
        assert len({each["event_id"] for each in late}) == 3


async def test_a_person_arms_faults_from_a_shell(cloud: Cloud) -> None:
    url = f"http://127.0.0.1:{cloud.port}/local/faults"
    wanted = {"fault": "refuse", "status": 503, "times": 1, "service": "realtime", "on": "dial"}
    async with httpx.AsyncClient(trust_env=False) as shell:
        armed = await shell.post(url, json=wanted)
        assert armed.status_code == 201
        assert await refused_with(cloud) == 503
        (listed,) = (await shell.get(url)).json()["faults"]
        assert listed | wanted == listed
        assert (listed["fired"], listed["spent"]) == (1, True)
        await shell.post(url, json={"fault": "refuse", "times": None})
        assert (await shell.delete(url)).status_code == 204
        assert (await shell.get(url)).json() == {"faults": []}
    assert await refused_with(cloud) == 101


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "{}",
        '{"fault": "fire"}',
        '{"fault": "refuse", "status": 200}',
        '{"fault": "refuse", "on": "now"}',
        '{"fault": "drop", "after_ms": -1}',
        '{"fault": "drop", "when": "now"}',
        '{"fault": "late_audio", "deltas": 4}',
        '{"fault": "close", "code": 12}',
        json.dumps({"fault": "close", "reason": "x" * 5000}),
    ],
)
async def test_what_is_no_fault_is_refused_with_a_reason(cloud: Cloud, body: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as shell:
        url = f"http://127.0.0.1:{cloud.port}/local/faults"
        refused = await shell.post(url, content=body)
        assert refused.status_code in (400, 413)
        assert refused.json()["error"]["message"]
        assert (await shell.get(url)).json() == {"faults": []}


async def test_there_are_never_too_many_faults(cloud: Cloud) -> None:
    async with httpx.AsyncClient(trust_env=False) as shell:
        url = f"http://127.0.0.1:{cloud.port}/local/faults"
        told = [(await shell.post(url, json={"fault": "refuse"})).status_code for _ in range(101)]
        assert told == [201] * 100 + [409]
        assert await refused_with(cloud) == 503  # one is spent, and makes room
        assert (await shell.post(url, json={"fault": "refuse"})).status_code == 201


async def test_a_web_page_from_elsewhere_arms_nothing(cloud: Cloud) -> None:
    async with httpx.AsyncClient(trust_env=False, headers={"origin": "https://evil.example"}) as it:
        url = f"http://127.0.0.1:{cloud.port}/local/faults"
        assert (await it.post(url, json={"fault": "drop"})).status_code == 403
