"""Deterministic judges: each looks at one expectation, and says what it saw."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from switchboard.conversation.commands import ToolState
from switchboard.evals.evidence import Evidence, Tool
from switchboard.evals.figures import percentile
from switchboard.evals.scenario import Expect, Needle, Row, Scenario, ToolCalled
from switchboard.evals.timing import dead_air_s
from switchboard.evals.words import has, language_of, rude, word_errors

QUERY_S: Final = 5.0
MOST_SHOWN: Final = 200
"""Characters of arguments, or of a result."""
_STATES: Final = {
    "done": frozenset({ToolState.DONE}),
    "failed": frozenset({ToolState.FAILED}),
    "declined": frozenset({ToolState.DECLINED}),
    "asking": frozenset({ToolState.ASKING, ToolState.ABANDONED}),
    "any": frozenset(ToolState),
}


class Verdict(msgspec.Struct, frozen=True):
    """What one judge says."""

    judge: str
    passed: bool
    text: str
    """What was expected, and what was seen."""


def judge(
    scenario: Scenario, evidence: Evidence, database: Path | None, *, by_voice: bool
) -> list[Verdict]:
    """Every verdict on a conversation. `database`: the demo database as it was left; `None`: it
    cannot be seen, and what it should hold is not judged."""
    expect = scenario.expect
    verdicts = [Verdict("held", evidence.trouble is None, evidence.trouble or "It was held.")]
    verdicts += _tools(expect, evidence)
    verdicts += _words(expect, evidence)
    if database is not None:
        verdicts += [_row(row, database) for row in expect.database]
    verdicts += _manner(expect, evidence)
    if by_voice:
        verdicts += _by_voice(expect, evidence)
    return verdicts


def _tools(expect: Expect, evidence: Evidence) -> Iterator[Verdict]:
    called = list(evidence.tools.values())
    for wanted in expect.tools:
        fitting = [tool for tool in called if _fits(wanted, tool)]
        fine = len(fitting) == wanted.times if wanted.times is not None else bool(fitting)
        results = _results(called) if wanted.result else ""
        yield Verdict("tool", fine, f"{_told(wanted)}; called: {_listed(called)}{results}.")
    if expect.in_order and len(expect.tools) > 1:
        names = [tool.name for tool in sorted(called, key=lambda tool: tool.began_ms)]
        wanted_names = [tool.name for tool in expect.tools]
        yield Verdict("order", _in_order(wanted_names, names), f"In the order {names}.")
    if expect.no_tools:
        unwanted = [t for t in called if "*" in expect.no_tools or t.name in expect.no_tools]
        yield Verdict("no tool", not unwanted, f"Not to be called; called: {_listed(unwanted)}.")
    if expect.not_done:
        done = [t for t in called if t.name in expect.not_done and t.state is ToolState.DONE]
        yield Verdict("not done", not done, f"Not to be carried out; was: {_listed(done)}.")


def _fits(wanted: ToolCalled, tool: Tool) -> bool:
    return (
        tool.name == wanted.name
        and tool.state in _STATES[wanted.outcome]
        and _has(wanted.arguments, tool.arguments)
        and _has(wanted.result, tool.result)
    )


def _has(wanted: Mapping[str, Any], given: object) -> bool:
    if not isinstance(given, dict):
        return not wanted
    fields: dict[str, Any] = given  # pyright: ignore[reportUnknownVariableType]
    return all(name in fields and _same(fields[name], each) for name, each in wanted.items())


def _same(given: object, wanted: object) -> bool:
    if isinstance(given, str) and isinstance(wanted, str):
        return given.casefold().strip() == wanted.casefold().strip()
    if isinstance(given, str) or isinstance(wanted, str):
        return str(given).casefold() == str(wanted).casefold()
    return given == wanted


def _in_order(wanted: Sequence[str], called: Sequence[str]) -> bool:
    rest = iter(called)
    return all(name in rest for name in wanted)


def _words(expect: Expect, evidence: Evidence) -> Iterator[Verdict]:
    said = " … ".join(evidence.agent_said())
    for needle in expect.says:
        fine = any(has(said, each) for each in _ways(needle))
        yield Verdict("says", fine, f"“{' or '.join(_ways(needle))}” in what the agent said.")
    for needle in expect.never_says:
        yield Verdict("never says", not has(said, needle), f"“{needle}” is not said.")


def _row(row: Row, database: Path) -> Verdict:
    try:
        with closing(
            sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=QUERY_S)
        ) as found:
            today = date.today().isoformat()  # noqa: DTZ011  (the demo database's own day)
            answer = found.execute(row.query, {"today": today} if ":today" in row.query else {})
            first = answer.fetchone()
    except sqlite3.Error as reason:
        return Verdict("database", False, f"{row.query}: {reason}.")
    value = first[0] if first else None
    return Verdict(
        "database",
        value == row.equals,
        f"{row.query}: {value!r}, not {row.equals!r}."
        if value != row.equals
        else f"{row.query}: {value!r}.",
    )


def _manner(expect: Expect, evidence: Evidence) -> Iterator[Verdict]:
    said = evidence.agent_said()
    if expect.ends:
        fine = evidence.ended in expect.ends
        yield Verdict("ends", fine, f"Ended by {evidence.ended}; expected {list(expect.ends)}.")
    if expect.interrupted is not None:
        cut = bool(evidence.interruptions)
        yield Verdict(
            "interrupted",
            cut is expect.interrupted,
            f"Interruptions: {len(evidence.interruptions)}.",
        )
    if expect.polite:
        found = rude(said)
        yield Verdict("polite", found is None, "Nothing rude." if found is None else f"“{found}”.")
    if expect.language is not None:
        language = language_of(" ".join(said))
        yield Verdict("language", language == expect.language, f"It sounds like {language}.")
    if expect.turns is not None:
        turns = len(evidence.said)
        yield Verdict(
            "turns", turns <= expect.turns, f"{turns} of the caller's; at most {expect.turns}."
        )
    if expect.seconds is not None:
        fine = evidence.seconds <= expect.seconds
        yield Verdict("seconds", fine, f"{evidence.seconds:.1f} s; at most {expect.seconds:g}.")


def _by_voice(expect: Expect, evidence: Evidence) -> Iterator[Verdict]:
    understood = " … ".join(evidence.caller_said())
    for needle in expect.understands:
        fine = any(has(understood, each) for each in _ways(needle))
        yield Verdict("understands", fine, f"“{' or '.join(_ways(needle))}” in the caller's words.")
    if expect.first_audio_ms is not None:
        times = [each.first_audio_ms for each in evidence.latencies.values()]
        p95 = percentile(times, 95)
        fine = p95 is not None and p95 <= expect.first_audio_ms
        shown = "no answer" if p95 is None else f"p95 {p95:.0f} ms"
        yield Verdict("first audio", fine, f"{shown}; at most {expect.first_audio_ms:g}.")
    if expect.dead_air_s is not None:
        longest = max(dead_air_s(evidence), default=0.0)
        yield Verdict("dead air", longest <= expect.dead_air_s, f"The longest was {longest:.1f} s.")
    if expect.word_errors is not None:
        rate = word_errors(" ".join(evidence.agent_said()), evidence.heard or "")
        yield Verdict("word errors", rate <= expect.word_errors, f"{rate:.2f} of the words.")


def _ways(needle: Needle) -> list[str]:
    return [needle] if isinstance(needle, str) else list(needle)


def _told(wanted: ToolCalled) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in wanted.arguments.items())
    times = "" if wanted.times is None else f" {wanted.times} times"
    result = f" with {_json(wanted.result)}" if wanted.result else ""
    return f"{wanted.name}({arguments}) {wanted.outcome}{times}{result}"


def _listed(tools: Sequence[Tool]) -> str:
    shown = [f"{tool.name}({_arguments(tool)}) {tool.state.value}" for tool in tools]
    return ", ".join(shown) or "nothing"


def _results(tools: Sequence[Tool]) -> str:
    return "; results: " + (", ".join(f"{t.name} {_json(t.result)}" for t in tools) or "none")


def _arguments(tool: Tool) -> str:
    return _json(tool.arguments).strip("{}")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()[:MOST_SHOWN]
