"""Nothing reaches the database before it was looked through."""

import json
import logging
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.commands import LineState, NoteLine, NoteTool, Speaker, ToolState
from switchboard.conversation.rules import Rules, ToolRule
from switchboard.records import redacting
from switchboard.records.export import as_json, as_vtt
from switchboard.records.history import history
from switchboard.records.opening import Opening
from switchboard.records.promised import Promise, PromisedTable
from switchboard.records.recorder import Recorder
from switchboard.records.redacting import CLEAN, FAILED, NO_TEXT
from switchboard.records.redaction.kinds import Pattern, Redaction
from switchboard.records.schema import Base
from switchboard.records.store import Store
from switchboard.records.writer import ORDER
from tests.exchange.house import house
from tests.exchange.legs import Caller, until
from tests.records.test_recorder import known, line, opened

SECRETS: dict[str, tuple[str, ...]] = {
    "card": ("4242 4242 4242 4242", "4242424242424242"),
    "email": ("jane.doe@example.com",),
    "phone": ("020 7946 0018", "+442079460018"),
    "id": ("219-09-9999",),
}
SAID = "I am jane.doe@example.com, ring 020 7946 0018, social security number 219-09-9999."
DIGITS = "My card is four two four two four two four two four two four two four two four two, yes."


async def test_a_growing_line_never_stores_half_a_number(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    stored: list[str] = []
    text = "My card is 4242 4242 4242 4242 and it works"
    for end in range(1, len(text), 3):
        recorder.note("c1", line(text[:end], LineState.PARTIAL), 0)
        await recorder.flush()
        stored.append((await known(store)).items[0].text)
    recorder.note("c1", line(text, LineState.FINAL), 0)
    await recorder.flush()
    stored.append((await known(store)).items[0].text)

    assert all(stored[-1].startswith(part) for part in stored)
    assert stored[-1] == "My card is [card] and it works"


async def test_a_cut_line_of_which_more_may_come_is_held_back_only_at_a_number(
    store: Store,
) -> None:
    recorder = Recorder(store)
    opened(recorder)
    for item, text in (("i1", "The bill is due next week"), ("i2", "Your card is 4242 4242 42")):
        cut = NoteLine(item, Speaker.AGENT, text, LineState.CUT, 0, len(text), growing=True)
        recorder.note("c1", cut, 0)
    await recorder.flush()

    lines = {item.item_id: (item.text, item.heard_chars) for item in (await known(store)).items}
    assert lines == {"i1": ("The bill is due next week", 25), "i2": ("Your", 4)}


async def test_what_was_heard_is_still_what_was_heard(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    text = "Ring +44 20 7946 0018 or write to us"
    heard = len("Ring +44 20 7946 0018 or")
    recorder.note("c1", NoteLine("i1", Speaker.AGENT, text, LineState.CUT, 0, heard), 0)
    await recorder.flush()

    item = (await known(store)).items[0]
    assert item.text == "Ring [phone] or write to us"
    assert item.heard_chars == len("Ring [phone] or")


async def test_each_call_is_kept_by_its_own_agents_rules(store: Store) -> None:
    recorder = Recorder(store)
    member = Redaction(frozenset(), patterns=(Pattern("member", "M-[0-9]+"),))
    opened(recorder)
    recorder.open_call(
        Opening(
            "c2",
            principal_id="local",
            agent="club",
            model="m",
            voice="v",
            channel="browser",
            began_at=100.0,
            redaction=member,
        )
    )
    for call_id in ("c1", "c2"):
        recorder.note(call_id, line("M-204417 or jane@example.com", LineState.FINAL), 0)
    await recorder.flush()

    texts = [(await known(store, call_id)).items[0].text for call_id in ("c1", "c2")]
    assert texts == ["M-204417 or [email]", "[member] or jane@example.com"]


async def test_a_text_that_nobody_could_read_is_not_stored(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> dict[str, object]:
        raise ValueError(SAID)

    monkeypatch.setitem(redacting.CLEAN, redacting.Item, fails)
    recorder = Recorder(store)
    opened(recorder)
    recorder.note("c1", line(SAID, LineState.FINAL), 0)
    await recorder.flush()

    assert (await known(store)).items[0].text == FAILED
    assert "jane" not in caplog.text


async def test_why_a_call_was_promised_is_looked_through_too(store: Store) -> None:
    table = PromisedTable(store)
    await table.put(Promise("p1", "+442079460018", "bank", "telephone:1", SAID, 100.0, 200.0))
    promise = await table.take_due(100.0)
    assert promise is not None
    assert promise.reason == "I am [email], ring [phone], social security number [id]."


async def test_a_long_text_does_not_hold_up_the_calls(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    result = json.dumps({"rows": [SAID] * 200})
    asked = NoteTool("t1", "find", "{}", ToolState.DONE, 20, result, 8.0)
    recorder.note("c1", asked, 0)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(others)
        await recorder.flush()
        tasks.cancel_scope.cancel()
    assert turns > 1
    kept = (await known(store)).tool_calls[0].result or ""
    assert json.loads(kept)["rows"][0] == (
        "I am [email], ring [phone], social security number [id]."
    )


def test_every_table_that_the_recorder_writes_is_looked_through() -> None:
    assert set(ORDER) == CLEAN.keys() | NO_TEXT
    for table in NO_TEXT:
        texts = [each.name for each in table.__table__.columns if str(each.type) == "TEXT"]
        assert not texts


async def test_what_is_redacted_is_in_no_table_file_log_or_export_of_a_whole_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    arguments = json.dumps({"card": SECRETS["card"][1], "phone": SECRETS["phone"][1]})
    rules = Rules(tools={"add_up": ToolRule()}, reattach_s=0.3, silence_s=100)
    async with house(tmp_path, rules) as there:
        caller = Caller()
        call_id, model = await there.call(caller)
        for at in range(0, len(DIGITS), 7):
            model.does(e.CallerWords("i1", DIGITS[at : at + 7], final=False))
            said = DIGITS[: at + 7]
            await until(lambda said=said: [n for n in caller.notes(c.NoteLine) if n.text == said])
            await there.recorder.flush()
        model.does(
            e.CallerWords("i1", DIGITS, final=True),
            e.CallerWords("i2", f"{SAID} The long number is 4242 4242 4242 4242.", final=True),
            e.ReplyStarted("r1"),
            e.ToolRequested("r1", "i3", "t1", "add_up", arguments),
        )
        await until(lambda: caller.notes(c.NoteTool))
        await there.recorder.flush()
        await there.switchboard.end(call_id, f"asked by {SECRETS['email'][0]}")
        await until(lambda: there.switchboard.live() == 0)
        await there.recorder.flush()
        found = await history(there.store, call_id)
        assert found is not None
        # It was there to be stored: the page was shown all of it.
        shown = " ".join(note.text for note in caller.notes(c.NoteLine))
        assert DIGITS in shown
        assert SAID in shown
        assert "[card]" in found.items[0].text
        assert "[email]" in (found.call.end_reason or "")
        kept = [tmp_path / name for name in ("records.sqlite3", "records.sqlite3-wal")]
        bytes_kept = b"".join(file.read_bytes() for file in kept)
        exported = as_json(found) + as_vtt(found)

    assert b"[card]" in bytes_kept
    words = "four two four two"
    for secret in [words, *(each for kind in SECRETS.values() for each in kind)]:
        assert secret not in exported
        assert secret not in caplog.text
        assert secret.encode() not in bytes_kept
        assert secret.encode("utf-16-le") not in bytes_kept
    assert {table.name for table in Base.metadata.sorted_tables} >= {"items", "tool_calls"}
