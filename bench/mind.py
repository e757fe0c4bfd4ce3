"""The blind exams, sat by the offline mind: right tool at once, after one question, arguments.

Of the sealed and the third exam only the overall figures are told, unless failures are asked for.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from time import perf_counter
from typing import Any, cast

import anyio

from bench.exam import (
    EXAMS,
    FIRST,
    Marks,
    Toolset,
    foreign_toolsets,
    mark_arguments,
    requests,
    same_value,
)
from bench.exam import Request as Asked
from bench.report import ROOT, percentile, print_result, wilson_interval
from switchboard_local.mind.load import load_offline_mind
from switchboard_local.mind.offline import OfflineMind
from switchboard_local.mind.parts import Call, Request, Say, Thought
from switchboard_local.mind.state import State

_MOST_TURNS = 10
_TODAY = date(2026, 11, 22)
"""For toolsets whose instructions do not say what day it is."""


@dataclass
class Sitting:
    """What one request came to."""

    request: Asked
    tool: str | None = None
    questions: int = 0
    """How often the mind asked which tool was meant."""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    called: bool = False
    said: str = ""
    times_ms: list[float] = field(default_factory=list[float])

    @property
    def right(self) -> bool:
        return self.tool == self.request.tool

    @property
    def marks(self) -> Marks | None:
        if not self.right or self.request.tool is None:
            return None
        return mark_arguments(self.request, self.arguments, asked=self.called)


async def run(*, exam: str = "all", failures: int = 0) -> dict[str, Any]:
    """Sit one exam by name, or all. Times are of one reply, while nothing else runs here.

    `failures=1` adds every request that went wrong. `KeyError` for an exam that does not exist.
    """
    mind = await asyncio.to_thread(load_offline_mind, lambda: _TODAY)
    own = await _product()
    names = list(EXAMS) if exam == "all" else [exam]
    sat = {name: _sit_exam(mind, name, own) for name in names}
    everything = [one for sittings in sat.values() for one in sittings]
    result: dict[str, Any] = {"overall": [_overall(name, one) for name, one in sat.items()]}
    if opened := sat.get(FIRST):
        result["by toolset, first exam"] = _by_toolset(opened)
    times = [took for one in everything for took in one.times_ms]
    result["a reply, ms"] = {"p50": percentile(times, 50), "p95": percentile(times, 95)}
    result["mind"] = mind.info.name
    if failures:
        result["failures"] = list(_failures(everything))
    return result


def _sit_exam(mind: OfflineMind, name: str, own: Mapping[str, Toolset]) -> list[Sitting]:
    known = {**foreign_toolsets(name), **own}
    return [_sit(mind, known[request.toolset], request) for request in requests(name)]


async def _product() -> dict[str, Toolset]:
    """The product's own agents, as `switchboard tools --json` writes them."""
    done = await anyio.run_process(
        [sys.executable, "-m", "switchboard", "tools", "--json"], cwd=ROOT
    )
    raw = cast("dict[str, dict[str, Any]]", json.loads(done.stdout))
    return {name: Toolset(**value) for name, value in raw.items()}


def _sit(mind: OfflineMind, toolset: Toolset, request: Asked) -> Sitting:
    sitting = Sitting(request)
    items: list[dict[str, Any]] = [_turn("user", request.text)]
    for _ in range(_MOST_TURNS):
        asked = Request(toolset.instructions, toolset.tools, "auto", items)
        began = perf_counter()
        fold = mind.fold(asked)
        thoughts = fold.through(items)
        sitting.times_ms.append(1000 * (perf_counter() - began))
        if _settled(sitting, thoughts, fold.state):
            break
        answer = _answer(sitting, fold.state)
        if answer is None:
            break
        items += [_turn("assistant", sitting.said), _turn("user", answer)]
    return sitting


