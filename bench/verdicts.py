"""What is told of the hot path: tables, curves, and which targets are met."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Final

from bench.contestants import BARE, BASE, DIRECT, PLAIN, PRODUCT, SPLICE, UNKEPT
from bench.picture import Panel, drawn
from bench.rounds import Round
from bench.sudden import Spread

type Key = tuple[str, str, int]
"""Contestant, pattern, calls. A pattern is followed by what else is special: `echo, TLS`."""

CALLS: Final = 50
"""At which most targets are judged."""
_STARVED_MS: Final = 20.0
"""A round trip's median beyond it: whoever waits so long for its core finds many frames at once,
and seems cheap. Such rounds judge nothing."""
_STEAL: Final = 0.02
_CPU_TARGETS: Final = (
    (SPLICE, 4.0, 2.8),
    (BARE, 1.9, 1.5),
    (PLAIN, 0.65, 0.45),
    (UNKEPT, 1.10, 1.05),
)
_OURS: Final = (PRODUCT, BASE)


@dataclass(slots=True)
class Findings:
    """All that one run has found; a list holds one entry a round."""

    at: int = CALLS
    """So many calls at once where there is no curve, and where targets are judged."""
    failures: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    windows: dict[Key, list[Round]] = field(default_factory=dict[Key, list[Round]])
    barge_ins: dict[tuple[str, str], list[Spread]] = field(
        default_factory=dict[tuple[str, str], list[Spread]]
    )
    """By contestant, and `quiet` or `behind a burst`."""
    set_ups: dict[tuple[str, str], list[dict[str, float]]] = field(
        default_factory=dict[tuple[str, str], list[dict[str, float]]]
    )
    """By contestant, and `plain` or `TLS`."""
    beside: dict[str, list[dict[str, float]]] = field(
        default_factory=dict[str, list[dict[str, float]]]
    )
    """Running calls while others are set up."""
    steal: list[float] = field(default_factory=list[float])

    @property
    def times_count(self) -> bool:
        """Whether latencies can be judged: nobody else of this machine came before us, nor did its
        host take much of it away."""
        stolen = [
            *self.steal,
            *(each.steal for several in self.windows.values() for each in several),
        ]
        return has_priority() and (not stolen or median(stolen) < _STEAL)

    def add(self, key: Key, window: Round) -> None:
        self.windows.setdefault(key, []).append(window)


def has_priority() -> bool:
    """Whether nobody else of the machine comes before us: latencies are only judged then."""
    return os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR)


def told(found: Findings) -> dict[str, Any]:
    """The result of the measurement."""
    windows = found.windows
    result: dict[str, Any] = {
        "load": "50 frames a second up and call, 20 ms of 24 kHz PCM; echo: each comes back at"
        " once; mix: a delta of 200 ms comes back for every tenth",
        "real-time priority": has_priority(),
        "cost (medians of the rounds)": [_cost_row(key, windows) for key in windows],
        "time (round trip less the direct one; medians of the rounds)": [
            _time_row(key, windows) for key in windows
        ],
        "speech_started to silence, ms": [
            {"contestant": name, "when": when, **_middle([asdict(each) for each in several])}
            for (name, when), several in found.barge_ins.items()
        ],
        "set-up, 16 at a time": [
            {"contestant": name, "upstream": upstream, **_middle(several)}
            for (name, upstream), several in found.set_ups.items()
        ],
        f"{found.at} running calls, mix, while 20 a second are set up over TLS": [
            {"contestant": name, **_middle(several)} for name, several in found.beside.items()
        ],
        f"{PRODUCT} / {BASE} (medians of the rounds' ratios; below 1, this tree is better)": [
            _compared_row(pattern, calls, windows)
            for name, pattern, calls in windows
            if name == PRODUCT and (BASE, pattern, calls) in windows
        ],
        "not measured": found.failures,
        "targets": judged(found),
        "_rounds": [
            {"contestant": name, "pattern": pattern, "calls": calls, **asdict(each)}
            for (name, pattern, calls), several in windows.items()
            for each in several
        ],
    }
    return {name: value for name, value in result.items() if value != []}


def _middle(several: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in several) for name in several[0]}


def _cost_row(key: Key, found: Mapping[Key, list[Round]]) -> dict[str, Any]:
    name, pattern, calls = key
    several = found[key]
    return {
        "contestant": name,
        "pattern": pattern,
        "calls": calls,
        "us/message": median(each.cpu_us_per_message for each in several),
        "ms/call-second": median(each.cpu_ms_per_call_s for each in several),
        "core %": 100 * median(each.core for each in several),
        # Later rounds find memory that earlier calls have left.
        "KiB/call": several[0].kib_per_call,
        "skipped at first": sum(each.skipped for each in several),
        "lost": sum(each.lost for each in several),
        "disordered": sum(each.disordered for each in several),
        "closed": sum(each.closed for each in several),
    }


def _time_row(key: Key, found: Mapping[Key, list[Round]]) -> dict[str, Any]:
    name, pattern, calls = key
    several = found[key]
    row: dict[str, Any] = {"contestant": name, "pattern": pattern, "calls": calls}
    straight = _straight(key, found)
    if pairs := list(zip(several, straight, strict=False)):
        for what in ("p50", "p95", "p99"):
            added = [getattr(one, f"{what}_ms") - getattr(way, f"{what}_ms") for one, way in pairs]
            row[f"added {what} ms"] = median(added)
    return {
        **row,
        "round trip p50 ms": median(each.p50_ms for each in several),
        "round trip p99 ms": median(each.p99_ms for each in several),
        "max ms": max(each.max_ms for each in several),
        "longest pause ms": max(each.pause_ms for each in several),
        "steal %": 100 * median(each.steal for each in several),
    }


def _compared_row(pattern: str, calls: int, found: Mapping[Key, list[Round]]) -> dict[str, Any]:
    pairs = list(zip(found[PRODUCT, pattern, calls], found[BASE, pattern, calls], strict=False))
    cpu = [a.cpu_us_per_message / b.cpu_us_per_message for a, b in pairs]
    return {
        "pattern": pattern,
        "calls": calls,
        "CPU per message": median(cpu),
        "least": min(cpu),
        "most": max(cpu),
        "p50": median(a.p50_ms / b.p50_ms for a, b in pairs),
        "p99": median(a.p99_ms / b.p99_ms for a, b in pairs),
        "KiB/call": pairs[0][0].kib_per_call / max(pairs[0][1].kib_per_call, 1.0),
    }


def _straight(key: Key, found: Mapping[Key, list[Round]]) -> list[Round]:
    """The same without anybody between: there it is all one whether by telephone or TLS."""
    _, pattern, calls = key
    plain = pattern.partition(",")[0]
    return found.get((DIRECT, pattern, calls)) or found.get((DIRECT, plain, calls)) or []


def ratio(
    found: Mapping[Key, list[Round]], name: str, other: str, pattern: str, calls: int
) -> tuple[float, bool]:
    """CPU per message of one contestant in that of another: the median over rounds, of pairs that
    met the same machine. And whether it can be judged: none of them was starved."""
    pairs = list(zip(found[name, pattern, calls], found[other, pattern, calls], strict=False))
    fit = [pair for pair in pairs if max(each.p50_ms for each in pair) <= _STARVED_MS]
    ratios = [a.cpu_us_per_message / b.cpu_us_per_message for a, b in fit or pairs]
    return median(ratios), bool(fit)


def judged(found: Findings) -> list[dict[str, Any]]:
    """All targets for which something was measured."""
    rows: list[dict[str, Any]] = []
    for name in _OURS:
        rows += [*_cpu_rows(found, name), *_straight_rows(found, name)]
        rows += [*_latency_rows(found, name), *_sudden_rows(found, name)]
    return rows


def _cpu_rows(found: Findings, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for other, must, ambition in _CPU_TARGETS:
        if {(name, "echo", found.at), (other, "echo", found.at)} <= found.windows.keys():
            share, fit = ratio(found.windows, name, other, "echo", found.at)
            what = f"{name}: CPU per message / that of {other}"
            rows.append(verdict(what, share, must, ambition, counts=fit))
    return rows


def _straight_rows(found: Findings, name: str) -> list[dict[str, Any]]:
    """That the cost of a call does not grow with their number, and nothing is lost."""
    windows, rows = found.windows, list[dict[str, Any]]()
    many = max(
        (n for who, what, n in windows if (who, what) == (name, "echo") and n <= 300), default=0
    )
    if many > found.at and (name, "echo", found.at) in windows:
        more, few = windows[name, "echo", many], windows[name, "echo", found.at]
        growth = median(
            a.cpu_ms_per_call_s / b.cpu_ms_per_call_s for a, b in zip(more, few, strict=False)
        )
        fit = all(each.p50_ms <= _STARVED_MS for each in [*more, *few])
        what = f"{name}: cost of a call at {many} / at {found.at}"
        rows.append(verdict(what, growth, 1.10, 1.0, counts=fit))
    secure = windows.get((name, "echo, TLS", found.at))
    if secure:
        what = f"{name}: KiB per call with TLS"
        rows.append(verdict(what, secure[0].kib_per_call, 250, 170))
    mine = [each for (who, _, _), several in windows.items() if who == name for each in several]
    carried = [each for each in mine if each.p50_ms <= _STARVED_MS]
    if carried:
        wrong = sum(each.lost + each.disordered for each in carried)
        rows.append(verdict(f"{name}: frames lost or out of order", wrong, 0, 0))
    return rows


def _latency_rows(found: Findings, name: str) -> list[dict[str, Any]]:
    windows, counts, rows = found.windows, found.times_count, list[dict[str, Any]]()
    several = windows.get((name, "echo", found.at))
    if several and (DIRECT, "echo", found.at) in windows:
        row = _time_row((name, "echo", found.at), windows)
        p99 = median(each.p99_ms for each in several)
        added = row["added p50 ms"]
        rows.append(verdict(f"{name}: p50 added, ms", added, 0.35, 0.15, counts=counts))
        rows.append(verdict(f"{name}: p99, ms", p99, 3.0, 1.0, counts=counts))
    few = [
        each.pause_ms
        for (who, _, calls), several in windows.items()
        if who == name and calls < 150
        for each in several
    ]
    if few:
        what = f"{name}: longest pause below 150 calls, ms"
        rows.append(verdict(what, max(few), 5.0, 5.0, counts=counts))
    rows += _capacity_row(found, name)
    return rows


def _capacity_row(found: Findings, name: str) -> list[dict[str, Any]]:
    mixed = {
        n: rounds
        for (who, what, n), rounds in found.windows.items()
        if (who, what) == (name, "mix")
    }
    if max(mixed, default=0) < 200:
        return []
    rows = {n: _time_row((name, "mix", n), found.windows) for n in mixed}
    carried = [n for n, row in rows.items() if row.get("added p99 ms", _STARVED_MS) < 20]
    what = f"{name}: calls on one core with p99 added < 20 ms (mix)"
    return [verdict(what, max(carried, default=0), 200, 300, counts=found.times_count, more=True)]


def _sudden_rows(found: Findings, name: str) -> list[dict[str, Any]]:
    counts, rows = found.times_count, list[dict[str, Any]]()
    for when, must, ambition in (("quiet", 2.0, 1.0), ("behind a burst", 4.0, 1.5)):
        if spreads := found.barge_ins.get((name, when)):
            p99 = median(each.p99 for each in spreads)
            what = f"{name}: barge-in {when}, p99 ms"
            rows.append(verdict(what, p99, must, ambition, counts=counts))
    if beside := found.beside.get(name):
        p99 = _middle(beside)["p99 ms"]
        what = f"{name}: p99 of running calls while 20/s are set up, ms"
        rows.append(verdict(what, p99, 10.0, 4.0, counts=counts))
    ours, bare = found.set_ups.get((name, "TLS")), found.set_ups.get((BARE, "TLS"))
    if ours and bare:
        share = median(a["set-ups/s"] / b["set-ups/s"] for a, b in zip(ours, bare, strict=False))
        what = f"{name}: set-ups/s with TLS / those of {BARE}"
        rows.append(
            verdict(what, share, round(230 / 370, 2), round(350 / 370, 2), counts=counts, more=True)
        )
    return rows


def verdict(
    what: str,
    value: float | None,
    must: float,
    ambition: float,
    *,
    counts: bool = True,
    more: bool = False,
) -> dict[str, Any]:
    """A target's row: less is better, or `more` is. Not judged unless it `counts`."""
    row = {"target": what, "is": value, "must": must, "ambition": ambition}
    if value is None or not counts:
        return {**row, "verdict": "not judged"}
    sign = -1 if more else 1
    met = [sign * value <= sign * limit for limit in (ambition, must)]
    return {**row, "verdict": "ambition met" if met[0] else "met" if met[1] else "missed"}


def picture(found: Findings) -> str:
    """CPU and p99 against calls, echo."""
    cost: dict[str, list[tuple[float, float]]] = {}
    time: dict[str, list[tuple[float, float]]] = {}
    for (name, pattern, calls), several in sorted(found.windows.items()):
        if pattern != "echo":
            continue
        # Who has fallen behind would squeeze all others against the axis.
        p99 = median(each.p99_ms for each in several)
        if name != DIRECT:
            us = median(each.cpu_us_per_message for each in several)
            cost.setdefault(name, []).append((calls, us))
        if p99 <= 2 * _STARVED_MS:
            time.setdefault(name, []).append((calls, p99))
    panels = [
        Panel("CPU, microseconds a message", cost),
        Panel("p99 of the round trip, milliseconds", time),
    ]
    return drawn(panels, "CPU per message and p99 against calls at once")
