"""A call over the wire ends; what it came to is in the console, and at the webhook."""

import json
import shutil
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from switchboard.app import create_app
from switchboard.errors import ConfigurationError
from switchboard.house import House
from switchboard.records.after import AfterTable
from switchboard.settings import Settings
from switchboard_local.engine.parts import PartInfo
from switchboard_local.mind.offline import OfflineMind
from switchboard_local.mind.parts import Request
from tests.after.peers import SECRET, WAIT_S, ended_call, receiver
from tests.browser.peers import House as Door
from tests.browser.peers import Page, serving
from tests.local.realtime.doubles import Cloud, Doubles, ScriptedMind, local_cloud
from tests.model.identity import SECRET_HEADER, identity_endpoint
from tests.model.test_chat import deployment

ROOT = Path(__file__).parents[2]
MIND = OfflineMind(PartInfo("mind", "rules and words"), date.today)
"""The local cloud's own, without what it learnt: quick to begin, and sure enough of this much."""


@dataclass
class Served:
    house: House
    port: int
    http: httpx.AsyncClient
    cloud: Cloud

    @asynccontextmanager
    async def calling(self, agent: str = "banking", **body: object) -> AsyncGenerator[Page]:
        answer = await self.http.post("/api/calls", json={"agent": agent, **body})
        assert answer.status_code == 201, answer.text
        placed = answer.json()
        way_in = Door(self.port, exchange=None, tickets=self.house.tickets)  # pyright: ignore[reportArgumentType]  (only its address is used)
        async with way_in.dial(placed, max_queue=1_000) as opened:
            page = Page(opened)
            page.ready = {**await page.next("ready"), "call": placed["call"]}
            yield page

    async def after(self, call_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/api/console/calls/{call_id}/after")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def read(self, call_id: str) -> dict[str, Any]:
        """What it came to, once that is found out."""
        with anyio.fail_after(WAIT_S):
            while (after := await self.after(call_id))["state"] not in ("done", "failed"):
                assert after["state"] in ("none", "waiting", "working"), after
                await anyio.sleep(0.1)
        return after


def asked_aside(cloud: Cloud) -> list[Request]:
    return [
        each
        for each in cloud.doubles.mind.requests
        if "<schema>" in (each.response_instructions or "")
    ]


def config_in(folder: Path, webhook: str | None) -> Path:
    """The shipped agents, the bank's with a webhook."""
    config = json.loads((ROOT / "session_config.json").read_text(encoding="utf-8"))
    bank = next(agent for agent in config["agents"] if agent["id"] == "banking")
    bank["greeting"] = "Hello."
    if webhook is not None:
        bank["after"]["webhook"] = {"url": webhook}
    file = folder / "session_config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    shutil.copytree(ROOT / "prompts", folder / "prompts", dirs_exist_ok=True)
    return file


@asynccontextmanager
async def open_house(
    folder: Path, monkeypatch: pytest.MonkeyPatch, webhook: str | None = None, **settings: object
) -> AsyncGenerator[Served]:
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    doubles = Doubles(mind=ScriptedMind(MIND.think))
    doubles.voice.ms_per_char = 5
    with local_cloud(doubles, identity_header=SECRET_HEADER) as cloud:
        endpoint = f"http://127.0.0.1:{cloud.port}"
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        given = {
            "port": port,
            "data_dir": folder / "data",
            "session_config": config_in(folder, webhook),
            "reattach_seconds": 0.3,
            "azure_openai_endpoint": endpoint,
            "azure_voicelive_endpoint": endpoint,
            "webhook_secret": SECRET,
        }
        app = create_app(Settings.model_validate({**given, **settings}))
        house: House = app.state.house
        house.aftermath.deliveries.delays_s = (0.05, 0.05, 0.05)
        origin = f"http://127.0.0.1:{port}"
        async with (
            serving(app, door),
            httpx.AsyncClient(base_url=origin, headers={"Origin": origin}, trust_env=False) as http,
        ):
            yield Served(house, port, http, cloud)


async def next_line(page: Page, speaker: str, contains: str) -> None:
    with anyio.fail_after(WAIT_S):
        while True:
            line = await page.next("line")
            if line["speaker"] == speaker and contains in line["text"]:
                return


async def test_a_call_is_read_by_its_own_model_and_its_webhook_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        receiver(500, 503) as here,
        open_house(tmp_path, monkeypatch, here.url) as home,
    ):
        async with home.calling() as page:
            call_id = page.ready["call"]
            words = "What is my balance? My e-mail is jane@example.com"
            await page.say("text", id="t1", text=words)
            await next_line(page, "agent", "1,204")
        after = await home.read(call_id)

        assert (after["state"], after["outcome"]) == ("done", "achieved"), after
        assert "What is my balance" in after["summary"]
        goals = {goal["id"]: goal["outcome"] for goal in after["goals"]}
        assert goals["balance_told"] == "achieved"
        assert goals["card_blocked"] == "unknown"
        assert {each["name"]: each["value"] for each in after["fields"]} == {
            "card": None,
            "payee": None,
            "amount_eur": None,
        }
        assert after["tokens"] > 0
        assert after["costUsd"] > 0
        [asked] = asked_aside(home.cloud)
        assert "[email]" in str(asked.items)
        assert "jane@example.com" not in str(asked.items)

        await here.until(3)
        assert [told.good for told in here.told] == [True] * 3
        assert len({told.id for told in here.told}) == 1
        assert here.told[-1].body["data"]["call"]["id"] == call_id
        with anyio.fail_after(WAIT_S):
            while (after := await home.after(call_id))["deliveries"][0]["state"] != "delivered":  # noqa: ASYNC110
                await anyio.sleep(0.05)
        assert after["deliveries"][0]["attempts"] == 3

        found = (await home.http.get("/api/console/history?goals=achieved")).json()
        assert [(past["call"]["id"], past["goals"]) for past in found["calls"]] == [
            (call_id, "achieved")
        ]
        assert (await home.http.get("/api/console/history?goals=partly")).json()["calls"] == []
        [agent] = (await home.http.get("/api/console/overview")).json()["agents"]
        assert (agent["judged"], agent["achieved"]) == (1, 1)
        assert agent["afterUsd"] == pytest.approx(after["costUsd"])


