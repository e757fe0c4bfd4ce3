"""What is taken out of a call's texts, and what is keyed privately, is in no table, log, trace,
event stream or export."""

import logging
import threading
from collections.abc import Collection, Generator, Sequence
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import pytest
from sqlalchemy import text

from switchboard.records.export import as_json, as_vtt
from switchboard.records.history import history
from switchboard.records.schema import Base
from switchboard.records.store import Store
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.console.house import Served, next_line, open_house
from tests.local.realtime.doubles import Cloud, last_words, tone
from tests.phone.keying import block, keypad, pin_clerk
from tests.phone.ringing import CALLER, SPEECH, Town, clouded, town
from tests.telemetry.peers import Collector, collecting

CARD: Final = "4242 4242 4242 4242"
EMAIL: Final = "jane.heron@example.com"
SAID: Final = f"My card is {CARD} and my address is {EMAIL}, please write that down."
ARGUMENTS: Final = f'{{"card": "{CARD}", "note": "{EMAIL}"}}'
SECRETS: Final = ("4242 4242", "42424242", "jane.heron", "heron@example")
SPOKEN: Final = f"My card is {CARD}, please unblock it."
PIN: Final = "739146258036"
"""As long as may be, so that no part of it is anywhere by accident."""
PIN_PARTS: Final = tuple(
    between.join(PIN[at : at + 8]) for at in range(5) for between in ("", " ", ", ", '", "')
)


@pytest.fixture
def collector() -> Generator[Collector]:
    before = set(threading.enumerate())
    with collecting() as collector:
        yield collector
    assert not [each for each in set(threading.enumerate()) - before if "Otel" in each.name]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    with clouded(monkeypatch) as cloud:
        yield cloud


async def follow(http: httpx.AsyncClient, path: str, told: list[str]) -> None:
    """Everything that a stream says, raw."""
    async with http.stream("GET", path, timeout=60) as answer:
        async for line in answer.aiter_lines():
            told.append(line)


async def until_told(told: list[str], words: str) -> None:
    with anyio.fail_after(30):
        while not any(words in line for line in told):  # noqa: ASYNC110  (a list has no event)
            await anyio.sleep(0.02)


async def tables_of(store: Store) -> str:
    """Every row of every table."""
    rows: list[str] = []
    async with store.reading() as connection:
        for name in Base.metadata.tables:
            found = await connection.execute(text(f"SELECT * FROM {name}"))
            rows += [f"{name} {tuple(row)!r}" for row in found]
    return "\n".join(rows)


