"""One person is taken out of the records, and a receipt says so without saying who it was."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from switchboard.conversation.commands import LineState
from switchboard.keeping import erase_person, receipt_of
from switchboard.phone.callers import alias, caller, caller_key
from switchboard.records.dialled import DialledTable, Full, Quotas, Wanted
from switchboard.records.erasure import Person, erase
from switchboard.records.opening import Opening
from switchboard.records.persons import OF_THEIR_OWN, tables_of_calls
from switchboard.records.promised import Promise, PromisedTable
from switchboard.records.recorder import Recorder
from switchboard.records.recordings import RecordingTable
from switchboard.records.schema import Base
from switchboard.records.store import Store, sqlite_url
from switchboard.records.tickets import TicketTable
from tests.records.test_recorder import line

NUMBER, OTHER = "+442079460018", "+442079460999"
KEY = b"k" * 32
PLACE = "https://storage.example.com/recordings/1.wav"


def named(number: str, key: bytes = KEY) -> str:
    return caller(f"4:{number}", key).id


def nameless(name: str) -> str:
    return alias(name, KEY)


async def a_day(store: Store, now: float, key: bytes = KEY) -> None:
    """Two people ring and are rung; one of them is on the line still, and wants no calls."""
    recorder = Recorder(store)
    for call_id, number in (("c1", NUMBER), ("c2", OTHER), ("c3", NUMBER)):
        recorder.open_call(
            Opening(
                call_id,
                principal_id=named(number, key),
                agent="bank",
                model="m",
                voice="v",
                channel="phone",
                began_at=now - 60,
            )
        )
        recorder.note(call_id, line(f"The words of {call_id} are heron", LineState.FINAL), 0)
        if call_id != "c3":
            recorder.close_call(call_id, "goodbye", now - 10)
    await recorder.flush()
    recordings = RecordingTable(store)
    for call_id in ("c1", "c2"):
        await recordings.put(call_id, "stopped", now - 10, recording_id=f"r-{call_id}")
    await recordings.filed("r-c1", [PLACE], 1_000)
    dialled = DialledTable(store, lambda name: alias(name, key))
    placed = (("o1", NUMBER, now - 60), ("o2", NUMBER, now - 900_000), ("o3", OTHER, now))
    for operation, number, at in placed:
        await dialled.book(Wanted(operation, f"d-{operation}", "staff", number), Quotas(), at)
        await dialled.ended(f"d-{operation}", at + 1)
    for promise, number in (("p1", NUMBER), ("p2", OTHER)):
        await PromisedTable(store).put(
            Promise(promise, number, "bank", named(number, key), "a bill", now, now + 60)
        )
    await TicketTable(store).put("digest", "c9", named(NUMBER, key), "open", now + 60)
    await dialled.do_not_call(NUMBER, "asked on the telephone", now)


async def rows(store: Store) -> dict[str, int]:
    counts: dict[str, int] = {}
    async with store.reading() as connection:
        for table in Base.metadata.sorted_tables:
            count = select(func.count()).select_from(table)
            counts[table.name] = (await connection.execute(count)).scalar_one()
    return {name: count for name, count in counts.items() if count}


async def test_a_person_goes_and_everybody_else_stays(store: Store) -> None:
    now = time.time()
    await a_day(store, now)
    erased = await erase(store, Person(named(NUMBER), NUMBER), now, nameless)

    assert {name: count for name, count in erased.rows.items() if count} == {
        **{"calls": 1, "items": 1, "recordings": 1, "dialled": 2, "promised": 1, "tickets": 1}
    }
    assert (erased.live, erased.do_not_call, erased.sound) == (1, 1, [PLACE])
    assert await rows(store) == {
        **{"calls": 2, "items": 2, "recordings": 1, "dialled": 2, "promised": 1, "do_not_call": 1}
    }
    again = await erase(store, Person(named(NUMBER), NUMBER), now, nameless)
    assert not +again.rows


async def test_who_was_erased_is_still_not_rung_more_than_a_quota_allows(store: Store) -> None:
    now = time.time()
    table = DialledTable(store, nameless)
    quotas = Quotas(number_a_day=1, principal_a_day=1)
    await table.book(Wanted("o1", "d1", "staff", NUMBER), quotas, now)
    await table.ended("d1", now)
    await erase(store, Person(named(NUMBER), NUMBER), now, nameless)
    await erase(store, Person("staff"), now, nameless)

    assert await table.book(Wanted("o2", "d2", "x", NUMBER), quotas, now) is Full.NUMBER
    assert await table.book(Wanted("o3", "d3", "staff", OTHER), quotas, now) is Full.PRINCIPAL


async def test_nothing_of_an_erased_person_is_left_in_the_file(tmp_path: Path) -> None:
    now = time.time()
    async with Store(sqlite_url(tmp_path)).opened() as store:
        await a_day(store, now)
        await erase(store, Person(named(NUMBER), NUMBER), now, nameless)
        names = ("records.sqlite3", "records.sqlite3-wal")
        kept = b"".join((tmp_path / name).read_bytes() for name in names)
    assert b"The words of c2" in kept
    assert b"The words of c1" not in kept
    assert kept.count(NUMBER.encode()) <= 2  # that they want no calls: the row and its index
    assert PLACE.encode() not in kept


def test_every_table_is_a_calls_or_has_a_reason_of_its_own() -> None:
    """A new table is erased with its calls, or has to be thought about here."""
    assert {table.name for table in tables_of_calls()} | OF_THEIR_OWN == set(Base.metadata.tables)
    assert all("call_id" in table.columns for table in tables_of_calls())
    assert {
        "calls",
        "dialled",
        "promised",
        "do_not_call",
        "eval_runs",
        "seen_events",
        "replicas",
        "spent",
    } == OF_THEIR_OWN


async def test_a_receipt_says_how_much_and_not_who(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path))
    async with store.opened():
        await a_day(store, time.time())
    person = Person(named(NUMBER), NUMBER)
    receipt = await erase_person(Store(sqlite_url(tmp_path)), person, KEY)
    told = json.loads(receipt.text)
    assert told["rows"]["calls"] == 1
    assert told["left"] == {"calls_not_over": 1, "do_not_call": 1, "recordings_to_delete": 1}
    for word in (NUMBER, NUMBER[1:], person.principal_id, PLACE, "heron"):
        assert word not in receipt.text
    other = receipt_of(Person(named(OTHER), OTHER), receipt.erased, KEY, 0)
    assert other["request"] != told["request"]


def switchboard(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "switchboard", *words],
        env={"DATA_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


async def test_the_command_line_exports_a_call_and_erases_a_number(tmp_path: Path) -> None:
    key = caller_key(tmp_path)
    async with Store(sqlite_url(tmp_path)).opened() as store:
        await a_day(store, time.time(), key)

    exported = switchboard(tmp_path, "export", "c1")
    assert json.loads(exported.stdout)["lines"][0]["text"] == "The words of c1 are heron"
    file = tmp_path / "c1.vtt"
    written = switchboard(tmp_path, "export", "c1", "--format", "vtt", "--out", str(file))
    assert written.returncode == 0
    assert "<v Caller>The words of c1" in file.read_text(encoding="utf-8")

    erased = switchboard(tmp_path, "erase", "--number", "+44 20 7946 0018")
    assert erased.returncode == 1  # one call of theirs is not over
    assert json.loads(erased.stdout)["rows"]["items"] == 1
    assert PLACE in erased.stderr
    gone = switchboard(tmp_path, "export", "c1")
    assert (gone.returncode, gone.stdout) == (2, "")
    assert "no such call" in gone.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["erase"], "--number"),
        (["erase", "--number", "020 7946 0018"], "with its country"),
        (["erase", "--number", "+44 20 7946 0018"], "the server's own DATA_DIR"),
        (["export", "c1", "--format", "pdf"], "pdf"),
        (["export", "c1"], "no records"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    if "no records" not in said:
        (tmp_path / "records.sqlite3").touch()
    told = switchboard(tmp_path, *words)
    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr
