"""Runs: every scenario, so many times, so many at once."""

import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

import anyio

from switchboard.evals.chat import Chat, opinion
from switchboard.evals.evidence import Evidence
from switchboard.evals.judges import Verdict, judge
from switchboard.evals.reading import Read
from switchboard.evals.results import VERSION, LineSaid, Result, Run, ToolUsed, figures_of
from switchboard.evals.scenario import Act, Scenario
from switchboard.evals.talking import Held
from switchboard.evals.timing import dead_air_s

MOST_AT_ONCE: Final = 64
NOT_HELD: Final = "model_"
"""How the words begin for why a call ended that never was one: it is tried once more."""
type Hold = Callable[[Scenario, int, Path], Awaitable[Held]]
"""Holds one conversation: the scenario, a seed, and a folder of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    scenarios: Sequence[Read]
    by: str
    repeat: int = 1
    seed: int = 0
    at_once: int = 8

    @property
    def by_voice(self) -> bool:
        return self.by != "text"


@dataclass(frozen=True, slots=True)
class Finished:
    result: Result
    held: Held

    @property
    def key(self) -> tuple[str, int]:
        return self.result.id, self.result.repetition


async def run(
    plan: Plan, hold: Hold, tell: Callable[[Finished], None], chat: Chat | None = None
) -> Run:
    """Hold every conversation of the plan; `tell` hears of each as it ends, in any order."""
    began, began_at = monotonic(), datetime.now(UTC)
    results: dict[tuple[int, int], Result] = {}
    limit = anyio.CapacityLimiter(plan.at_once)

    async def one(number: int, read: Read, repetition: int) -> None:
        async with limit:
            with TemporaryDirectory(prefix="switchboard-eval-") as folder:
                seed = _seed(plan.seed, read.id, repetition)
                held = await hold(read.scenario, seed, Path(folder))
                if (held.evidence.ended or "").startswith(NOT_HELD) and not held.evidence.said:
                    held = await hold(read.scenario, seed, Path(folder))
                verdicts = judge(
                    read.scenario, held.evidence, held.database, by_voice=plan.by_voice
                )
                if chat is not None:
                    verdicts += await _opinions(chat, read.scenario, held.evidence, seed)
                result = result_of(read, held, verdicts, repetition, seed, by_voice=plan.by_voice)
                results[number, repetition] = result
                tell(Finished(result, held))

    async with anyio.create_task_group() as tasks:
        for number, read in enumerate(plan.scenarios):
            for repetition in range(plan.repeat):
                tasks.start_soon(one, number, read, repetition)
    ordered = [results[key] for key in sorted(results)]
    return Run(
        VERSION,
        began_at.isoformat(timespec="seconds"),
        plan.by,
        plan.seed,
        plan.repeat,
        round(monotonic() - began, 3),
        ordered,
        figures_of(ordered, plan.seed),
    )


async def _opinions(chat: Chat, scenario: Scenario, evidence: Evidence, seed: int) -> list[Verdict]:
    said = [(line.speaker.value, line.text) for line in evidence.transcript()]
    verdicts: list[Verdict] = []
    for criterion in scenario.expect.opinions:
        found = await opinion(chat, said, criterion, seed)
        verdicts.append(Verdict("opinion", found.passed, f"{criterion} {found.reason}"))
    return verdicts


def result_of(
    read: Read,
    held: Held,
    verdicts: Sequence[Verdict],
    repetition: int,
    seed: int,
    *,
    by_voice: bool,
) -> Result:
    """What is kept of one conversation that was judged."""
    scenario, evidence = read.scenario, held.evidence
    wanted = scenario.expect.tools
    names = [tool.name for tool in evidence.tools.values()]
    allowed = {each.name for each in wanted} | {*scenario.expect.not_done}
    meant = sum(
        isinstance(act, Act) and act.interrupt is not None for act in scenario.caller.says or ()
    )
    return Result(
        id=read.id,
        scenario=scenario.scenario,
        agent=scenario.agent,
        repetition=repetition,
        seed=seed,
        tags=list(scenario.tags),
        passed=all(verdict.passed for verdict in verdicts),
        verdicts=_failures_first(verdicts),
        lines=_lines(evidence),
        tools=_tools(evidence),
        said=list(evidence.said),
        floors=[(round(at, 1), floor.value) for at, floor in evidence.floors],
        ended=evidence.ended,
        seconds=round(evidence.seconds, 3),
        first_audio_ms=[round(x.first_audio_ms, 1) for x in evidence.latencies.values()]
        if by_voice
        else [],
        dead_air_s=[round(each, 3) for each in dead_air_s(evidence)],
        talk_over_s=round(evidence.talk_over_s, 3),
        interruptions=len(evidence.interruptions),
        false_interruptions=max(0, len(evidence.interruptions) - meant),
        tools_wanted=len(wanted),
        tools_right=sum(name in allowed for name in names) if allowed else 0,
        tools_judged=len(names) if allowed or scenario.expect.no_tools else 0,
        tools_found=sum(each.name in names for each in wanted),
        cost_usd=None if evidence.unpriced else round(evidence.cost_usd, 6),
    )


def _lines(evidence: Evidence) -> list[LineSaid]:
    return [
        LineSaid(
            line.speaker.value,
            line.text if line.heard_chars is None else line.text[: line.heard_chars],
            round(line.began_ms, 1),
            line.heard_chars is not None,
        )
        for line in evidence.transcript()
    ]


def _tools(evidence: Evidence) -> list[ToolUsed]:
    return [
        ToolUsed(
            tool.name, tool.arguments, tool.state.value, round(tool.began_ms, 1), tool.duration_ms
        )
        for tool in evidence.tools.values()
    ]


def _failures_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=lambda verdict: verdict.passed)


def _seed(seed: int, name: str, repetition: int) -> int:
    """Of one conversation: the same whatever else is run beside it."""
    return zlib.crc32(f"{seed} {name} {repetition}".encode())
