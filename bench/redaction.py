"""What redaction finds of what it should, what it takes for something that it is not, and its time.

The labelled lines are in `tests/records/redaction`. A find counts where it is of the right kind and
overlaps the label; a label is leaked where a letter or digit of it would have been stored.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Final

from bench.report import percentile
from switchboard.records.redaction.kinds import FULL, Span
from switchboard.records.redaction.redactor import Redactor

SETS: Final = Path(__file__).parents[1] / "tests" / "records" / "redaction"
ROUNDS: Final = 20

type Find = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    private: Sequence[Span]


@dataclass(slots=True)
class Marks:
    """Of one kind."""

    labels: int = 0
    found: int = 0
    """Labels that were found as what they are."""
    leaked: int = 0
    """Labels of which something would have been stored, whatever they were taken for."""
    finds: int = 0
    false: list[str] = field(default_factory=list[str])
    missed: list[str] = field(default_factory=list[str])

    @property
    def precision(self) -> float:
        return 1 - len(self.false) / self.finds if self.finds else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.labels if self.labels else 1.0


def lines(*names: str) -> Iterator[Line]:
    """The labelled lines of these sets, or of all."""
    for file in sorted(SETS.glob("*.jsonl")):
        if names and file.stem not in names:
            continue
        for written in file.read_text(encoding="utf-8").splitlines():
            line = json.loads(written)
            spans = [Span(start, end, kind) for kind, start, end in line["private"]]
            yield Line(line["text"], spans)


def judge(all_lines: Sequence[Line], find: Find) -> dict[str, Marks]:
    """The marks of each kind."""
    marks = {kind: Marks() for kind in ("card", "email", "phone", "id")}
    for line in all_lines:
        found = list(find(line.text))
        hidden = {at for span in found for at in range(span.start, span.end)}
        for label in line.private:
            mark = marks[label.kind]
            mark.labels += 1
            if any(each.overlaps(label) and each.kind == label.kind for each in found):
                mark.found += 1
            else:
                mark.missed.append(line.text)
            shown = set(range(label.start, label.end)) - hidden
            mark.leaked += any(line.text[at].isalnum() for at in shown)
        for each in found:
            mark = marks[each.kind]
            mark.finds += 1
            if not any(each.overlaps(label) and each.kind == label.kind for label in line.private):
                mark.false.append(line.text)
    return marks


def rows(marks: dict[str, Marks]) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "labels": mark.labels,
            "finds": mark.finds,
            "precision": round(mark.precision, 3),
            "recall": round(mark.recall, 3),
            "leaked": mark.leaked,
        }
        for kind, mark in marks.items()
    ]


def timed(find: Find, texts: Sequence[str], rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds a text, each the best of its rounds."""
    best: list[float] = []
    for text in texts:
        took: list[float] = []
        for _ in range(rounds):
            begun = perf_counter_ns()
            find(text)
            took.append((perf_counter_ns() - begun) / 1_000)
        best.append(min(took))
    return {
        "p50": percentile(best, 50),
        "p95": percentile(best, 95),
        "longest": max(best),
        "mean": sum(best) / len(best),
    }


async def run(failures: int = 0) -> dict[str, Any]:
    """`failures=1` also names the lines that were judged wrong."""
    redactor = Redactor(FULL)
    known = list(lines())
    marks = judge(known, redactor.find)
    private = [line.text for line in known]
    plain = [line.text for line in lines("others")]
    result: dict[str, Any] = {
        "lines": len(known),
        "by kind": rows(marks),
        "microseconds a line": [
            {"lines": "all", **timed(redactor.find, private)},
            {"lines": "numbers of other things", **timed(redactor.find, plain)},
            {"lines": "no number at all", **timed(redactor.find, ["Nothing to see here, really."])},
            {"lines": "16 KiB of digits", **timed(redactor.find, ["4242 " * 3_276], 3)},
        ],
    }
    if failures:
        wrong = [{"kind": k, "missed": t} for k, mark in marks.items() for t in mark.missed]
        wrong += [{"kind": k, "false": t} for k, mark in marks.items() for t in mark.false]
        result["judged wrong"] = wrong
    return result
