"""A call is recorded by the carrier: after the notice, not during a private entry, to its end."""

import json
import shutil
from pathlib import Path

import anyio
import pytest

from switchboard.records.recordings import Kept, RecordingTable
from switchboard.records.store import Store
from switchboard.tools.banking_pin import DEMO_PIN
from switchboard_local.acs.recordings import Recordings
from tests.e2e.town import until
from tests.local.realtime.doubles import Cloud
from tests.phone.keying import block, keypad, pin_clerk
from tests.phone.ringing import SPEECH, Town, town

ROOT = Path(__file__).parents[2]
STORAGE = "https://store.example/calls"


def recorded(folder: Path, **recording: object) -> Path:
    """The house's agents, the bank's with its calls recorded."""
    config = json.loads((ROOT / "session_config.json").read_text())
    told = {"notice": "This call is recorded.", "storage": STORAGE, **recording}
    config["agents"][2]["phone"]["recording"] = told
    config.pop("$schema")
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    file = folder / "session_config.json"
    file.write_text(json.dumps(config))
    return file


async def filed(there: Town, call_id: str) -> Kept:
    """The recording of a call, once Event Grid has told where it lies."""
    table = RecordingTable(there.home.house.store)
    with anyio.fail_after(20):
        while (kept := await table.of(call_id)) is None or kept.state != "filed":  # noqa: ASYNC110
            await anyio.sleep(0.02)
    return kept


def of(there: Town) -> Recordings:
    return there.acs.recordings


async def test_it_begins_after_the_notice_and_pauses_while_a_pin_is_keyed(
    cloud: Cloud, tmp_path: Path
) -> None:
    config = recorded(tmp_path)
    async with town(cloud, tmp_path, session_config=config) as there:
        there.cloud.doubles.mind.script = pin_clerk
        there.cloud.doubles.ears.words = ["please unblock my card"]
        await block(there)
        call = await there.ring()
        await until(lambda: list(of(there).log) == ["started"])
        await call.say_out(SPEECH)
        await keypad(there)
        assert list(of(there).log) == ["started", "paused"]
        call.press(DEMO_PIN)
        await until(lambda: list(of(there).log) == ["started", "paused", "resumed"])
        call_id = there.call_id
        await there.quiet()
        call.hang_up()
        await there.empty()
        kept = await filed(there, call_id)
        assert kept.recording_id
        assert kept.ended_at is not None
        [place] = kept.where
        assert place.startswith(f"{STORAGE}/")
        account = await there.account(call_id)
        assert account.tool_calls[-1].state == "done"


async def test_where_the_caller_is_asked_only_a_yes_begins_it(cloud: Cloud, tmp_path: Path) -> None:
    config = recorded(tmp_path, notice="May we record this call?", consent=True)
    async with town(cloud, tmp_path, session_config=config) as there:
        there.cloud.doubles.ears.words = ["no thank you"]
        call = await there.ring()
        await there.said("response.done", 2)
        await there.quiet()
        await call.say_out(SPEECH)
        await there.said("response.done", 3)
        await there.quiet()
        assert not of(there).log
        call.press("1")  # too late: it was declined
        await there.said("response.done", 4)
        assert not of(there).log
        call.hang_up()
        await there.empty()


@pytest.mark.parametrize("state", ["running", "stopped", "failed"])
async def test_the_store_keeps_where_it_lies(store: Store, state: str) -> None:
    table = RecordingTable(store)
    await table.put("c1", "running", 10.0, recording_id="r1")
    await table.put("c1", state, 20.0)
    kept = await table.of("c1")
    assert kept is not None
    assert (kept.recording_id, kept.state, kept.began_at) == ("r1", state, 10.0)
    assert kept.ended_at == (None if state == "running" else 20.0)
    assert await table.filed("r1", ["https://store.example/1.wav"], 1_500)
    assert not await table.filed("r2", [], None)
    kept = await table.of("c1")
    assert kept is not None
    assert (kept.state, list(kept.where)) == ("filed", ["https://store.example/1.wav"])
    await table.put("c1", "stopped", 30.0)  # what was told first may be written last
    kept = await table.of("c1")
    assert kept is not None
    assert (kept.state, kept.ended_at) == ("filed", 30.0)
    with anyio.fail_after(20):
        assert await table.of("c2") is None
