"""Telephone calls of a dead server are another's by compare-and-set: one of many wins."""

from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from switchboard.conversation.commands import LineState, NoteLine, NoteTool, Speaker, ToolState
from switchboard.conversation.past import Past
from switchboard.records import orphans
from switchboard.records.claims import MOST_DEATHS, Claims
from switchboard.records.history import history
from switchboard.records.opening import Opening
from switchboard.records.orphans import STALE_S, UNCLAIMED_S
from switchboard.records.remembering import past_of
from switchboard.records.replicas import BEAT_S, LOST
from switchboard.records.store import sqlite_url
from tests.records.test_replicas import NOW, Server, a, a_server, b

__all__ = ["a", "b"]

FEW = STALE_S + 0.5
"""Silent for long enough to be dead, and not to have its telephone calls lost."""


async def owner(server: Server, call_id: str) -> tuple[str | None, int]:
    known = await history(server.store, call_id)
    assert known is not None
    return known.call.replica_id, known.call.takeovers


async def test_many_claim_the_calls_of_a_dead_server_and_each_has_one_winner(
    shared_url: str, a: Server, b: Server
) -> None:
    calls = [f"c{number}" for number in range(20)]
    for call_id in calls:
        await a.carries(call_id)
    await a.dies(FEW)
    won: list[str] = []

    async def claim(server: Server) -> None:
        won.extend(await Claims(server.store).of_dead(6))

    async with a_server(shared_url) as c:
        for server in (b, c):
            await server.lives_on()
        async with anyio.create_task_group() as tasks:
            for server in (b, c) * 3:
                tasks.start_soon(claim, server)
        assert len(won) == len(set(won))
        rest = await Claims(b.store).of_dead(100)
        assert sorted([*won, *rest]) == sorted(calls)
        assert (await owner(b, calls[0]))[1] == 1


async def test_those_of_the_living_are_not_claimed_nor_ones_that_are_over(
    a: Server, b: Server
) -> None:
    for call_id in ("over", "open"):
        await a.carries(call_id)
    a.recorder.close_call("over", "goodbye", NOW)
    await a.recorder.flush()
    await a.lives_on()
    assert not await Claims(b.store).of_dead(9)
    await a.dies(3_600.0 + FEW)
    assert list(await Claims(b.store).of_dead(9)) == ["open"]


async def test_what_nobody_claims_is_lost_and_what_was_claimed_is_not(
    a: Server, b: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a.carries("claimed")
    await a.dies(FEW)
    await b.lives_on()
    monkeypatch.setattr(orphans, "UNCLAIMED_S", 3_600.0)  # however slow this machine is
    assert await b.replicas.sweep() == 0
    assert await b.starts() == 0  # nor does a server that starts take them away
    await Claims(b.store).of_dead(1)
    monkeypatch.undo()
    await a.carries("unclaimed")
    await a.dies(UNCLAIMED_S)
    assert await b.replicas.sweep() == 1
    assert (await b.reason("claimed"), await b.reason("unclaimed")) == (None, LOST)
    assert UNCLAIMED_S + BEAT_S < 15


async def test_whoever_is_brought_the_media_has_the_call_though_its_server_lives(
    a: Server, b: Server
) -> None:
    await a.carries("c1")
    assert await Claims(b.store).take("c1")
    assert not await Claims(b.store).take("c1")
    assert await Claims(a.store).others(["c1", "unknown"]) == {"c1"}
    assert await Claims(b.store).others(["c1"]) == frozenset()
    assert not await Claims(b.store).take("unknown")


async def test_a_server_that_comes_back_writes_nothing_over_what_was_claimed(
    a: Server, b: Server
) -> None:
    await a.carries("c1")
    await Claims(b.store).take("c1")
    a.recorder.close_call("c1", "caller_lost", NOW + 5)
    await a.recorder.flush()
    await a.carries("c1")  # as if its first row had waited for the database
    assert (await b.reason("c1"), await owner(b, "c1")) == (None, (b.store.replica, 1))
    a.recorder.let_go("c1")
    a.recorder.note("c1", NoteLine("i1", Speaker.AGENT, "Hm.", LineState.FINAL, 1.0), NOW)
    await a.recorder.flush()
    known = await history(b.store, "c1")
    assert known is not None and not known.items
    b.recorder.close_call("c1", "goodbye", NOW + 9)
    await b.recorder.flush()
    assert await b.reason("c1") == "goodbye"


async def test_a_call_that_kills_its_servers_is_not_passed_on_for_ever(
    a: Server, b: Server
) -> None:
    await a.carries("c1")
    async with b.store.writing() as connection:
        await connection.execute(text(f"UPDATE calls SET takeovers = {MOST_DEATHS}"))
    await a.dies(FEW)
    assert not await Claims(b.store).of_dead(9)


async def test_one_that_cannot_be_carried_on_is_lost_by_whoever_claimed_it(
    a: Server, b: Server
) -> None:
    await a.carries("c1")
    assert not await Claims(b.store).lose("c1")
    await Claims(b.store).take("c1")
    assert await Claims(b.store).lose("c1")
    assert not await Claims(b.store).lose("c1", "hung_up")
    assert await b.reason("c1") == LOST


async def test_its_past_is_what_was_written_of_it(a: Server, b: Server) -> None:
    await a.carries("c1")
    heard = NoteLine("i1", Speaker.AGENT, "Hello there, I am", LineState.CUT, 10.0, 5)
    asked = NoteLine("i2", Speaker.CALLER, "My bill?", LineState.FINAL, 900.0, typed=True)
    ran = NoteTool("t1", "get_bill", "{}", ToolState.RUNNING, 950.0)
    for note in (asked, heard, ran):
        a.recorder.note("c1", note, NOW)
    await a.recorder.flush()
    past = await past_of(b.store, "c1", NOW + 30)
    assert past == Past(30.0, [heard, asked], [ran])
    assert await past_of(b.store, "unknown", NOW) is None


async def test_a_call_that_goes_on_is_not_opened_anew(a: Server, b: Server) -> None:
    await a.carries("c1")
    await Claims(b.store).take("c1")
    b.recorder.open_call(
        Opening("c1", "local", "bank", "m", "v", "phone", NOW + 30, past=Past(30.0))
    )
    b.recorder.note("c1", NoteLine("i1", Speaker.AGENT, "Sorry.", LineState.FINAL, 1.0), NOW)
    await b.recorder.flush()
    known = await history(b.store, "c1")
    assert known is not None
    assert (known.call.began_at, [item.text for item in known.items]) == (NOW, ["Sorry."])


async def test_on_sqlite_there_is_nobody_to_claim_from(tmp_path: Path) -> None:
    async with a_server(sqlite_url(tmp_path)) as alone:
        await alone.carries("c1")
        claims = Claims(alone.store)
        assert not claims.any
        assert not await claims.of_dead(9)
        assert not await claims.take("c1")
        assert await claims.others(["c1"]) == frozenset()
