"""What a run found: as it is kept in a file, and shown in reports."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean
from typing import Any

import msgspec

from switchboard.errors import ConfigurationError
from switchboard.evals.figures import (
    Difference,
    Figure,
    figure,
    mean_moved,
    percentile,
    rate,
    success_moved,
)
from switchboard.evals.judges import Verdict

VERSION = 1


class LineSaid(msgspec.Struct, frozen=True):
    speaker: str
    text: str
    at_ms: float
    cut: bool = False


class ToolUsed(msgspec.Struct, frozen=True):
    name: str
    arguments: Any
    state: str
    at_ms: float
    duration_ms: float | None


class Result(msgspec.Struct, frozen=True):
    """One conversation."""

    id: str
    scenario: str
    agent: str
    repetition: int
    seed: int
    tags: list[str]
    passed: bool
    verdicts: list[Verdict]
    lines: list[LineSaid]
    tools: list[ToolUsed]
    said: list[str]
    """What the caller meant to say."""
    floors: list[tuple[float, str]]
    """Who had the floor from then on: milliseconds and who."""
    ended: str | None
    seconds: float
    first_audio_ms: list[float]
    dead_air_s: list[float]
    talk_over_s: float
    interruptions: int
    false_interruptions: int
    """More than the caller meant."""
    tools_wanted: int
    tools_judged: int
    """Tools that were called where the scenario says something of tools."""
    tools_right: int
    """Of those, how many were wanted, or may be asked for."""
    tools_found: int
    """Of those wanted, how many were called."""
    cost_usd: float | None


class Figures(msgspec.Struct, frozen=True):
    """Over all conversations of a run."""

    success: Figure
    tool_precision: Figure
    tool_recall: Figure
    turns: Figure
    first_audio_p50_ms: Figure
    first_audio_p95_ms: Figure
    dead_air_over_2s: Figure
    """A conversation's waits of more than two seconds."""
    talk_over_s: Figure
    false_interruptions: Figure
    cost_usd: Figure
    seconds: Figure


class Run(msgspec.Struct, frozen=True):
    version: int
    began_at: str
    """ISO 8601."""
    by: str
    """`text`, `voice`, `socket`, `phone`"""
    seed: int
    repeat: int
    took_s: float
    results: list[Result]
    figures: Figures


def figures_of(results: Sequence[Result], seed: int) -> Figures:
    waits = [ms for each in results for ms in each.first_audio_ms]
    used = sum(each.tools_judged for each in results)
    some = partial(figure, seed=seed)
    return Figures(
        success=rate(sum(each.passed for each in results), len(results)),
        tool_precision=rate(sum(each.tools_right for each in results), used),
        tool_recall=rate(
            sum(each.tools_found for each in results), sum(each.tools_wanted for each in results)
        ),
        turns=some([float(len(each.said)) for each in results]),
        first_audio_p50_ms=some(waits, lambda values: percentile(values, 50)),
        first_audio_p95_ms=some(waits, lambda values: percentile(values, 95)),
        dead_air_over_2s=some([float(sum(s > 2 for s in each.dead_air_s)) for each in results]),
        talk_over_s=some([each.talk_over_s for each in results]),
        false_interruptions=some([float(each.false_interruptions) for each in results]),
        cost_usd=some([each.cost_usd for each in results if each.cost_usd is not None]),
        seconds=some([each.seconds for each in results]),
    )


def compared(before: Run, after: Run) -> list[Difference]:
    """What moved between two runs of the same scenarios, conversation by conversation.

    Raises `ConfigurationError` where they have none in common.
    """
    pairs = _pairs(before, after)
    if not pairs:
        raise ConfigurationError("These runs have no conversation in common.")
    moved = [success_moved([b.passed for b, _ in pairs], [a.passed for _, a in pairs])]
    for name, of in _COMPARED.items():
        known = [(of(b), of(a)) for b, a in pairs]
        both = [(b, a) for b, a in known if b is not None and a is not None]
        if both:
            moved.append(mean_moved(name, [b for b, _ in both], [a for _, a in both]))
    return moved


def _pairs(before: Run, after: Run) -> list[tuple[Result, Result]]:
    known: dict[tuple[str, int], Result] = {(b.id, b.repetition): b for b in before.results}
    found = [(known.get((a.id, a.repetition)), a) for a in after.results]
    return [(b, a) for b, a in found if b is not None]


def _first_audio(result: Result) -> float | None:
    return fmean(result.first_audio_ms) if result.first_audio_ms else None


_COMPARED: dict[str, Callable[[Result], float | None]] = {
    "turns": lambda each: float(len(each.said)),
    "seconds": lambda each: each.seconds,
    "first audio, ms": _first_audio,
    "talk-over, s": lambda each: each.talk_over_s,
    "false interruptions": lambda each: float(each.false_interruptions),
    "money, USD": lambda each: each.cost_usd,
}


def unsteady(results: Sequence[Result]) -> list[str]:
    """Scenarios that passed in some repetitions and failed in others."""
    verdicts: dict[str, set[bool]] = defaultdict(set)
    for each in results:
        verdicts[each.id].add(each.passed)
    return [name for name, seen in verdicts.items() if len(seen) > 1]


def read_run(text: bytes, name: str) -> Run:
    """Raises `ConfigurationError`."""
    try:
        run = msgspec.json.decode(text, type=Run)
    except msgspec.MsgspecError as reason:
        raise ConfigurationError(f"{name} is no report of a run: {reason}.") from None
    if run.version != VERSION:
        raise ConfigurationError(f"{name} was written by another version ({run.version}).")
    return run
