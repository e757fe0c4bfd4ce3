"""Evaluations that somebody has held and kept: two runs of the scripted week."""

from dataclasses import replace

import msgspec

from switchboard.evals.judges import Verdict
from switchboard.evals.results import VERSION, LineSaid, Result, Run, ToolUsed, figures_of
from switchboard.records.evalruns import EvalRun, EvalRunTable
from switchboard.records.store import Store

FAILED_RUN = "20260304-140000-0badcafe"
PASSED_RUN = "20260303-090000-00c0ffee"
PAGE = b"<!doctype html><title>1 of 3 passed</title><script>alert(1)</script>"
WHY = "pay_bill() done 1 times; called: get_bill() done."
HELD = Verdict("held", True, "It was held.")

FAILURE = Result(
    id="telecom-pays-the-bill",
    scenario="Pays the bill, once it is agreed",
    agent="telecom",
    repetition=0,
    seed=7,
    tags=["billing"],
    passed=False,
    verdicts=[
        Verdict("tool", False, WHY),
        Verdict("says", False, "“paid” in what the agent said."),
        HELD,
        Verdict("says", True, "“42.10” in what the agent said."),
    ],
    lines=[
        LineSaid("agent", "Hello, this is Northwind Telecom. How can I help you?", 900.0),
        LineSaid("caller", "How much is my bill?", 5_100.0),
        LineSaid("agent", "Your bill is 42.10 euros, due on", 9_700.0, cut=True),
        LineSaid("caller", "<b>Hey, it, please.</b>", 13_400.0),
    ],
    tools=[ToolUsed("get_bill", {"month": "March"}, "done", 7_200.0, 31.0)],
    said=["How much is my bill?", "Pay it, please."],
    floors=[(0.0, "agent")],
    ended="agent_ended",
    seconds=31.25,
    first_audio_ms=[640.0, 910.0],
    dead_air_s=[0.9],
    talk_over_s=0.2,
    interruptions=1,
    false_interruptions=1,
    tools_wanted=2,
    tools_judged=1,
    tools_right=1,
    tools_found=1,
    cost_usd=0.031,
)


def passing(number: int) -> Result:
    return msgspec.structs.replace(
        FAILURE,
        id=f"bank-balance-{number}",
        scenario=f"Tells both balances, and says which is which ({number})",
        agent="banking",
        passed=True,
        verdicts=[HELD, Verdict("database", True, "SELECT 1: 1."), Verdict("polite", True, "")],
        tools_found=2,
        interruptions=0,
        false_interruptions=0,
    )


def a_run(results: list[Result], by: str = "voice") -> Run:
    figures = figures_of(results, 7)
    return Run(VERSION, "2026-03-04T14:00:00+00:00", by, 7, 1, 624.6, results, figures)


def about(run: Run, id_: str, began_at: float, *, has_page: bool = True) -> EvalRun:
    passed = sum(each.passed for each in run.results)
    return EvalRun(
        id_, began_at, run.by, run.seed, run.repeat, run.took_s, len(run.results), passed, has_page
    )


async def keep(store: Store, now: float) -> None:
    """One run that failed an hour ago, and one that passed the day before."""
    table = EvalRunTable(store)
    bad = a_run([passing(1), FAILURE, passing(2)])
    good = a_run([passing(number) for number in range(1, 38)], by="text")
    for run, id_, began_at, page in (
        (bad, FAILED_RUN, now - 3_860, PAGE),
        (good, PASSED_RUN, now - 86_400, None),
    ):
        kept = replace(about(run, id_, began_at), has_page=page is not None)
        await table.put(kept, msgspec.json.encode(run).decode(), page)