def _settled(sitting: Sitting, thoughts: list[Thought], state: State) -> bool:
    """Notes what the mind decided; whether that was a call."""
    sitting.said = " ".join(thought.text for thought in thoughts if isinstance(thought, Say))
    calls = [thought for thought in thoughts if isinstance(thought, Call)]
    if calls:
        sitting.tool, sitting.called = calls[0].name, True
        sitting.arguments = json.loads(calls[0].arguments)
    elif state.task:
        sitting.tool, sitting.arguments = state.task.tool, dict(state.task.arguments)
    return bool(calls)


def _answer(sitting: Sitting, state: State) -> str | None:
    """What the scripted caller says next; `None` when there is nothing to say."""
    if state.choice:
        sitting.questions += 1
        return sitting.request.clarify if sitting.questions == 1 else None
    if state.task is None or not sitting.right:
        return None
    if state.task.checking:
        return _checked(sitting.request, state.task.checking, state.task.arguments)
    return sitting.request.answers.get(state.task.asking)


def _checked(request: Asked, slot: str, arguments: Mapping[str, object]) -> str:
    wanted = {**request.arguments, **request.answered}.get(slot)
    right = wanted is not None and same_value(wanted, arguments.get(slot))
    return "yes" if right else f"no, {request.answers.get(slot, '')}"


def _turn(role: str, text: str) -> dict[str, Any]:
    kind = "input_text" if role == "user" else "output_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _overall(name: str, sittings: list[Sitting]) -> dict[str, Any]:
    """Figures of a whole exam, its shares of requests with their 95 % intervals."""
    figures = _figures(sittings)
    count = len(sittings)
    row: dict[str, Any] = {"exam": f"{name} exam", "requests": count}
    for share, right in (("at once", _at_once), ("after one question", _after_one_question)):
        low, high = wilson_interval(sum(map(right, sittings)), count)
        row[f"{share} %"] = figures.pop(f"{share} %")
        row[f"{share}, 95 %"] = f"{100 * low:.1f} to {100 * high:.1f}"
    return row | figures


def _by_toolset(sittings: list[Sitting]) -> list[dict[str, Any]]:
    names = sorted({one.request.toolset for one in sittings})
    groups = {name: [one for one in sittings if one.request.toolset == name] for name in names}
    return [{"toolset": name, **_figures(group)} for name, group in groups.items()]


def _at_once(one: Sitting) -> bool:
    return one.right and not one.questions


def _after_one_question(one: Sitting) -> bool:
    return one.right and one.questions <= 1


def _figures(sittings: list[Sitting]) -> dict[str, Any]:
    count = len(sittings)
    marks = [marks for one in sittings if (marks := one.marks) is not None]
    expected = sum(mark.expected for mark in marks)
    return {
        "requests": count,
        "at once %": 100 * sum(map(_at_once, sittings)) / count,
        "after one question %": 100 * sum(map(_after_one_question, sittings)) / count,
        "asked %": 100 * sum(one.questions > 0 for one in sittings) / count,
        "arguments": expected,
        "arguments right %": 100 * sum(mark.right for mark in marks) / expected
        if expected
        else None,
        "invented": sum(len(mark.invented) for mark in marks),
    }


def _failures(sittings: list[Sitting]) -> Iterator[dict[str, Any]]:
    for one in sittings:
        marks = one.marks
        if _after_one_question(one) and (marks is None or marks.right == marks.expected):
            continue
        yield {
            "id": one.request.id,
            "text": one.request.text,
            "wanted": f"{one.request.tool} {json.dumps(dict(one.request.arguments))}",
            "chosen": f"{one.tool} {json.dumps(dict(one.arguments))}",
            "said": one.said[:80],
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exam", choices=[*EXAMS, "all"], default="all")
    parser.add_argument("--failures", action="store_true", help="tell every request that failed")
    chosen = parser.parse_args()
    print_result(asyncio.run(run(exam=chosen.exam, failures=chosen.failures)))
