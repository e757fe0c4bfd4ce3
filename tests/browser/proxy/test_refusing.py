"""Who may open a connection, and what whoever may not is told."""

import anyio
import pytest
from starlette.requests import HTTPConnection
from websockets.asyncio.server import ServerConnection

from switchboard.access.identity import Anybody
from switchboard.access.principal import Kind, Principal, Role
from switchboard.access.rates import Rate
from switchboard.browser.problems import Refusal
from switchboard.browser.proxy.closing import SERVICE_LOST, carried
from switchboard.browser.proxy.relay import RelayLimits
from switchboard.browser.proxy.routes import ProxyConfig
from switchboard.browser.proxy.wanted import Mode, read_wanted
from tests.browser.proxy.peers import (
    OurIdentity,
    VoiceLive,
    closed,
    jwt,
    proxy,
    voice_live,
)

AGENT = "agentName=a&projectName=p"
OURS = "switchboard.proxy.v1"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Say whom to talk to"),
        ("projectName=p", "Say whom to talk to"),
        ("conversationId=c", "Say whom to talk to"),
        ("agentName=a", "An agent needs its projectName"),
        ("agentId=a", "An agent needs its projectName"),
        (f"{AGENT}&agentId=b", "Name the agent once"),
        (f"model=m&{AGENT}", "model does not go together with agentName, projectName"),
        ("model=m&conversationId=c", "model does not go together with conversationId"),
        ("model=m&agentVersion=1", "model does not go together with agentVersion"),
        ("model=m&model=n", "given twice"),
        ("model=", "model must be 1 to 256 printable characters"),
        ("model=a%0d%0aX-Evil:1", "model must be 1 to 256 printable characters"),
        ("model=" + "m" * 257, "model must be 1 to 256 printable characters"),
        ("model=%ff", "not understood"),
        ("model", "not understood"),
        ("&".join(f"a{n}=1" for n in range(17)), "not understood"),
        ("model=m&api-key=hunter2", "A parameter is unknown"),
        ("model=m&Model=m", "A parameter is unknown"),
        ("model=m&token=hunter2", "not an Entra access token"),
        ("model=m&token=", "not an Entra access token"),
        (f"model=m&token={jwt(exp='soon')}", "not an Entra access token"),
        (f"model=m&token={'a' * 4_000}.{'b' * 4_000}.c", "not an Entra access token"),
        (f"model=m&token={jwt()}%0d%0aX-Evil:1", "not an Entra access token"),
    ],
)
def test_what_is_missing_or_contradictory_is_refused_in_words(query: str, said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_wanted(query.encode(), [], now=0)
    assert refusal.value.status == 400
    assert said in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "offered",
    [
        ["realtime"],
        [f"token.{jwt()}"],
        [OURS, OURS],
        [OURS, "realtime"],
        [OURS, f"token.{jwt()}", f"token.{jwt()}"],
        [OURS, "token."],
        [OURS, ""],
    ],
)
def test_strange_subprotocols_are_refused(offered: list[str]) -> None:
    with pytest.raises(Refusal):
        read_wanted(b"model=m", offered, now=0)


def test_a_token_is_not_shown_when_what_was_wanted_is_printed() -> None:
    token = jwt()
    wanted = read_wanted(b"agentId=a&projectName=p", [OURS, f"token.{token}"], now=0)
    assert (wanted.mode, wanted.subprotocol) == (Mode.AGENT, OURS)
    assert token not in repr(wanted)


@pytest.mark.parametrize("code", [0, 999, 1004, 1006, 1015, 1016, 2999, 5000])
def test_codes_that_may_not_be_sent_are_sent_as_a_loss(code: int) -> None:
    assert carried(code, "x", lost=SERVICE_LOST) == SERVICE_LOST


async def test_a_wrong_query_is_answered_with_400_before_anything_is_opened() -> None:
    async with voice_live() as live, proxy(live) as door:
        status, problem = await door.refusal("agentName=a")
        assert (status, problem["code"]) == (400, "misunderstood")
        both = [OURS, f"token.{jwt()}"]
        status, problem = await door.refusal(f"model=m&token={jwt()}", protocols=both)
        assert (status, problem["text"][:19]) == (400, "Show the token once")
        status, problem = await door.refusal(f"model=m&token={jwt(-1)}")
        assert (status, problem["text"]) == (401, "The token has expired. Get a new one.")
    assert live.requests == []


@pytest.mark.parametrize(
    "origin", [None, "null", "http://127.0.0.1", "https://evil.example", "http://127.0.0.1:1"]
)
async def test_other_origins_are_refused(origin: str | None) -> None:
    async with voice_live() as live, proxy(live) as door:
        assert (await door.refusal(origin=origin))[0] == 403
        assert (await door.refusal(origin=f"{door.origin}.evil.example"))[0] == 403
    assert live.requests == []


async def test_an_address_that_knocks_too_often_is_told_to_wait() -> None:
    config = ProxyConfig(address_rate=Rate(0.01, 2))
    async with voice_live() as live, proxy(live, config) as door:
        for _ in range(2):
            assert (await door.refusal("wrong=1"))[0] == 400  # bad tries count, too
        status, problem = await door.refusal("model=m")
    assert (status, problem["code"]) == (429, "too_often")


