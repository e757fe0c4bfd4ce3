"""How near a request is to each tool in meaning, by the sentence encoder.

Callers describe their trouble, tools their remedy: "the radiators are stone cold" and "report a
repair". A map learnt from pairs of both (`learnt.npz`) turns the one into the direction of the
other; `tests/local/mind/learn.py` makes it from the development set.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO

import numpy as np

from switchboard_local.mind.catalogue import Tool
from switchboard_local.mind.choices import spoken
from switchboard_local.mind.evidence import Card
from switchboard_local.mind.sentences import Sentences
from switchboard_local.mind.vectors import NoEmbeddings, Vector, unit

_FILE = "learnt.npz"


@dataclass(frozen=True)
class Lesson:
    """From the vector of a request towards that of the tool it means."""

    middle: Vector
    """The mean request, 384."""
    into: Vector
    """384 by rank."""
    out: Vector
    """Rank by 384."""

    def towards(self, request: Vector) -> Vector:
        return ((request - self.middle) @ self.into @ self.out).astype(np.float32, copy=False)


def load_lesson() -> Lesson:
    """Reads what was learnt. Raises `NoEmbeddings`."""
    try:
        data = files("switchboard_local.mind").joinpath(_FILE).read_bytes()
        with np.load(BytesIO(data), allow_pickle=False) as stored:
            return Lesson(*(stored[name].astype(np.float32) for name in ("middle", "into", "out")))
    except (OSError, KeyError, ValueError) as fault:
        raise NoEmbeddings(f"the mind's file {_FILE} cannot be read") from fault


def views(tool: Tool) -> list[str]:
    """A tool as sentences: its name, what it says of itself, what one would say, its arguments."""
    title, gist = " ".join(tool.title_words), tool.gist.rstrip(".")
    return [
        title,
        f"{title}: {tool.description}",
        f"I would like to {gist[:1].lower()}{gist[1:]}",
        f"{title}: {'; '.join(_told(tool))}",
    ]


def _told(tool: Tool) -> list[str]:
    return [
        " ".join([*slot.title_words, ", ".join(spoken(choice) for choice in slot.choices)]).strip()
        for slot in tool.slots
    ]


@dataclass(frozen=True)
class Sensed:
    """The vectors of a set of tools."""

    views: Vector
    """Tools by views by 384."""
    apart: Vector
    """What is each tool's own: its mean view less what all tools share. Tools by 384."""


def sense(tools: Sequence[Tool], sentences: Sentences) -> Sensed:
    """Reads all tools: some ten milliseconds of CPU for each view."""
    each = np.stack([sentences.all(views(tool)) for tool in tools])
    whole = np.stack([unit(view) for view in each.mean(axis=1)])
    return Sensed(each, whole - whole.mean(axis=0))


class Senses:
    """Nearness to one set of tools, whose vectors are made in the background."""

    def __init__(
        self, cards: Sequence[Card], sentences: Sentences, lesson: Lesson, worker: Executor
    ) -> None:
        self._sentences, self._lesson = sentences, lesson
        tools = [card.tool for card in cards]
        self._sensed = worker.submit(sense, tools, sentences) if tools else None

    def columns(self, text: str) -> list[tuple[float, float, float]]:
        """For each tool: nearness to its nearest view, to what is its own, and as learnt."""
        if self._sensed is None:
            return []
        sensed, request = self._sensed.result(), self._sentences.of(text)
        return measured(sensed, request, self._lesson.towards(request))


def measured(sensed: Sensed, request: Vector, towards: Vector) -> list[tuple[float, float, float]]:
    """The columns `told`, `own` and `learnt`."""
    told = (sensed.views @ request).max(axis=1)
    own, learnt = sensed.apart @ request, 5.0 * (sensed.apart @ towards)
    return list(zip(told.tolist(), own.tolist(), learnt.tolist(), strict=True))
