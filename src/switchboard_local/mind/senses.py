"""How near a request is to each tool in meaning, by the sentence encoder.

Callers describe their trouble, tools their remedy: "the radiators are stone cold" and "report a
repair". The taught reader brings the two together; the encoder as its authors made it has an
opinion of its own.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from switchboard_local.mind.catalogue import Tool
from switchboard_local.mind.choices import spoken
from switchboard_local.mind.evidence import Card
from switchboard_local.mind.reader import Reader, Told
from switchboard_local.mind.sentences import Sentences
from switchboard_local.mind.vectors import Vector, unit

_NATS = 10.0
"""What the reader tells is divided by it, to be of the size of the other columns."""


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
    told: Told
    """What the reader makes of them."""


def sense(tools: Sequence[Tool], plain: Sentences, reader: Reader) -> Sensed:
    """Reads all tools: some ten milliseconds of CPU for each view."""
    each = np.stack([plain.all(views(tool)) for tool in tools])
    return Sensed(each, _apart(each), reader.tell_tools(tools))


def _apart(each: Vector) -> Vector:
    whole = np.stack([unit(view) for view in each.mean(axis=1)])
    return whole - whole.mean(axis=0)


class Senses:
    """Nearness to one set of tools, whose vectors are made in the background."""

    def __init__(
        self, cards: Sequence[Card], plain: Sentences, reader: Reader, worker: Executor
    ) -> None:
        self._plain, self._reader = plain, reader
        tools = [card.tool for card in cards]
        self._sensed = worker.submit(sense, tools, plain, reader) if tools else None

    def columns(self, text: str) -> list[tuple[float, float, float]]:
        """For each tool: nearness to its nearest view, to what is its own, and as learnt."""
        if self._sensed is None:
            return []
        sensed = self._sensed.result()
        return measured(sensed, self._plain.of(text), self._reader.tools(text, sensed.told))


def measured(sensed: Sensed, plain: Vector, read: Vector) -> list[tuple[float, float, float]]:
    """The columns `told`, `own` and `learnt`: of a request's vector, and of what was read of it."""
    told = (sensed.views @ plain).max(axis=1)
    own, learnt = sensed.apart @ plain, read / _NATS
    return list(zip(told.tolist(), own.tolist(), learnt.tolist(), strict=True))
