"""Evaluations in the console: kept by the command, looked at by operators, believed by nobody."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from switchboard.browser.problems import Refusal
from switchboard.console.evals import detail_of
from switchboard.errors import ConfigurationError
from switchboard.evals.storing import stored
from switchboard.records.evalruns import MOST_PAGE_BYTES, MOST_RUNS, EvalRunTable
from switchboard.settings import Settings
from tests.console.evaluations import FAILED_RUN, FAILURE, PAGE, WHY, a_run, about, passing
from tests.console.gallery import Gallery
from tests.console.house import Served, open_house
from tests.console.visit import visit


async def test_a_run_that_is_stored_is_listed_and_read(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    run_id = await stored(settings, a_run([FAILURE, passing(1)]), PAGE)
    async with open_house(tmp_path) as home:
        [listed] = (await home.http.get("/api/console/evals")).json()["runs"]
        shown = (await home.http.get(f"/api/console/evals/{run_id}")).json()
        page = await home.http.get(f"/api/console/evals/{run_id}/page")

    assert listed["id"] == run_id
    assert (listed["passed"], listed["conversations"], listed["by"]) == (1, 2, "voice")
    assert listed["hasPage"] is True
    assert shown["run"] == listed
    failure, other = shown["results"]
    assert failure["verdicts"][0] == {"judge": "tool", "passed": False, "text": WHY}
    assert [line["speaker"] for line in failure["lines"]] == ["agent", "caller", "agent", "caller"]
    assert failure["tools"][0]["name"] == "get_bill"
    assert other["passed"] is True
    assert other["lines"] == []
    success = next(each for each in shown["figures"] if each["name"] == "Task success")
    assert (success["value"], success["unit"], success["count"]) == (0.5, "share", 2)
    assert page.content == PAGE
    assert page.headers["content-disposition"].startswith("attachment;")
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_the_newest_are_kept_and_those_before_them_are_not(home: Served) -> None:
    table, run = EvalRunTable(home.house.store), a_run([FAILURE])
    for number in range(MOST_RUNS + 3):
        await table.put(about(run, f"run-{number}", float(number), has_page=False), "{}", None)
    kept = [each.id for each in await table.newest()]

    assert kept == [f"run-{number}" for number in range(MOST_RUNS + 2, 2, -1)]


async def test_what_is_too_large_is_not_kept(home: Served) -> None:
    run = about(a_run([FAILURE]), "big", 1.0)
    with pytest.raises(ConfigurationError, match="larger than"):
        await EvalRunTable(home.house.store).put(run, "{}", bytes(MOST_PAGE_BYTES + 1))

    assert (await home.http.get("/api/console/evals")).json() == {"runs": []}


@pytest.mark.parametrize("run_id", ["nobody", "..%2f..", "x" * 65, "%00", "a.b", "é"])
async def test_an_unknown_run_is_unknown(home: Served, run_id: str) -> None:
    for path in (run_id, f"{run_id}/page"):
        assert (await home.http.get(f"/api/console/evals/{path}")).status_code == 404, path


@pytest.mark.parametrize(
    "report",
    [
        "",
        "{",
        "[]",
        '{"version": 2, "results": [], "figures": {}}',
        '{"version": 1, "results": [{"id": 1}], "figures": {}}',
        '{"version": 1, "results": {}, "figures": {}}',
        "[" * 100_000,
        json.dumps({"version": 1, "results": [], "figures": {"success": "all"}}),
    ],
)
def test_a_report_that_is_none_is_refused_in_words(report: str) -> None:
    with pytest.raises(Refusal, match="cannot be shown"):
        detail_of(about(a_run([]), "odd", 1.0), report)


def test_figures_that_nobody_knows_and_long_arguments_are_left_out() -> None:
    tool = msgspec.structs.replace(FAILURE.tools[0], arguments={"x": "y" * 100_000})
    run = a_run([msgspec.structs.replace(FAILURE, tools=[tool])])
    report = json.loads(msgspec.json.encode(run))
    report["figures"]["<script>"] = report["figures"]["success"]
    shown = detail_of(replace(about(run, "odd", 1.0)), json.dumps(report))

    assert "<script>" not in [each.name for each in shown.figures]
    assert len(str(shown.results[0].tools[0].arguments)) < 5_000


@pytest.mark.browser
@pytest.mark.node
@pytest.mark.timeout(120)
def test_a_failure_is_found_by_keys_and_says_why(browser: Browser, gallery: Gallery) -> None:
    with visit(browser, gallery) as here:
        page = here.page
        here.go("#/evals")
        runs = page.get_by_test_id("run")
        expect(runs).to_have_count(2)
        expect(runs.first).to_contain_text("2 of 3 passed")
        runs.nth(1).focus()
        page.keyboard.press("ArrowUp")
        expect(runs.first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="2 of 3 passed")).to_be_visible()
        assert page.url.endswith(f"#/evals/{FAILED_RUN}")

        failure = page.get_by_test_id("failure")
        failure.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(failure.get_by_role("list", name="Why it failed")).to_contain_text(WHY)
        said = failure.get_by_test_id("said")
        expect(said).to_have_count(5)
        expect(said.nth(2)).to_contain_text('get_bill {"month":"March"} → done')
        expect(said.nth(4)).to_contain_text("<b>Hey, it, please.</b>")  # as text, and no more

        row = page.get_by_test_id("result").nth(1)
        expect(row).to_contain_text("failed")
        expect(page.get_by_role("columnheader", name="database")).to_be_attached()
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save the whole report").click()
        assert saved.value.suggested_filename == f"evaluation-{FAILED_RUN}.html"
        assert Path(saved.value.path()).read_bytes() == PAGE
        assert here.wrongs() == []


@pytest.mark.browser
@pytest.mark.node
@pytest.mark.timeout(120)
def test_where_there_are_none_it_says_how_to_have_some(
    browser: Browser, new_house: Gallery
) -> None:
    with visit(browser, new_house, width=390) as here:
        here.go("#/evals")
        expect(here.page.get_by_text("switchboard eval --store")).to_be_visible()
        here.go("#/evals/nobody")
        expect(here.page.get_by_role("alert")).to_contain_text("There is no such run")
