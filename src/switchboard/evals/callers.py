"""The simulated callers: what they do next, by what they have heard. They know no channel."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from switchboard.evals.scenario import PLACE, Act, Caller

HANG_UP: Final = Act(hang_up=True)
ANYTHING_ELSE: Final = re.compile(
    r"anything else|something else|what else|else (can|may|could) i|further (help|question)"
    r"|what would you like|how (can|may) i help",
    re.IGNORECASE,
)
FAREWELL: Final = re.compile(
    r"\b(goodbye|good bye|bye|have a (nice|good|great) day)\b", re.IGNORECASE
)
MOST_OTHERWISE: Final = 2
"""A caller who could not make sense of so many answers in a row gives up."""


class SimulatedCaller(Protocol):
    async def next(self, heard: Sequence[str]) -> Act:
        """What to do now. `heard`: all that the agent has said so far, line by line; the last of it
        since the caller's own last turn."""
        ...

    def interrupts(self) -> int | None:
        """How far into the agent's answer the next act comes; `None`: after it."""
        ...


def caller_of(caller: Caller, seed: int) -> SimulatedCaller:
    """The caller of a scenario, where it is not a free one. The same seed gives the same caller."""
    if caller.says is not None:
        return Scripted(caller)
    return Answering(caller, random.Random(seed))  # noqa: S311  (a choice of words)


class Scripted:
    """Says its lines, one after each of the agent's turns, whatever the agent says."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._left = list(caller.says or ())

    async def next(self, heard: Sequence[str]) -> Act:
        del heard
        if not self._left:
            return HANG_UP
        act = self._left.pop(0)
        act = Act(say=act) if isinstance(act, str) else act
        return _with_facts(act, self._caller)

    def interrupts(self) -> int | None:
        following = self._left[0] if self._left else None
        return following.interrupt if isinstance(following, Act) else None


class Answering:
    """Begins, and then answers from what it knows: a machine with one state and a memory of what it
    has said already."""

    def __init__(self, caller: Caller, chance: random.Random) -> None:
        self._caller = caller
        self._chance = chance
        self._begun = False
        self._known = 0
        self._said: Counter[int] = Counter()
        self._lost = 0
        self._ended = False

    async def next(self, heard: Sequence[str]) -> Act:
        fresh, self._known = " ".join(heard[self._known :]), len(heard)
        if not self._begun:
            self._begun = True
            return self._says(self._caller.begins or "")
        if self._ended:
            return HANG_UP
        for number, answer in enumerate(self._caller.answers):
            if self._said[number] < answer.times and re.search(answer.when, fresh, re.IGNORECASE):
                self._said[number] += 1
                self._lost = 0
                ways = [answer.say] if isinstance(answer.say, str) else list(answer.say)
                return self._says(self._chance.choice(ways))
        if ANYTHING_ELSE.search(fresh) or FAREWELL.search(fresh) or self._lost >= MOST_OTHERWISE:
            self._ended = True
            return self._says(self._caller.ends)
        self._lost += 1
        return self._says(self._caller.otherwise)

    def interrupts(self) -> int | None:
        return None

    def _says(self, text: str) -> Act:
        return _with_facts(Act(say=text), self._caller)


def _with_facts(act: Act, caller: Caller) -> Act:
    if act.say is None:
        return act
    told = PLACE.sub(lambda place: caller.facts.get(place[1], place[0]), act.say)
    return act.model_copy(update={"say": told})
