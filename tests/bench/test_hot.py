"""What of the benchmark could be wrong without anybody noticing."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contestants import BARE, DIRECT, PLAIN, SPLICE, Ring, compiled_splice, contestants
from bench.fastmodel import Arrived, Service, standing_in
from bench.load import Tally, keep_talking
from bench.picture import Panel, drawn
from bench.processes import free_port
from bench.report import percentile
from bench.stamps import LETTERS, REST_UP, audio_at, read, stamp
from bench.sudden import Spread
from bench.verdicts import verdict

PATIENCE_S = 30.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="the servers are pinned to a core")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncGenerator[Ring]:
    async with standing_in(None) as service:
        yield Ring(service, tmp_path, tmp_path / "ca.pem", core=min(os.sched_getaffinity(0)))


# -- stamps ---------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_a_stamp_is_read_as_it_was_written(call: int, number: int, sent_ns: int) -> None:
    letters = stamp(call, number, sent_ns)
    assert len(letters) == LETTERS
    assert read(letters) == (call, number, sent_ns)


@pytest.mark.parametrize("shift", [1, 2, 3, 4, 8])
def test_letters_from_the_wrong_place_are_no_stamp(shift: int) -> None:
    audio = stamp(7, 8, 9) + REST_UP
    with pytest.raises(ValueError, match="no stamp"):
        read(audio[shift : shift + LETTERS])


@pytest.mark.parametrize(
    "message", [b'{"type":"audio","audio":"QUJD"}', b'{"type": "audio", "audio": "QUJD"}']
)
def test_audio_is_found_however_it_was_encoded(message: bytes) -> None:
    at = audio_at(message, b"audio")
    assert message[at : at + 4] == b"QUJD"
    assert audio_at(message, b"delta") == 0


# -- figures --------------------------------------------------------------------------------------


def test_percentiles_are_values_that_were_measured() -> None:
    times = [float(each) for each in range(100, 0, -1)]
    assert [percentile(times, each) for each in (0, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert Spread.of([4.0]) == Spread(4.0, 4.0, 4.0)


def test_a_pause_is_told_only_while_frames_are_under_way() -> None:
    tally = Tally(last_ns=0)
    tally.came(sent_ns=1_000, now_ns=1_300)  # nothing was under way before 1000
    tally.came(sent_ns=1_100, now_ns=1_700)
    assert (tally.pause_ns, tally.trips_ns) == (400, [300, 600])


def test_what_is_missing_at_first_is_told_from_what_is_lost() -> None:
    service = Service()
    for number in (2, 3, 6, 7):
        service.took(1, number)
    arrived = service.arrived[1]
    assert arrived == Arrived(first=2, frames=4, disordered=1, next=8)
    assert arrived.skipped == 2
    assert arrived.lost_of(sent=9) - arrived.skipped == 1


@pytest.mark.parametrize(
    ("value", "more", "said"),
    [
        (2.0, False, "ambition met"),
        (3.9, False, "met"),
        (4.1, False, "missed"),
        (None, False, "not judged"),
        (3.0, True, "missed"),
    ],
)
def test_a_target_is_judged_by_its_limits(value: float | None, more: bool, said: str) -> None:
    must, ambition = (4.0, 5.0) if more else (4.0, 2.8)
    assert verdict("it", value, must, ambition, more=more)["verdict"] == said


# -- relays ---------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize(
    ("name", "phone"),
    [
        (DIRECT, False),
        pytest.param(SPLICE, False, marks=needs_compiler),
        (BARE, False),
        (BARE, True),
        (PLAIN, False),
        (PLAIN, True),
    ],
)
async def test_callers_hear_their_frames_in_order_and_a_barge_in(
    ring: Ring, name: str, phone: bool
) -> None:
    async with asyncio.timeout(PATIENCE_S), contestants(ring, [name], phone=phone) as [one]:
        callers = [await one.call(number) for number in range(2)]
        tally = Tally()
        for caller in callers:
            caller.tally = tally
        talking = asyncio.create_task(keep_talking(callers))
        await asyncio.gather(*(caller.first.wait() for caller in callers))
        while tally.received < 50:  # noqa: ASYNC110  (a count without events)
            await asyncio.sleep(0.01)
        callers[0].flushed = asyncio.get_running_loop().create_future()
        said_ns = ring.service.sessions[0].speech()
        silent_ns = await callers[0].flushed
        talking.cancel()
        await one.leave(callers)
    assert silent_ns > said_ns
    assert tally.disordered == 0
    assert all(came.disordered == 0 for came in ring.service.arrived.values())


@linux
@needs_compiler
async def test_the_splice_carries_what_does_not_fit_at_once(tmp_path: Path) -> None:
    sent = bytes(range(256)) * 40_000  # ten megabytes: more than the kernel takes

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    port = free_port()
    async with asyncio.timeout(PATIENCE_S), await asyncio.start_server(echo, "127.0.0.1", 0) as far:
        upstream = far.sockets[0].getsockname()[1]
        program = str(compiled_splice(tmp_path))
        splice = await asyncio.create_subprocess_exec(program, str(port), str(upstream))
        try:
            reader, writer = await _connected(port)
            writer.write(sent)
            assert await reader.readexactly(len(sent)) == sent
            writer.close()
            await writer.wait_closed()
        finally:
            splice.kill()
            await splice.wait()


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)


# -- the picture ----------------------------------------------------------------------------------


def test_the_picture_is_whole_and_shows_every_point_inside_itself() -> None:
    curves = {"a & b": [(1.0, 30.0), (50.0, 17.0), (400.0, 13.0)], "c": [(1.0, 390.0)]}
    times = {"c": [(1.0, 0.3), (400.0, 1_000.0)]}
    svg = ElementTree.fromstring(drawn([Panel("CPU", curves), Panel("p99", times)], "<curves>"))
    space = "{http://www.w3.org/2000/svg}"
    assert svg.get("aria-label") == "<curves>"
    _, _, width, height = (float(each) for each in svg.attrib["viewBox"].split())
    dots = [dot for dot in svg.iter(f"{space}circle") if dot.get("r") == "3"]
    assert len(dots) == 6
    assert all(0 < float(dot.attrib["cx"]) < width for dot in dots)
    assert all(0 < float(dot.attrib["cy"]) < height for dot in dots)
    assert ElementTree.fromstring(drawn([Panel("nothing", {})], "empty")) is not None
    words = {text.text for text in svg.iter(f"{space}text")}
    assert {"a & b", "c", "CPU", "p99"} <= words
    style = svg.find(f"{space}style")
    assert style is not None
    assert re.search(r"prefers-color-scheme:dark", style.text or "")