async def test_so_does_one_on_voice_live_and_it_is_found_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice_live = {"azure_openai_endpoint": None}
    async with open_house(tmp_path, monkeypatch, after_calls=False, **voice_live) as home:
        async with home.calling(model="voice-live") as page:
            call_id = page.ready["call"]
            await page.say("text", id="t1", text="Block my card ending in 4417")
            await page.next("tool")
        assert asked_aside(home.cloud) == []
    async with open_house(tmp_path, monkeypatch, **voice_live) as home:
        after = await home.read(call_id)
        assert after["state"] == "done", after
        fields = {each["name"]: each["value"] for each in after["fields"]}
        assert fields["card"] == "4417"
        assert {goal["id"]: goal["outcome"] for goal in after["goals"]}["card_blocked"] == (
            "not_achieved"
        )
        assert len(asked_aside(home.cloud)) == 1


async def test_an_operator_has_a_webhook_told_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        receiver(410) as here,
        open_house(tmp_path, monkeypatch, here.url) as home,
    ):
        async with home.calling() as page:
            call_id = page.ready["call"]
            await page.say("text", id="t1", text="What is my balance?")
            await next_line(page, "agent", "1,204")
        await here.until(1)
        path = f"/api/console/calls/{call_id}/deliveries"
        with anyio.fail_after(WAIT_S):
            while (after := await home.after(call_id))["deliveries"][0]["state"] != "stopped":  # noqa: ASYNC110
                await anyio.sleep(0.05)
        assert (await home.http.post(path)).json()["deliveries"][0]["state"] == "waiting"
        await here.until(2)
        assert after["deliveries"][0]["host"] == "127.0.0.1"
        [action] = (await home.http.get(f"/api/console/calls/{call_id}")).json()["actions"]
        assert (action["kind"], action["outcome"]) == ("deliver", "taken")
        assert (await home.http.post("/api/console/calls/nobody/deliveries")).status_code == 409
        foreign = {"Origin": "https://elsewhere.example"}
        assert (await home.http.post(path, headers=foreign)).status_code == 403


async def test_where_a_chat_model_is_named_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = {"outcome": "unknown", "reason": "It was about something else."}
    answer = {
        "summary": "The caller asked for a table.",
        "goals": dict.fromkeys(("balance_told", "card_blocked", "money_transferred"), unknown),
        "fields": {"card": None, "payee": None, "amount_eur": None},
    }
    async with deployment() as there, identity_endpoint() as identity:
        there.answer = {"choices": [{"message": {"content": json.dumps(answer)}}]}
        monkeypatch.setenv("IDENTITY_ENDPOINT", identity.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        door = socket.create_server(("127.0.0.1", 0))
        app = create_app(
            Settings(
                port=door.getsockname()[1],
                data_dir=tmp_path / "data",
                session_config=config_in(tmp_path, None),
                azure_openai_endpoint=there.endpoint,
                after_model="gpt-mini",
            )
        )
        house: House = app.state.house
        async with serving(app, door):
            await ended_call(house.store, now=time.time(), agent="banking")
            with anyio.fail_after(WAIT_S):
                table = AfterTable(house.store)
                while (row := await table.of("c1")) is None or row.state != "done":  # noqa: ASYNC110
                    await anyio.sleep(0.05)
    assert (row.model, row.outcome, row.cost_usd) == ("gpt-mini", "unknown", None)
    assert there.headers[0].startswith("Bearer token-")


def test_a_chat_model_needs_a_place(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        session_config=ROOT / "session_config.json",
        azure_openai_endpoint=None,
        azure_voicelive_endpoint="https://a.services.ai.azure.com",
        after_model="gpt-mini",
    )
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_ENDPOINT"):
        create_app(settings)
