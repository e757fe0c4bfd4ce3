"""Several workers behind one port: real processes on one PostgreSQL, as their users start them."""

import os
import re
import signal
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from switchboard.errors import ConfigurationError
from switchboard.records.spool import FILE, gather, waiting
from switchboard.settings import Settings
from switchboard.workers.handing import Handing
from switchboard.workers.share import ALONE, AWAY, Worker, home_of, link_door, passage, share_of
from tests.browser.peers import FRAME, Page
from tests.browser.peers import House as Door
from tests.browser.webrtc.peers import Product
from tests.console.house import next_frame, next_line
from tests.local.realtime.doubles import Cloud
from tests.ports import free_port
from tests.replicas.conftest import cloud
from tests.replicas.town import WAIT_S, Server, Town, ready
from tests.test_main import NEVER_ANSWERS, switchboard

__all__ = ["cloud"]

POSTGRES = "postgresql://talk@127.0.0.1/talk"
FIRST, SECOND = Worker(1, 2), Worker(2, 2)


# -- real processes -----------------------------------------------------------------------------


@asynccontextmanager
async def working(
    cloud: Cloud, database_url: str, place: Path, **environment: str
) -> AsyncGenerator[Server]:
    """Two workers that serve one port."""
    shared = {
        "AZURE_OPENAI_ENDPOINT": f"http://127.0.0.1:{cloud.port}",
        "DATABASE_URL": database_url,
        "LINKED": "",
        "WORKERS": "2",
        **environment,
    }
    async with AsyncExitStack() as stack:
        there = Town(cloud, place, shared, stack)
        server = await there.another("workers")
        await ready(server)
        await said(server, "worker serves", 2)
        # Each request on a connection of its own: which worker accepts it is chance.
        each = httpx.Limits(max_keepalive_connections=0)
        server.http = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=server.address,
                headers={"Origin": server.address},
                trust_env=False,
                timeout=WAIT_S,
                limits=each,
            )
        )
        yield server


async def said(server: Server, what: str, times: int = 1) -> None:
    """Until the log has it so often."""
    with anyio.fail_after(WAIT_S):
        while log_of(server).count(what) < times:  # noqa: ASYNC110  (from outside)
            await anyio.sleep(0.05)


def log_of(server: Server) -> str:
    return server.log.read_text(encoding="utf-8")


def pids(server: Server) -> dict[int, int]:
    """By the number of the worker, of whoever has it at the moment."""
    found = re.findall(r"worker started +worker=(\d) pid=(\d+)", log_of(server))
    return {int(number): int(pid) for number, pid in found}


def began(server: Server) -> Counter[int]:
    """How many calls have begun on each."""
    return Counter(int(each) for each in re.findall(r"call began .*worker=(\d)", log_of(server)))


async def each_says(server: Server, what: str) -> list[Any]:
    """What both say of themselves, once they do."""
    known: dict[int, Any] = {}
    with anyio.fail_after(WAIT_S):
        while len(known) < 2:
            told = (await server.http.get("/health")).json()
            if told[what] is not None:
                known[told["worker"]["number"]] = told[what]
    return [known[number] for number in sorted(known)]


async def gone(server: Server) -> int:
    """The exit status, once it has one."""
    with anyio.fail_after(WAIT_S):
        while (status := server.process.poll()) is None:  # noqa: ASYNC110  (from outside)
            await anyio.sleep(0.05)
    return status


