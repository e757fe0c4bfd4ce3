"""Everything a call must know of its agent before it begins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from switchboard.agents.book import AgentBook
from switchboard.conversation.rules import Rules
from switchboard.conversation.session import SessionSpec
from switchboard.errors import NotAllowed
from switchboard.tools.context import Resources
from switchboard.tools.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Brief:
    agent: str
    spec: SessionSpec
    rules: Rules
    toolbox: Toolbox
    offered: frozenset[str]
    """The tools that this agent may use."""
    resources: Resources


class Reception(Protocol):
    """Knows the agents, as they are configured at this moment."""

    def brief(self, agent: str, *, voice: str | None, model: str | None) -> Brief:
        """Raises `NotAllowed` for an agent, voice or model that is not offered."""
        ...


class Desk:
    """The reception of this house: reads the agent book anew for every call."""

    def __init__(
        self,
        book: AgentBook[Toolbox],
        resources: Resources,
        *,
        reattach_s: float = 10.0,
        today: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._book = book
        self._resources = resources
        self._reattach_s = reattach_s
        self._today = today

    def brief(self, agent: str, *, voice: str | None, model: str | None) -> Brief:
        edition = self._book.edition
        roster = edition.roster
        profile = roster.agents.get(agent)
        if profile is None:
            raise NotAllowed("There is no such agent.")
        if model is not None and model not in {choice.id for choice in roster.models}:
            raise NotAllowed("This model is not offered.")
        if voice is not None and voice not in {choice.id for choice in roster.voices}:
            raise NotAllowed("This voice is not offered.")
        tools = edition.tools
        spec = profile.session(tools.specs(profile.tools), model=model, voice=voice)
        rules = profile.rules(tools.rules(profile.tools), roster.prices.get(spec.model))
        return Brief(
            agent=agent,
            spec=replace(spec, instructions=f"{spec.instructions}\n\n{self._date()}"),
            rules=replace(rules, reattach_s=self._reattach_s),
            toolbox=tools,
            offered=frozenset(profile.tools),
            resources=self._resources,
        )

    def _date(self) -> str:
        """No model knows what day it is."""
        now = self._today()
        return f"Today is {now:%Y-%m-%d}, a {now:%A}. The time is {now:%H:%M}."