async def test_a_user_who_comes_too_often_is_told_to_wait_and_others_are_not() -> None:
    config = ProxyConfig(address_rate=Rate(100, 100), user_rate=Rate(0.01, 1))
    async with voice_live() as live, proxy(live, config) as door:
        mine, yours = jwt(oid="mine"), jwt(oid="yours")
        async with door.dial(f"model=m&token={mine}"):
            assert (await door.refusal(f"model=m&token={mine}"))[0] == 429
            async with door.dial(f"model=m&token={yours}"), door.dial("model=m"):
                assert (await door.refusal("model=m"))[0] == 429


class Named:
    """A provider that vouches for whoever the header names."""

    async def identify(self, connection: HTTPConnection) -> Principal:
        name = connection.headers["user-agent"]
        return Principal(name, name, frozenset({Role.CALLER}), Kind.PERSON)


async def test_a_person_has_one_rate_wherever_they_come_from() -> None:
    config = ProxyConfig(address_rate=Rate(100, 100), user_rate=Rate(0.01, 1))
    async with (
        voice_live() as live,
        proxy(live, config, authenticator=Named()) as door,
        door.dial("model=m"),
    ):
        assert (await door.refusal("model=m"))[0] == 429


async def test_one_too_many_is_accepted_and_closed_with_1013_and_a_place_comes_back() -> None:
    config = ProxyConfig(max_connections=2)
    async with voice_live() as live, proxy(live, config, authenticator=Anybody()) as door:
        async with door.dial() as first, door.dial() as second:
            await door.until(lambda: len(live.requests) == 2)
            assert door.room.active() == 2
            code, reason = await door.ending()
            assert (code, reason) == (1013, "every connection is taken; try again in a moment")
            assert len(live.requests) == 2
            for client in (first, second):
                await client.send("still here")
                assert await client.recv() == "still here"
        await door.until(lambda: door.room.active() == 0)
        async with door.dial() as third:
            await third.send("in again")
            assert await third.recv() == "in again"


# -- what the service refuses -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, 4400, "the service refused the connection"),
        (401, 4401, "the service did not accept the credentials"),
        (403, 4403, "the service does not allow this"),
        (404, 4404, "the service does not know this model or agent"),
        (429, 4429, "the service is out of quota; try again shortly"),
        (500, 4502, "the service is in trouble; try again shortly"),
        (503, 4502, "the service is in trouble; try again shortly"),
        (302, 4400, "the service refused the connection"),
    ],
)
async def test_a_refused_upgrade_is_told_in_safe_words(status: int, code: int, said: str) -> None:
    elsewhere = "http://127.0.0.1:9/steal" if status == 302 else None
    async with voice_live(refuse=status, location=elsewhere) as live, proxy(live) as door:
        assert await door.ending() == (code, said)
        await door.until(lambda: door.lines)
    assert len(live.requests) == 1
    assert (door.lines[0]["status"], door.lines[0]["ended_by"]) == (status, "service")
    assert "secret" not in str(door.lines)


async def test_a_service_that_is_not_there_is_told_in_safe_words() -> None:
    async with proxy(VoiceLive(endpoint="http://127.0.0.1:9")) as door:
        assert await door.ending() == (4502, "the service cannot be reached")


async def test_a_service_that_does_not_answer_is_told_in_time() -> None:
    config = ProxyConfig(relay=RelayLimits(dial_s=0.3))
    async with voice_live(hold=True) as live, proxy(live, config) as door:
        with anyio.fail_after(9):  # where no limit is given it is 10
            assert await door.ending() == (4504, "the service did not answer in time")


async def test_without_an_identity_of_ours_users_with_their_own_still_come_in() -> None:
    async with voice_live() as live, proxy(live, tokens=OurIdentity(None)) as door:
        said = "the server has no credentials for the service just now"
        assert await door.ending() == (4503, said)
        async with door.dial(f"model=m&token={jwt()}") as client:
            await client.send("hello")
            assert await client.recv() == "hello"


# -- endings of our own -------------------------------------------------------------------------


async def test_a_connection_on_which_nothing_passes_is_closed() -> None:
    config = ProxyConfig(relay=RelayLimits(idle_s=1.5))
    async with voice_live() as live, proxy(live, config) as door:
        async with door.dial() as client:
            for _ in range(6):
                await client.send("not idle")
                await client.recv()
                await anyio.sleep(0.3)
            assert await closed(client) == (4408, "no message for too long")
        await door.until(lambda: live.closed)
    assert live.closed == [(1001, "")]


async def never_silent(_: VoiceLive, session: ServerConnection) -> None:
    while True:
        await session.send("not idle")
        await anyio.sleep(0.05)


async def test_no_connection_lasts_for_ever() -> None:
    config = ProxyConfig(relay=RelayLimits(lifetime_s=0.5, idle_s=20))
    async with voice_live(never_silent) as live, proxy(live, config) as door:
        assert await door.ending() == (4410, "the longest allowed time is over")


async def test_told_to_stop_it_lets_connections_finish_then_says_so() -> None:
    cut_off: list[int] = []
    async with voice_live() as live, proxy(live) as door:
        async with door.dial() as quick, door.dial() as slow, anyio.create_task_group() as tasks:
            await door.until(lambda: len(live.requests) == 2)

            async def drain() -> None:
                cut_off.append(await door.room.drain(3))

            tasks.start_soon(drain)
            await anyio.wait_all_tasks_blocked()
            assert (await door.ending())[0] == 1012
            await slow.send("still here")
            assert await slow.recv() == "still here"
            await quick.close()
            assert await closed(slow) == (1012, "the server is being stopped")
        assert cut_off == [1]
