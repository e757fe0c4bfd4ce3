"""The blind exam, sat by the offline mind: right tool at once, after one question, arguments."""

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

from bench import exam
from bench.report import ROOT, percentile, print_result
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

    request: exam.Request
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
    def marks(self) -> exam.Marks | None:
        if not self.right or self.request.tool is None:
            return None
        return exam.mark_arguments(self.request, self.arguments, asked=self.called)


async def run(*, failures: bool = True) -> dict[str, Any]:
    """Sit the whole exam. Times are of one reply, in this process, while nothing else runs."""
    mind = await asyncio.to_thread(load_offline_mind, lambda: _TODAY)
    known = {**exam.foreign_toolsets(), **await _product()}
    sittings = [_sit(mind, known[one.toolset], one) for one in exam.requests()]
    result: dict[str, Any] = {"overall": [_row("all", sittings)]}
    names = sorted({one.request.toolset for one in sittings})
    result["by toolset"] = [
        _row(name, [one for one in sittings if one.request.toolset == name]) for name in names
    ]
    times = [took for one in sittings for took in one.times_ms]
    result["a reply, ms"] = {"p50": percentile(times, 50), "p95": percentile(times, 95)}
    result["mind"] = mind.info.name
    if failures:
        result["failures"] = list(_failures(sittings))
    return result


async def _product() -> dict[str, exam.Toolset]:
    """The product's own agents, as `switchboard tools --json` writes them."""
    done = await anyio.run_process(
        [sys.executable, "-m", "switchboard", "tools", "--json"], cwd=ROOT
    )
    raw = cast("dict[str, dict[str, Any]]", json.loads(done.stdout))
    return {name: exam.Toolset(**value) for name, value in raw.items()}


def _sit(mind: OfflineMind, toolset: exam.Toolset, request: exam.Request) -> Sitting:
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


def _checked(request: exam.Request, slot: str, arguments: Mapping[str, object]) -> str:
    wanted = {**request.arguments, **request.answered}.get(slot)
    right = wanted is not None and exam.same_value(wanted, arguments.get(slot))
    return "yes" if right else f"no, {request.answers.get(slot, '')}"


def _turn(role: str, text: str) -> dict[str, Any]:
    kind = "input_text" if role == "user" else "output_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _row(name: str, sittings: list[Sitting]) -> dict[str, Any]:
    count = len(sittings)
    marks = [marks for one in sittings if (marks := one.marks) is not None]
    expected = sum(mark.expected for mark in marks)
    return {
        "toolset": name,
        "requests": count,
        "at once %": 100 * sum(one.right and not one.questions for one in sittings) / count,
        "after one question %": 100
        * sum(one.right and one.questions <= 1 for one in sittings)
        / count,
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
        if one.right and one.questions <= 1 and (marks is None or marks.right == marks.expected):
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
    parser.add_argument("--no-failures", action="store_true", help="figures only")
    print_result(asyncio.run(run(failures=not parser.parse_args().no_failures)))
