"""Who may look at the console, and what it does not tell."""

from pathlib import Path

import pytest

from tests.console.house import Served, open_house

PATHS = (
    "/api/console/me",
    "/api/console/live",
    "/api/console/history",
    "/api/console/overview",
    "/api/console/calls/anything",
    "/api/console/calls/anything/events",
    "/api/console/calls/anything/recording",
    "/api/console/agents/banking",
    "/api/console/evals",
    "/api/console/evals/anything",
    "/api/console/evals/anything/page",
)


async def test_a_caller_is_no_operator(tmp_path: Path) -> None:
    async with open_house(tmp_path, allow_anonymous=True) as home:
        for path in PATHS:
            answer = await home.http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), path
        for path in ("actions", "listeners"):
            answer = await home.http.post(
                f"/api/console/calls/anything/{path}", json={"type": "cut"}
            )
            assert answer.status_code == 403, path


async def test_a_foreign_page_reads_nothing_and_does_nothing(home: Served) -> None:
    foreign = {"Origin": "https://evil.example"}
    async with home.caller() as (call_id, page, _):
        for path in PATHS:
            assert (await home.http.get(path, headers=foreign)).status_code == 403, path
        cut = await home.http.post(
            f"/api/console/calls/{call_id}/actions", json={"type": "cut"}, headers=foreign
        )
        assert cut.status_code == 403
        await page.say("ping", at=1)
        assert (await page.next("pong"))["at"] == 1


async def test_nobody_needs_an_origin_to_look_and_everybody_to_act(home: Served) -> None:
    del home.http.headers["Origin"]
    assert (await home.http.get("/api/console/me")).status_code == 200
    answer = await home.http.post("/api/console/calls/x/actions", json={"type": "cut"})
    assert answer.status_code == 403


@pytest.mark.parametrize("call_id", ["nobody", "..%2f..", "x" * 65, "%00"])
async def test_an_unknown_call_is_unknown(home: Served, call_id: str) -> None:
    assert (await home.http.get(f"/api/console/calls/{call_id}")).status_code == 404
    assert (await home.http.get(f"/api/console/calls/{call_id}/events")).status_code in (404, 409)


async def test_the_console_is_told_names_and_no_prompts(home: Served) -> None:
    answer = await home.http.get("/api/console/me")
    assert answer.json()["name"] == "You"
    assert {agent["id"] for agent in answer.json()["agents"]} >= {"banking", "telecom"}
    assert "prompt" not in answer.text
    assert "instructions" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "query",
    [
        "?q=" + "x" * 101,
        "?agent=a%20b",
        "?since=soon",
        "?since=",
        "?since=1&since=2",
        "?q=a&q=b",
        "?before=1",
        "?before=1~../x",
    ],
)
async def test_odd_searches_are_refused(home: Served, query: str) -> None:
    assert (await home.http.get(f"/api/console/history{query}")).status_code == 400


@pytest.mark.parametrize(
    "query", ["?since=0", "?since=5&until=4", "?zone=9999", "?zone=", "?until=9&until=8"]
)
async def test_odd_overviews_are_refused(home: Served, query: str) -> None:
    assert (await home.http.get(f"/api/console/overview{query}")).status_code == 400


async def test_an_operator_reads_what_an_agent_is_told_and_no_number_of_a_human(
    home: Served,
) -> None:
    answer = await home.http.get("/api/console/agents/banking")
    assert answer.status_code == 200
    sheet = answer.json()
    assert sheet["agent"]["id"] == "banking"
    assert sheet["instructions"]
    asking = [tool["name"] for tool in sheet["tools"] if tool["confirm"]]
    assert "block_card" in asking
    humans = home.house.reception.on_the_phone("banking").humans
    assert not [human.to for human in humans if human.to in answer.text]
    assert (await home.http.get("/api/console/agents/nobody")).status_code == 404