def files_in(folder: Path) -> dict[str, bytes]:
    """All that the process wrote, byte for byte, SQLite's log of changes too."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name: path.read_bytes() for path in files}


async def shown_of(
    http: httpx.AsyncClient, store: Store, call_id: str, words: str
) -> dict[str, str | bytes]:
    """A call that has ended, in every way it is shown, found by these words or handed out."""
    past = await history(store, call_id)
    assert past is not None
    searched = await http.get("/api/console/history", params={"q": words})
    assert call_id in searched.text
    return {
        "the call": (await http.get(f"/api/console/calls/{call_id}")).text,
        "the history": searched.text,
        "JSON": as_json(past),
        "WebVTT": as_vtt(past),
        "the tables": await tables_of(store),
    }


def told_outside(collector: Collector, caplog: pytest.LogCaptureFixture) -> dict[str, str | bytes]:
    """Telemetry, and the log."""
    logged = (
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        if record.name.partition(".")[0] == "switchboard"
    )
    return {"telemetry": b"".join(collector.bodies), "the log": "\n".join(logged)}


def found_in(places: dict[str, str | bytes], secrets: Collection[str] = SECRETS) -> Sequence[str]:
    """What should be nowhere, and where it is."""
    raw = {
        where: each.encode() if isinstance(each, str) else each for where, each in places.items()
    }
    return [
        f"{secret} in {where}"
        for where, each in raw.items()
        for secret in secrets
        if secret.encode() in each
    ]


async def a_call(home: Served, live: list[str], one: list[str]) -> str:
    """Somebody types and is answered, a tool is called, an operator whispers; all of it secret."""
    async with home.caller() as (call_id, page, model), anyio.create_task_group() as tasks:
        tasks.start_soon(follow, home.http, "/api/console/live", live)
        tasks.start_soon(follow, home.http, f"/api/console/calls/{call_id}/events", one)
        await until_told(one, '"detail"')
        await page.say("text", id="t1", text=SAID)
        own = await next_line(page, "My card is")
        assert CARD in own["text"], "the caller's own page shows their own words"
        await next_line(page, "You said: My card")
        await page.say("played", item="item2", ms=20)
        model.wish = ("list_transactions", ARGUMENTS)
        await page.say("text", id="t2", text="And again?")
        while (tool := await page.next("tool"))["state"] == "running":
            pass
        assert EMAIL in str(tool["arguments"])
        await home.act(call_id, "whisper", text=f"Their card is {CARD}.")
        await until_told(one, "[card]")
        await until_told(one, "list_transactions")
        await until_told(one, "[email]")
        await page.say("end")
        await until_told(one, '"ended"')
        await until_told(live, '"gone"')
        tasks.cancel_scope.cancel()
    await home.quiet()
    return call_id


@pytest.mark.timeout(120)
async def test_a_card_and_an_address_are_nowhere_but_on_the_callers_own_page(
    database_url: str, tmp_path: Path, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "switchboard")
    data = tmp_path if "sqlite" in database_url else tmp_path / "data"
    settings: dict[str, Any] = {
        "database_url": database_url,
        "otel_exporter_otlp_endpoint": collector.url,
    }
    live: list[str] = []
    one: list[str] = []
    async with open_house(data, **settings) as home:
        call_id = await a_call(home, live, one)
        places: dict[str, str | bytes] = {
            "the live stream": "\n".join(live),
            "the call's stream": "\n".join(one),
            **await shown_of(home.http, home.house.store, call_id, "my card is"),
            **files_in(data),
        }
    places |= {f"{name}, once closed": each for name, each in files_in(data).items()}
    places |= told_outside(collector, caplog)
    assert found_in(places) == []

    # It was all there to be found.
    for where in ("the call's stream", "the call", "JSON", "the tables"):
        assert "[email]" in str(places[where]), where
    # A row has the last line only, and of two within a moment the newer: not which of them.
    assert call_id in str(places["the live stream"])
    assert collector.spans
    assert collector.metrics
    assert call_id in str(places["the log"])


def clerk(request: Request) -> Sequence[Thought]:
    """Repeats what is said, card number and all, and has a PIN keyed."""
    said = last_words(request)
    if not request.response_instructions:
        if said == SPOKEN:
            wanted = '{"what": "pin", "length": 12}'
            return [Say(f"I heard: {said}"), Call("take_private_keys", wanted)]
        if "Tries left" in said:
            return [Say("That is not it.")]
    return pin_clerk(request)


async def a_telephone_call(there: Town, live: list[str], one: list[str]) -> str:
    """Somebody says a card number, then keys a PIN while saying something; the agent goes on."""
    there.cloud.doubles.mind.script = clerk
    there.cloud.doubles.ears.words = [SPOKEN]
    await block(there)
    call = await there.ring()
    call_id = there.call_id
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow, there.home.http, "/api/console/live", live)
        tasks.start_soon(follow, there.home.http, f"/api/console/calls/{call_id}/events", one)
        await until_told(one, '"detail"')
        await call.say_out(SPEECH)
        await keypad(there)
        call.say(tone(1_500))  # reading it aloud while keying it
        for key in PIN:
            await anyio.sleep(0.1)
            call.press(key)
        call.hush()
        await until_told(one, "That is not it.")
        await there.quiet()
        call.hang_up()
        await until_told(one, '"ended"')
        await until_told(live, '"gone"')
        tasks.cancel_scope.cancel()
    await there.empty()
    await there.account(call_id)
    return call_id


@pytest.mark.timeout(180)
async def test_a_card_number_that_is_spoken_and_a_pin_that_is_keyed_on_the_telephone_are_nowhere(
    database_url: str,
    tmp_path: Path,
    cloud: Cloud,
    collector: Collector,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "switchboard")
    data = tmp_path if "sqlite" in database_url else tmp_path / "data"
    live: list[str] = []
    one: list[str] = []
    settings: dict[str, Any] = {
        "database_url": database_url,
        "otel_exporter_otlp_endpoint": collector.url,
    }
    async with town(cloud, data, **settings) as there:
        call_id = await a_telephone_call(there, live, one)
        places: dict[str, str | bytes] = {
            "the live stream": "\n".join(live),
            "the call's stream": "\n".join(one),
            **await shown_of(there.home.http, there.home.house.store, call_id, "i heard"),
            **files_in(data),
        }
        to_the_model = str([each.event for each in there.tap.frames if not each.from_model])
    places |= {f"{name}, once closed": each for name, each in files_in(data).items()}
    places |= told_outside(collector, caplog)
    assert found_in(places, (*SECRETS, *PIN_PARTS)) == []
    # The carrier is asked for a caller by their number while they are there, and no longer.
    after = {where: each for where, each in places.items() if not where.endswith("-wal")}
    assert found_in(after, (CALLER,)) == []
    assert found_in({"the model": to_the_model}, PIN_PARTS) == []

    # It was all there to be found: said by both, and keyed, for the PIN was judged.
    for where in ("the call's stream", "the call", "JSON", "WebVTT", "the tables"):
        assert str(places[where]).count("[card]") >= 2, where
    for where in ("the call's stream", "the call", "JSON", "the tables"):
        assert "That PIN is wrong" in str(places[where]), where
    assert collector.spans
    assert call_id in str(places["the log"])
