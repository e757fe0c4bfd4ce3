"""A call from the page, recorded by the whole house; then heard, exported and erased."""

import io
import json
import subprocess
import sys
import wave
from array import array
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from shutil import copytree
from typing import Any

import anyio
from websockets.exceptions import ConnectionClosed

from switchboard.conversation.noticing import RECORDING
from switchboard.records.erasure import Person, erase
from switchboard.records.shelf import DIRECTORY
from tests.browser.peers import FRAME, Page
from tests.console.house import ROOT, WAIT_S, Served, open_house
from tests.records.test_reel import tone

NOTICE = "May we record this call?"


def agents(folder: Path, **recording: object) -> Path:
    """Agents of which the bank records its calls."""
    folder.mkdir()
    copytree(ROOT / "prompts", folder / "prompts")
    config = json.loads((ROOT / "session_config.json").read_text())
    [bank] = [agent for agent in config["agents"] if agent["id"] == "banking"]
    bank["recording"] = {"notice": NOTICE, "consent": True, **recording}
    path = folder / "session_config.json"
    path.write_text(json.dumps(config))
    return path


@asynccontextmanager
async def recording_house(
    tmp_path: Path, *, retention_days: int = 36_500, **recording: object
) -> AsyncGenerator[Served]:
    config = agents(tmp_path / "agents", **recording)
    data = tmp_path / "data"
    async with open_house(data, session_config=config, retention_days=retention_days) as home:
        home.models.sound = FRAME * 10  # a notice that nobody reports as heard is said again
        yield home


async def state(page: Page, wanted: str) -> dict[str, Any]:
    while (told := await page.next("recording"))["state"] != wanted:
        pass
    return told


async def a_recorded_call(home: Served) -> str:
    async with home.caller() as (call_id, page, _):
        await page.say("decide", call=RECORDING, agreed=True)
        await state(page, "running")
        await page.say("audio", audio=tone(7, 20))
        await page.say("ping", at=1)
        await page.next("pong")
        await anyio.sleep(0.05)  # so long it lasts at least
        await page.say("end")
    await home.quiet()
    return call_id


async def test_the_page_is_asked_before_anything_and_the_console_hears_it_after(
    tmp_path: Path,
) -> None:
    async with recording_house(tmp_path) as home:
        config = (await home.http.get("/api/config")).json()
        told = {agent["id"]: agent["recorded"] for agent in config["agents"]}
        assert (told["banking"], told["telecom"]) == ("maybe", "never")
        call_id = await a_recorded_call(home)
        detail = await home.detail(call_id)
        assert detail["recording"]["audio"] is True
        assert detail["recording"]["atMs"] >= 0
        heard = await home.http.get(f"/api/console/calls/{call_id}/recording")
        assert heard.status_code == 200
        assert heard.headers["cache-control"] == "no-store"
        with wave.open(io.BytesIO(heard.content)) as file:
            samples = array("h", file.readframes(file.getnframes()))
        assert samples[0::2].count(7) == 480, "what the caller said"
        part = await home.http.get(
            f"/api/console/calls/{call_id}/recording", headers={"Range": "bytes=0-3"}
        )
        assert (part.status_code, part.content) == (206, b"RIFF")
        deeds = (await home.detail(call_id))["actions"]
        assert [deed["kind"] for deed in deeds] == ["replay", "replay"]


async def test_a_live_call_has_no_sound_yet_and_says_that_it_is_recorded(tmp_path: Path) -> None:
    async with recording_house(tmp_path) as home, home.caller() as (call_id, page, _):
        assert (await home.detail(call_id))["recording"]["state"] == "asked"
        async with home.stream(f"/api/console/calls/{call_id}/events") as stream:
            await stream.next("detail")
            await page.say("decide", call=RECORDING, agreed=True)
            told = await stream.next("recording")
            assert told["recording"] == {
                **told["recording"],
                "state": "running",
                "kept": "here",
                "audio": False,
            }
        answer = await home.http.get(f"/api/console/calls/{call_id}/recording")
        assert answer.status_code == 404


async def test_a_call_that_must_be_recorded_ends_with_a_no(tmp_path: Path) -> None:
    async with recording_house(tmp_path, without_consent="end") as home:
        offer = {"agent": "banking", "offer": "v=0\r\n"}
        beside = await home.http.post("/api/calls", json=offer)
        assert beside.status_code in (400, 403), "none over WebRTC"
        async with home.caller() as (_, page, model):
            await page.say("decide", call=RECORDING, agreed=False)
            await state(page, "off")
            while (message := await page.next())["type"] != "ended":
                if message["type"] == "audio":
                    with suppress(ConnectionClosed):  # it may have hung up meanwhile
                        await page.say("played", item=message["item"], ms=20)
            assert message["reason"] == "no_consent"
            assert model.told
    assert not list((tmp_path / "data" / DIRECTORY).glob("*"))


async def test_an_erasure_takes_the_sound_too(tmp_path: Path) -> None:
    async with recording_house(tmp_path) as home:
        call_id = await a_recorded_call(home)
        sound = tmp_path / "data" / DIRECTORY / f"{call_id}.wav"
        assert sound.stat().st_mode & 0o077 == 0 or sound.parent.stat().st_mode & 0o077 == 0
        out = tmp_path / "call.wav"
        words = ["export", call_id, "--format", "wav", "--out", str(out)]
        await anyio.to_thread.run_sync(command, tmp_path / "data", words)
        assert out.read_bytes() == sound.read_bytes()
        await erase(home.house.store, Person("local"), 2e9, alias=lambda name: f"erased:{name}")
        await home.house.shelf.sweep()
        assert not sound.exists()
        gone = await home.http.get(f"/api/console/calls/{call_id}/recording")
        assert gone.status_code == 404


async def test_retention_takes_the_sound_too(tmp_path: Path) -> None:
    async with recording_house(tmp_path, retention_days=0) as home:
        call_id = await a_recorded_call(home)
        with anyio.fail_after(WAIT_S):
            while await home.house.sweeper.sweep():
                pass
        await home.house.shelf.sweep()
        assert not (tmp_path / "data" / DIRECTORY / f"{call_id}.wav").exists()


async def test_the_command_line_erases_the_sound_at_once(tmp_path: Path) -> None:
    async with recording_house(tmp_path) as home:
        call_id = await a_recorded_call(home)
    sound = tmp_path / "data" / DIRECTORY / f"{call_id}.wav"
    assert sound.exists()
    await anyio.to_thread.run_sync(command, tmp_path / "data", ["erase", "--principal", "local"])
    assert not sound.exists()


def command(data_dir: Path, words: list[str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "switchboard", *words],
        env={"DATA_DIR": str(data_dir), "PATH": ""},
        capture_output=True,
        timeout=50,
        check=True,
    )
