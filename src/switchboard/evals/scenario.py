"""What a scenario may say: who calls, what they do, and what should come of it.

These types are the JSON Schema of `evals/*.yaml` (`switchboard eval --schema`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

type Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
type Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
type Needle = Text | Annotated[Sequence[Text], Field(min_length=1, max_length=20)]
"""A text to look for, or several of which one will do."""

PLACE = re.compile(r"\{(\w+)\}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Act(_Part):
    """One thing that a scripted caller does."""

    say: Text | None = None
    press: Annotated[str, StringConstraints(pattern=r"^[0-9*#]{1,32}$")] | None = None
    """Keys, pressed one after the other."""
    silent_s: Annotated[float, Field(gt=0, le=120)] | None = None
    """Say nothing for so long, and then go on."""
    hang_up: Literal[True] | None = None
    interrupt: Annotated[int, Field(ge=0, le=60_000)] | None = None
    """Do it this many milliseconds into the agent's answer, and not after it. Without a voice:
    this many characters into it."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        things = [self.say, self.press, self.silent_s, self.hang_up]
        if sum(thing is not None for thing in things) != 1:
            raise ValueError("name one of say, press, silent_s, hang_up")
        return self


class Answer(_Part):
    """What a caller says when the agent has said something like `when`."""

    when: Text
    """A regular expression, looked for in what the agent has said, whatever the case."""
    say: Text | Annotated[Sequence[Text], Field(min_length=1, max_length=20)]
    """One of several is chosen by the seed."""
    times: Annotated[int, Field(ge=1, le=100)] = 3
    """How often at most: a caller who is asked the same for ever gives up."""

    @field_validator("when")
    @classmethod
    def _compiles(cls, when: str) -> str:
        try:
            re.compile(when)
        except re.error as reason:
            raise ValueError(f"this is no regular expression: {reason}") from None
        return when


class Line(_Part):
    """What the caller's line does to their voice."""

    rate_hz: Literal[8_000, 16_000, 24_000] = 24_000
    loss: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """The share of 20 ms frames that never arrive: in their place there is silence."""
    jitter_ms: Annotated[float, Field(ge=0, le=500)] = 0.0
    """How much later than the quickest frames come, on average. They are put in order again for as
    long as `buffer_ms` allows; one that comes later still is as good as lost."""
    buffer_ms: Annotated[int, Field(ge=0, le=400)] = 60
    """How long the line's far end waits for a frame that is late; the voice comes later by that."""
    swapped: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """The share of frames that change places with the next, where nobody puts them in order."""
    noise_db: Annotated[float, Field(ge=-90, le=-10)] | None = None
    """Background noise, decibels below full scale."""


