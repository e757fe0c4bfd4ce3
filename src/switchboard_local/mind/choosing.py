"""Which tool a turn means: one, a few to ask about, or none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from switchboard_local.mind import reference
from switchboard_local.mind.acts import answer, clauses
from switchboard_local.mind.catalogue import Tool
from switchboard_local.mind.lexicon import content
from switchboard_local.mind.numbers import ordinal_value
from switchboard_local.mind.reference import points
from switchboard_local.mind.router import Candidate, Router
from switchboard_local.mind.slots import fill
from switchboard_local.mind.state import State
from switchboard_local.mind.tasks import Desk
from switchboard_local.mind.text import words

NEAR = 0.2
"""A tool with at least this part of the best one's probability is a candidate for the question."""
FIT = 0.4
"""Below this a tool that changes something is offered before it is run at once."""
FAIR = 0.25
"""Below this a tool that is not far ahead is asked about, with the next best."""
SURE, SURE_SHARE = 0.8, 0.7
"""Strength and share at which a turn starts something new in the midst of something else."""


_APART = 0.6
"""Share at which a part of a turn is a request of its own."""
_NAMING = 7
"""Words beside a number, at most, that only name it: "the number on the slip is"."""


@dataclass(frozen=True)
class Chooser:
    """Chooses among the tools of one session."""

    desk: Desk
    router: Router

    def rank(self, state: State, text: str) -> list[Candidate]:
        """All tools by likelihood, those first that something told before is for."""
        ranked = list(self.router.rank(text))
        if not state.ran or not points(text):
            return ranked
        boosted = [
            replace(one, share=one.share * (3.0 if self._takes_told(one.tool, state) else 1.0))
            for one in ranked
        ]
        total = sum(one.share for one in boosted) or 1.0
        return sorted(
            (replace(one, share=one.share / total) for one in boosted), key=lambda one: -one.share
        )

    def _takes_told(self, tool: Tool, state: State) -> bool:
        return tool.changes and any(reference.candidates(slot, state.ran) for slot in tool.required)

    def rash(self, tool: Tool, text: str) -> bool:
        """Whether starting on the tool would change something without another word."""
        found = fill(tool.slots, self.desk.turn(text))
        return tool.changes and all(slot.name in found for slot in tool.required)

    def candidates(self, ranked: Sequence[Candidate]) -> list[Candidate]:
        """One tool when it is clear, two or three when they are close, none when nothing fits."""
        if not ranked or ranked[0].strength < self.router.weak:
            return []
        best = ranked[0]
        lead = best.share - (ranked[1].share if len(ranked) > 1 else 0.0)
        if lead >= self.router.margin and (best.strength >= FAIR or best.share >= 0.5):
            return [best]
        return [one for one in ranked[:3] if one.share >= NEAR * best.share]

    def sure(self, text: str, share: float = SURE_SHARE) -> Candidate | None:
        """The tool a turn means, when that is plain by itself."""
        ranked = self.router.rank(text)
        if not ranked or ranked[0].share < share or ranked[0].strength < SURE:
            return None
        return ranked[0]

    def several(self, text: str) -> list[str]:
        """The requests in one turn, in order, when each part plainly means a tool of its own."""
        parts = [part for part in clauses(text) if not self._identifies(part)]
        if not 2 <= len(parts) <= 4:
            return []
        best = [self.sure(part, share=_APART) for part in parts]
        names = [one.tool.name for one in best if one]
        if len(names) != len(parts) or len(set(names)) != len(names):
            return []
        return parts

    def _identifies(self, part: str) -> bool:
        """Whether a part only says who or what it is about: "it's account four four oh one"."""
        turn = self.desk.turn(part)
        read_out = {n for code in turn.codes for n in range(code.first, code.last)}
        return bool(read_out) and len(turn.said) - len(read_out) <= _NAMING

    def pick(self, tools: Sequence[Tool], text: str) -> Tool | None:
        said = answer(text)
        if len(tools) == 1:
            return tools[0] if said and said.yes else None
        if said and not said.yes and not said.rest:
            return None
        place = _position(words(text), len(tools))
        if place is not None:
            return tools[place]
        names = {tool.name for tool in tools}
        ranked = self.router.rank(text)
        among = [one for one in ranked if one.tool.name in names]
        if not among or not content(words(text)):
            return None
        best = ranked[0]
        elsewhere = (
            best.tool.name not in names and best.share > 0.6 and best.share > 4 * among[0].share
        )
        return None if elsewhere else among[0].tool


def _position(said: Sequence[str], count: int) -> int | None:
    for word in said:
        value = ordinal_value(word)
        if value is not None and value <= count:
            return value - 1
    if "former" in said:
        return 0
    return count - 1 if {"last", "latter"} & set(said) else None