@pytest.mark.timeout(120)
async def test_two_workers_share_the_callers_who_find_their_calls_again_as_operators_do(
    cloud: Cloud, shared_url: str, tmp_path: Path
) -> None:
    async with (
        working(cloud, shared_url, tmp_path, MAX_CALLS="5") as server,
        AsyncExitStack() as everybody,
    ):
        calls = [await everybody.enter_async_context(server.caller()) for _ in range(5)]
        assert began(server) == {1: 3, 2: 2}
        assert await each_says(server, "calls") == [
            {"live": 3, "limit": 3},
            {"live": 2, "limit": 2},
        ]
        busy = await server.http.post("/api/calls", json={"agent": "banking"})
        assert (busy.status_code, busy.json()["code"]) == (503, "lines_busy")

        # An operator's requests come to whichever worker, and each call can be heard from both.
        for call_id, page in calls[:3]:
            await server.knows(call_id)
            told = await server.http.post(f"/api/console/calls/{call_id}/listeners")
            async with server.console.ear(call_id, told.json()["ticket"]) as ear:
                await page.say("audio", audio=FRAME)
                assert (await next_frame(ear, "voice"))["side"] == "caller"

        # A call over WebRTC is many requests, and each of them finds it.
        await calls[4][1].say("end")
        await said(server, "call ended")
        way_in = Product(cast("Any", None), server.http)
        async with way_in.calling() as over_webrtc:
            for number in range(4):
                async with over_webrtc.stream(since=0) as stream:
                    await stream.until("ready")
                await over_webrtc.say("text", id=f"t{number}", text="Are you still there?")
            await over_webrtc.say("end")

        # A page that lost its socket comes in by whatever door is open, and to its call at once.
        call_id, page = calls[0]
        door = Door(server.port, exchange=None, tickets=None)  # pyright: ignore[reportArgumentType]  (only its address is used)
        for _ in range(6):
            page.socket.transport.abort()
            placed = {"socket": f"/api/calls/{call_id}/audio", "ticket": page.ready["resume"]}
            page = Page(await everybody.enter_async_context(door.dial(placed, max_queue=1_000)))
            page.ready = await page.next("ready")
            assert page.ready["resumed"]


@pytest.mark.timeout(120)
async def test_told_to_stop_all_drain_and_told_again_none_waits(
    cloud: Cloud, shared_url: str, tmp_path: Path
) -> None:
    async with (
        working(cloud, shared_url, tmp_path, DRAIN_SECONDS="3000") as server,
        server.caller() as (_, one),
        server.caller() as (_, other),
    ):
        # The terminal's Ctrl-C is the parent's alone, which passes it on.
        assert all(os.getpgid(pid) == pid for pid in pids(server).values())
        server.signal(signal.SIGTERM)
        assert [each["calls_left"] for each in await each_says(server, "drain")] == [1, 1]
        refused = await server.http.post("/api/calls", json={"agent": "banking"})
        assert (refused.status_code, refused.json()["code"]) == (503, "stopping")
        for page in (one, other):
            await page.say("text", id="t1", text="Are you still there?")
            await next_line(page, "Are you still there?")
        await one.say("end")
        await said(server, "calls_cut_off=0")
        server.signal(signal.SIGTERM)
        assert await gone(server) == -signal.SIGTERM  # as one process ends by it
        assert log_of(server).count("told to stop twice") == 1
        assert "worker died" not in log_of(server)


@pytest.mark.timeout(120)
async def test_a_worker_that_is_killed_is_replaced_and_calls_go_on_being_taken(
    cloud: Cloud, shared_url: str, tmp_path: Path
) -> None:
    async with (
        working(cloud, shared_url, tmp_path) as server,
        server.caller() as (_, one),
        server.caller() as (_, other),
    ):
        first = int(re.findall(r"call began .*worker=(\d)", log_of(server))[0])
        os.kill(pids(server)[3 - first], signal.SIGKILL)
        with pytest.raises(ConnectionClosed), anyio.fail_after(WAIT_S):
            while True:
                await other.socket.recv()
        async with server.caller() as (_, third):  # the one that is left takes them meanwhile
            for page in (one, third):
                await page.say("text", id="t1", text="Is anybody there?")
                await next_line(page, "Is anybody there?")
        await said(server, "worker serves", 3)
        assert f"worker died  worker={3 - first} status=-9" in log_of(server)
        before = began(server)
        async with server.caller(), server.caller():
            assert (began(server) - before).keys() >= {3 - first}
        os.kill(server.process.pid, signal.SIGKILL)
        await said(server, "the parent is gone", 2)  # and nobody keeps the port from the next
        await one.say("end")
        await said(server, "Finished server process", 2)


