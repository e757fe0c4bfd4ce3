"""Past calls, found again, and what they came to."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from switchboard.records.figures import figures, histogram, percentile
from switchboard.records.outcomes import outcome_of
from switchboard.records.past import snippet
from tests.console.day import DAY_S, NOW, STORY, fill
from tests.console.house import Served, open_house

WEEK = f"?since={NOW - 7 * DAY_S}&until={NOW + 1}"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_house(tmp_path) as served:
        await fill(served.house.store)
        yield served


async def ask(home: Served, path: str, **params: str) -> Any:  # noqa: ANN401  (JSON)
    answer = await home.http.get(f"/api/console/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_was_said_is_found_whatever_its_case(home: Served) -> None:
    found = await ask(home, "history", q="LOST MY CARD")
    [past] = found["calls"]
    assert past["call"]["id"] == STORY
    assert "lost my card" in past["snippet"]
    assert (past["interruptions"], past["tools"], past["toolsFailed"]) == (1, 3, 1)
    assert past["latencyMs"] == 720
    assert past["costUsd"] == pytest.approx(5 * 0.0183)
    assert found["next"] is None


async def test_percent_and_underscore_are_letters_like_others(home: Served) -> None:
    assert (await ask(home, "history", q="%"))["calls"] == []
    assert (await ask(home, "history", q="l_st my card"))["calls"] == []


async def test_pages_follow_each_other_without_a_gap(home: Served) -> None:
    seen: list[str] = []
    began: list[float] = []
    before: dict[str, str] = {}
    while True:
        page = await ask(home, "history", **before)
        seen += [past["call"]["id"] for past in page["calls"]]
        began += [past["call"]["beganAt"] for past in page["calls"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert len(seen) == len(set(seen)) > 100
    assert began == sorted(began, reverse=True)


async def test_filters_narrow_the_list(home: Served) -> None:
    every = await ask(home, "history", agent="telecom", channel="phone", outcome="failed")
    assert every["calls"]
    for past in every["calls"]:
        call = past["call"]
        assert (call["agent"], call["channel"], call["outcome"]) == ("telecom", "phone", "failed")
    day = await ask(home, "history", since=str(NOW - DAY_S), until=str(NOW))
    assert all(NOW - DAY_S <= past["call"]["beganAt"] < NOW for past in day["calls"])
    assert (await ask(home, "history", outcome="other"))["calls"] == []
    assert (await ask(home, "history", outcome="live"))["calls"] == []


async def test_a_past_call_shows_who_did_what_and_when(home: Served) -> None:
    story = await ask(home, f"calls/{STORY}")
    assert [(act["kind"], act["by"]) for act in story["actions"]] == [
        ("approve", "Rita"),
        ("whisper", "Rita"),
        ("say", "Rita"),
    ]
    assert story["answers"][0]["atMs"] == pytest.approx(8_100, abs=1)
    assert story["tools"][2]["result"]["error"].startswith("This cannot")


async def test_the_overview_adds_up(home: Served) -> None:
    overview = (await home.http.get(f"/api/console/overview{WEEK}")).json()
    total = overview["total"]
    assert total["calls"] == sum(day["calls"] for day in overview["days"]) > 100
    assert total["calls"] == sum(agent["calls"] for agent in overview["agents"])
    assert total["calls"] == sum(outcome["count"] for outcome in overview["outcomes"])
    assert total["costUsd"] == pytest.approx(sum(day["costUsd"] for day in overview["days"]))
    assert sum(overview["latencies"]) == total["latency"]["count"]
    assert total["latency"]["p50"] <= total["latency"]["p95"] <= total["latency"]["p99"]
    assert overview["whole"] is True
    assert [day["key"] for day in overview["days"]][-1] == "2026-03-04"
    mine = await ask(home, "overview", since=str(NOW - DAY_S), until=str(NOW), agent="banking")
    assert [agent["key"] for agent in mine["agents"]] == ["banking"]


async def test_days_begin_where_the_asker_is(home: Served) -> None:
    east = await figures(home.house.store, NOW - 7 * DAY_S, NOW, zone_s=14 * 3_600)
    here = await figures(home.house.store, NOW - 7 * DAY_S, NOW)
    assert east.total.calls == here.total.calls
    assert max(east.days) == max(here.days) + 1


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3, 1, 2], 0.5) == 2
    assert [percentile(list(range(1, 101)), share) for share in (0.5, 0.95, 0.99, 1)] == [
        50,
        95,
        99,
        100,
    ]
    assert histogram([0, 199, 200, 9_999], 200, 3) == [2, 1, 1]


def test_every_end_has_an_outcome() -> None:
    assert outcome_of(None) == "live"
    assert outcome_of("model_lost:1006") == "failed"
    assert outcome_of("something_new") == "other"


def test_a_snippet_shows_what_stands_around_the_words() -> None:
    text = "a" * 100 + " the lost card " + "b" * 100
    assert snippet(text, "LOST card").startswith("…a")
    assert " the lost card " in snippet(text, "LOST card")
    assert snippet("the lost card", "lost") == "the lost card"
