"""Learns the router's map and weights anew from the development sets beside this file.

Usage: python -m tests.local.mind.learn [--write]. Prints how often the right tool comes first,
second and third for the callers of `indirect.json`, each business held out, and the weights to put
into `mind/weights.py`; `--write` also writes `mind/learnt.npz`.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchboard_local.mind import senses
from switchboard_local.mind.catalogue import read_tools
from switchboard_local.mind.evidence import FEATURES
from switchboard_local.mind.meaning import Meaning
from switchboard_local.mind.router import Router
from switchboard_local.mind.sentences import Sentences, load_sentences
from switchboard_local.mind.vectors import Vector, load_embeddings

type Rows = NDArray[np.float64]

RIDGE, RANK = 1.0, 64
SHRINK, STEPS, RATE = 0.002, 250, 0.1
INDIRECT_COUNTS = 5.0
"""How much more a request of `indirect.json` counts: no vocabulary was ever tuned on it."""
_SENSED = slice(FEATURES.index("told"), FEATURES.index("learnt") + 1)


@dataclass(frozen=True)
class Example:
    """A request, the evidence for each tool of its business, and the right one."""

    business: str
    vector: Vector
    rows: Rows
    right: int
    weight: float


class School:
    """The development sets, read."""

    def __init__(self) -> None:
        here = Path(__file__).parent / "data"
        sets: dict[str, dict[str, Any]] = {
            name: json.loads((here / f"{name}.json").read_text())
            for name in ("development", "indirect")
        }
        self.indirect = sorted(sets["indirect"]["toolsets"])
        self._sentences, self._embeddings = load_sentences(), load_embeddings()
        self.sensed: dict[str, senses.Sensed] = {}
        self.examples: list[Example] = []
        for name, one in sets.items():
            self._read(one, INDIRECT_COUNTS if name == "indirect" else 1.0)
        self._lessons: dict[frozenset[str], senses.Lesson] = {}

    @property
    def sentences(self) -> Sentences:
        return self._sentences

    def _read(self, data: dict[str, Any], weight: float) -> None:
        routers: dict[str, Router] = {}
        for business, toolset in data["toolsets"].items():
            tools = read_tools(toolset["tools"])
            routers[business] = Router(tools, lambda cards: Meaning(cards, self._embeddings))
            self.sensed[business] = senses.sense(tools, self._sentences)
        for one in data["requests"]:
            if one["tool"] is None:
                continue
            router, text = routers[one["toolset"]], one["text"]
            right = [tool.name for tool in router.tools].index(one["tool"])
            rows = np.array(router.features(text))
            self.examples.append(
                Example(one["toolset"], self._sentences.of(text), rows, right, weight)
            )

    def lesson(self, *held_out: str) -> senses.Lesson:
        """The map learnt from all businesses but those held out."""
        key = frozenset(held_out)
        if key not in self._lessons:
            self._lessons[key] = self._learn(key)
        return self._lessons[key]

    def _learn(self, held_out: frozenset[str]) -> senses.Lesson:
        """Ridge regression from requests to what is their tools' own."""
        known = [one for one in self.examples if one.business not in held_out]
        said = np.stack([one.vector for one in known])
        meant = np.stack([self.sensed[one.business].apart[one.right] for one in known])
        middle = said.mean(axis=0)
        said = said - middle
        inner = said @ said.T + RIDGE * np.eye(len(said))
        left, size, right = np.linalg.svd(said.T @ np.linalg.solve(inner, meant))
        into = (left[:, :RANK] * size[:RANK]).astype(np.float32)
        return senses.Lesson(middle, into, right[:RANK].astype(np.float32))

    def evidence(self, one: Example, *held_out: str) -> Rows:
        """The rows of an example, by a map that never saw its business nor those held out."""
        lesson = self.lesson(one.business, *held_out)
        rows = one.rows.copy()
        towards = lesson.towards(one.vector)
        rows[:, _SENSED] = senses.measured(self.sensed[one.business], one.vector, towards)
        return rows


def learnt_weights(rows: list[Rows], examples: list[Example]) -> Rows:
    """Softmax regression by Adam."""
    most, count = max(len(one) for one in rows), len(FEATURES)
    x = np.zeros((len(rows), most, count))
    absent = np.full((len(rows), most), -1e9)
    for at, one in enumerate(rows):
        x[at, : len(one)], absent[at, : len(one)] = one, 0.0
    share = np.array([one.weight for one in examples])
    share /= share.sum()
    chosen = (share[:, None] * x[np.arange(len(rows)), [one.right for one in examples]]).sum(axis=0)
    weights, mean, spread = np.zeros(count), np.zeros(count), np.zeros(count)
    for step in range(1, STEPS + 1):
        scores = x @ weights + absent
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        slope = np.einsum("i,in,inc->c", share, odds, x) - chosen + SHRINK * weights
        mean, spread = 0.9 * mean + 0.1 * slope, 0.99 * spread + 0.01 * slope**2
        rise = mean / (1 - 0.9**step) / (np.sqrt(spread / (1 - 0.99**step)) + 1e-8)
        weights = weights - RATE * rise
    return _bounded(weights)


def _bounded(weights: Rows) -> Rows:
    """What the sets hold too few cases of to learn."""
    for name, low, high in (("opposite", -9, -1.5), ("odd", -9, -0.5), ("coded", 1.2, 9)):
        at = FEATURES.index(name)
        weights[at] = min(max(weights[at], low), high)
    return weights


def held_out_ranks(school: School, business: str) -> list[int]:
    """For each request to a business, how many of its tools came before the right one."""
    known = [one for one in school.examples if one.business != business]
    weights = learnt_weights([school.evidence(one, business) for one in known], known)
    asked = [one for one in school.examples if one.business == business]
    scores = [school.evidence(one) @ weights for one in asked]
    return [int((score > score[one.right]).sum()) for score, one in zip(scores, asked, strict=True)]


def _tell(figures: dict[str, float]) -> None:
    sys.stdout.write(f"{ {name: round(value, 3) for name, value in figures.items()} }\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write mind/learnt.npz")
    write = parser.parse_args().write
    school = School()
    ranks = np.array([rank for name in school.indirect for rank in held_out_ranks(school, name)])
    _tell({f"first {n}": float((ranks < n).mean()) for n in (1, 2, 3)})
    rows = [school.evidence(one) for one in school.examples]
    weights = learnt_weights(rows, school.examples)
    _tell(dict(zip(FEATURES, weights.tolist(), strict=True)))
    if write:
        lesson = school.lesson()
        arrays = {name: getattr(lesson, name).astype(np.float16) for name in vars(lesson)}
        target = Path(senses.__file__).with_name("learnt.npz")
        np.savez_compressed(target, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