def test_what_keeps_one_from_starting_is_said_once(tmp_path: Path) -> None:
    refused = switchboard(
        "serve",
        WORKERS="3",
        DATA_DIR=str(tmp_path),
        PORT=str(free_port()),
        AZURE_OPENAI_ENDPOINT=NEVER_ANSWERS,
        DATABASE_URL=f"postgresql://talk:hidden@127.0.0.1:{free_port()}/talk",
    )
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("switchboard: The database at 127.0.0.1:")
    assert refused.stderr.count("cannot be reached") == 1
    assert "Traceback" not in refused.stderr
    assert "hidden" not in refused.stderr


# -- the settings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "WORKERS=2 needs a PostgreSQL"),
        ({"database_url": "sqlite+aiosqlite:///x"}, "SQLite is for one process"),
        ({"database_url": POSTGRES, "max_calls": 1}, "MAX_CALLS=1 is divided among WORKERS=2"),
        (
            {"database_url": POSTGRES, "replica_url": "https://talk.example.com"},
            "REPLICA_URL leads",
        ),
    ],
)
def test_what_two_workers_cannot_share_is_refused_in_words(
    settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        Settings(workers=2, **settings).need_room_for_workers()


def test_sqlite_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    refused = switchboard(
        "serve", WORKERS="2", DATA_DIR=str(tmp_path), AZURE_OPENAI_ENDPOINT=NEVER_ANSWERS
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "SQLite is for one process" in refused.stderr


def test_what_is_set_for_the_machine_is_divided() -> None:
    whole = Settings(workers=2, max_calls=21, lines_for_people=20, proxy_max_connections=100)
    shares = [share_of(whole, each, "http://127.0.0.1:9") for each in (FIRST, SECOND)]
    assert [each.max_calls for each in shares] == [11, 10]
    assert [each.lines_for_people for each in shares] == [10, 9]
    assert [each.proxy_max_connections for each in shares] == [50, 50]
    assert shares[0].own_replica_url() == "http://127.0.0.1:9"


def test_a_worker_names_calls_so_that_all_see_whose_they_are() -> None:
    assert {home_of(SECOND.new_call_id(), 2) for _ in range(50)} == {2}
    assert home_of(ALONE.new_call_id(), 1) == 1


@pytest.mark.parametrize("given", [None, "http://127.0.0.1:{port}"])
def test_each_has_an_address_of_its_own_for_other_servers(given: str | None) -> None:
    port = free_port()
    settings = Settings(replica_url=given and given.format(port=port))
    with ExitStack() as doors:
        urls: list[str] = []
        for worker in (FIRST, SECOND):
            door, url = link_door(settings, worker)
            doors.enter_context(door)
            urls.append(url)
            assert url == f"http://127.0.0.1:{door.getsockname()[1]}"
    assert len(set(urls)) == 2
    if given:
        assert urls == [f"http://127.0.0.1:{port + 1}", f"http://127.0.0.1:{port + 2}"]


def test_rows_that_a_worker_of_yesterday_left_are_the_first_ones(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"one\n")
    (tmp_path / "records.2.spool").write_bytes(b"two\n")
    (tmp_path / "records.3.spool").write_bytes(b"three\n")
    gather(tmp_path, 2)
    assert (tmp_path / FILE).read_bytes().split() == [b"one", b"three"]
    assert (tmp_path / "records.2.spool").read_bytes() == b"two\n"
    assert waiting(tmp_path) > 0
    assert not (tmp_path / "records.3.spool").exists()


# -- whom a connection is for -------------------------------------------------------------------


@dataclass
class Accepted:
    """A connection, as the worker that accepted it has it."""

    raw: socket.socket
    unsent: int = 0
    left: list[str] = field(default_factory=list[str])

    def get_extra_info(self, _: str) -> socket.socket:
        return self.raw

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.left.append("pause")

    def abort(self) -> None:
        self.left.append("abort")


@dataclass
class Pair:
    """Two workers, seen from the first."""

    handing: Handing
    free: list[int]
    second: socket.socket
    """What the second is handed."""
    accepted: Accepted
    held: set[str]

    def passes_on(self, line: str) -> bool:
        data = f"{line} HTTP/1.1\r\n".encode()
        passed = self.handing.pass_on(cast("Any", self.accepted), data)
        if passed:
            came, [handle], _, _ = socket.recv_fds(self.second, 1_000, 1)
            os.close(handle)
            assert came == data
        return passed


@pytest.fixture
def pair() -> Generator[Pair]:
    ends = [passage() for _ in range(2)]
    ours, theirs = socket.socketpair()
    with ExitStack() as stack:
        for end in (end for each in (*ends, (ours, theirs)) for end in each):
            stack.enter_context(end)
        held, free = set[str](), [5, 5]
        handing = Handing(
            FIRST, free, ends[0][0], [end for _, end in ends], lambda: free[0], held.__contains__
        )
        yield Pair(handing, free, ends[1][0], Accepted(ours), held)


SECONDS = SECOND.new_call_id()
OURS = FIRST.new_call_id()


@pytest.mark.parametrize(
    "about",
    [
        "GET /api/calls/CALL/audio",
        "GET /api/calls/CALL/events",
        "POST /api/calls/CALL/messages",
        "POST /api/session/CALL/attach",
        "POST /api/phone/events/CALL",
        "GET /api/phone/media/CALL?ticket=x",
    ],
)
def test_all_that_is_about_a_call_goes_to_the_worker_that_has_it(pair: Pair, about: str) -> None:
    line = about.replace("CALL", SECONDS)
    assert pair.passes_on(line)
    assert pair.accepted.left == ["pause", "abort"]
    assert not pair.passes_on(line.replace(SECONDS, OURS))
    pair.held.add(SECONDS)  # taken over
    assert not pair.passes_on(line)
    pair.held.clear()
    pair.free[1] = AWAY
    assert not pair.passes_on(line)


@pytest.mark.parametrize(
    "line",
    [
        "POST /api/calls",
        "POST /api/session",
        "POST /api/phone/calls",
        "POST /api/phone/incoming?secret=x",
        "GET /ws?model=x",
    ],
)
def test_what_is_new_goes_to_whoever_has_more_lines_free(pair: Pair, line: str) -> None:
    assert [pair.passes_on(line) for _ in range(4)] == [False, True, False, True]
    pair.free[:] = [0, 3]
    assert pair.passes_on(line)
    pair.free[:] = [0, AWAY]
    assert not pair.passes_on(line)


@pytest.mark.parametrize("line", ["GET /", "GET /health", "GET /api/config", "PO", "\x00"])
def test_everything_else_stays_with_whoever_accepted_it(pair: Pair, line: str) -> None:
    pair.free[:] = [0, 9]
    assert not pair.passes_on(line)


def test_a_burst_is_passed_on_before_the_other_has_looked(pair: Pair) -> None:
    assert all(
        pair.handing.pass_on(cast("Any", pair.accepted), f"GET /api/calls/{SECONDS}/audio".encode())
        for _ in range(60)
    )


def test_a_connection_stays_while_an_answer_is_on_its_way_or_the_other_is_stuck(pair: Pair) -> None:
    pair.free[:] = [0, 9]
    pair.accepted.unsent = 1
    assert not pair.passes_on("POST /api/calls")
    pair.accepted.unsent = 0
    pair.handing._others[1].close()  # pyright: ignore[reportPrivateUsage]
    assert not pair.passes_on("POST /api/calls")
    assert pair.accepted.left == []
