"""How near a request is to each tool in meaning, by the sentence encoder.

Callers describe their trouble, tools their remedy: "the radiators are stone cold" and "report a
repair". A lesson (`learnt.npz`: corrections of rank 16 to the encoder's matrices) brings the two
together; `tests/local/mind/teach.py` made it from requests to tools of invented businesses.
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
from switchboard_local.mind.sentences import Lesson, Sentences
from switchboard_local.mind.vectors import NoEmbeddings, Vector, unit

_FILE = "learnt.npz"


def load_lesson() -> Lesson:
    """Reads what was learnt. Raises `NoEmbeddings`."""
    try:
        data = files("switchboard_local.mind").joinpath(_FILE).read_bytes()
        with np.load(BytesIO(data), allow_pickle=False) as stored:
            return {name: stored[name].astype(np.float32) for name in stored.files}
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
    taught: Vector
    """The same, by the taught encoder."""


def sense(tools: Sequence[Tool], plain: Sentences, taught: Sentences) -> Sensed:
    """Reads all tools: some ten milliseconds of CPU for each view and encoder."""
    texts = [views(tool) for tool in tools]
    each = np.stack([plain.all(one) for one in texts])
    return Sensed(each, _apart(each), _apart(np.stack([taught.all(one) for one in texts])))


def _apart(each: Vector) -> Vector:
    whole = np.stack([unit(view) for view in each.mean(axis=1)])
    return whole - whole.mean(axis=0)


class Senses:
    """Nearness to one set of tools, whose vectors are made in the background."""

    def __init__(
        self, cards: Sequence[Card], plain: Sentences, taught: Sentences, worker: Executor
    ) -> None:
        self._plain, self._taught = plain, taught
        tools = [card.tool for card in cards]
        self._sensed = worker.submit(sense, tools, plain, taught) if tools else None

    def columns(self, text: str) -> list[tuple[float, float, float]]:
        """For each tool: nearness to its nearest view, to what is its own, and as learnt."""
        if self._sensed is None:
            return []
        return measured(self._sensed.result(), self._plain.of(text), self._taught.of(text))


def measured(sensed: Sensed, plain: Vector, taught: Vector) -> list[tuple[float, float, float]]:
    """The columns `told`, `own` and `learnt`, of a request's two vectors."""
    told = (sensed.views @ plain).max(axis=1)
    own, learnt = sensed.apart @ plain, sensed.taught @ taught
    return list(zip(told.tolist(), own.tolist(), learnt.tolist(), strict=True))