class Caller(_Part):
    """Who calls. Exactly one of `says`, `begins`, `free` says how they speak."""

    persona: Text | None = None
    """Who they are and what mood they are in: for people, and for a free caller."""
    goal: Text | None = None
    facts: Annotated[Mapping[Name, Text], Field(max_length=50)] = Field(default_factory=dict)
    """What they know. `{name}` in what they say stands for it."""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    voice: Name | None = None
    speed: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    line: Line = Field(default_factory=Line)

    says: Annotated[Sequence[Text | Act], Field(min_length=1, max_length=100)] | None = None
    """A script: one line after each of the agent's turns."""
    begins: Text | None = None
    """The first words of a caller who then answers from `answers`."""
    answers: Annotated[Sequence[Answer], Field(max_length=100)] = ()
    """The first that fits what the agent has just said is taken."""
    otherwise: Text = "Could you say that again, please?"
    ends: Text = "That is all, thank you. Goodbye."
    """Said once the agent asks whether there is anything else, and `answers` had no more."""
    free: bool = False
    """Played by a chat model, from persona, goal and facts. Needs `--chat-url`."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.says is not None, self.begins is not None, self.free]
        if sum(ways) != 1:
            raise ValueError("a caller has one of says, begins, free")
        if self.answers and self.begins is None:
            raise ValueError("answers belong to a caller that begins")
        if self.free and not (self.persona and self.goal):
            raise ValueError("a free caller needs a persona and a goal")
        return self

    @model_validator(mode="after")
    def _facts_are_known(self) -> Self:
        said = [self.begins or "", self.ends, self.otherwise]
        said += [act if isinstance(act, str) else act.say or "" for act in self.says or ()]
        for answer in self.answers:
            said += [answer.say] if isinstance(answer.say, str) else answer.say
        for text in said:
            for place in PLACE.findall(text):
                if place not in self.facts:
                    raise ValueError(f"{{{place}}} is said, but no fact of this name is known")
        return self


class ToolCalled(_Part):
    """A tool that has to be called."""

    name: Name
    arguments: Mapping[Name, Any] = Field(default_factory=dict)
    """Those that matter; others may be there. Texts are compared without regard to case."""
    result: Mapping[Name, Any] = Field(default_factory=dict)
    """What it gives back, where it matters: those of its fields. Compared in the same way."""
    outcome: Literal["done", "failed", "declined", "asking", "any"] = "done"
    times: Annotated[int, Field(ge=1, le=100)] | None = None
    """Exactly so often; else at least once."""


class Row(_Part):
    """Something that the demo database has to hold afterwards."""

    query: Annotated[str, StringConstraints(pattern=r"(?is)^\s*select\s", max_length=1_000)]
    """One value; `:today` stands for the day."""
    equals: str | int | float | None


class Expect(_Part):
    """What should come of it. What is not named does not matter."""

    tools: Sequence[ToolCalled] = ()
    in_order: bool = False
    """The tools are called in this order."""
    no_tools: Sequence[Name] = ()
    """Never called, whatever came of it. `["*"]`: no tool at all."""
    not_done: Sequence[Name] = ()
    """They may be asked for, but not carried out: nobody agreed."""
    says: Sequence[Needle] = ()
    """The agent says it: words and numbers are compared, not spelling or case."""
    never_says: Sequence[Text] = ()
    understands: Sequence[Needle] = ()
    """The transcript of the caller has it. By voice only."""
    database: Sequence[Row] = ()
    ends: Sequence[Name] = ()
    """One of these is why the call ended: goodbye, caller_left, transferred, silence, …"""
    interrupted: bool | None = None
    """Whether the agent was interrupted, and fell silent."""
    opinions: Annotated[Sequence[Text], Field(max_length=20)] = ()
    """Criteria in words, for a judge that is a chat model; without one they are not judged."""
    polite: bool = False
    """The agent neither shouts nor blames; see `judges`."""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] | None = None
    turns: Annotated[int, Field(ge=1, le=200)] | None = None
    """The most that the caller needs."""
    seconds: Annotated[float, Field(gt=0, le=3_600)] | None = None
    first_audio_ms: Annotated[float, Field(gt=0)] | None = None
    """The 95th percentile of the answers' first sound. By voice only."""
    dead_air_s: Annotated[float, Field(gt=0)] | None = None
    """The longest that nobody says anything after a turn of the caller's. By voice only."""
    word_errors: Annotated[float, Field(gt=0, le=1)] | None = None
    """The word error rate between what the agent's transcript says and what was heard of it. By
    voice only."""


class Scenario(_Part):
    """One conversation."""

    scenario: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    """Its name."""
    about: Text | None = None
    agent: Name
    model: Name | None = None
    tags: Sequence[Name] = ()
    caller: Caller
    expect: Expect
    voice_only: bool = False
    """It makes no sense as text."""
    longest_s: Annotated[float, Field(gt=0, le=3_600)] = 120
    """Then it is broken off, and has failed."""


def schema_text() -> str:
    """The JSON Schema of a scenario, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(schema | Scenario.model_json_schema(), indent=2) + "\n"
