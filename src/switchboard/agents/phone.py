"""What an agent is on the telephone."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from switchboard.agents.humans import (
    BRING_IN,
    PRESS_KEYS,
    SEND_KEYS,
    TRANSFER,
    HumanEntry,
    human_specs,
)
from switchboard.agents.recording import PhoneRecordingEntry
from switchboard.agents.turns import Written
from switchboard.conversation.rules import CONSOLE, Human
from switchboard.conversation.session import ToolSpec

type Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{4,14}$")]
type Region = Annotated[str, Field(pattern=r"^([A-Z]{2}|default)$")]
type Sentence = Annotated[str, Field(min_length=1, max_length=400)]
type MachinePolicy = Literal["hang_up", "leave_message", "go_on"]

EVERYWHERE = "default"
PRIVATE_KEYS: Final = "take_private_keys"
"""The tool by which a caller keys what the model may not know."""


class OnThePhone(Written):
    """How it answers the telephone, and how it rings people."""

    numbers: Annotated[tuple[Number, ...], Field(max_length=100)] = ()
    """Our numbers that it answers, E.164. An agent without any answers where no other does, if it
    is `PHONE_AGENT`, or the default."""
    choosable: bool = False
    """A caller may ask for it by the SIP header `X-Agent`. Callers write their headers themselves:
    not for an agent that may do what a stranger must not."""
    opening: Sentence | None = None
    """What it says first when it rings somebody, word for word; the `greeting` otherwise."""
    disclosure: Mapping[Region, Sentence] = {}
    """What must be said before anything else, by the country of the telephone (`DE`), or
    `default`: that a machine is speaking, that the call is recorded."""
    machine: MachinePolicy = "go_on"
    """What it does when an answering machine takes a call that it placed."""
    message: Sentence | None = None
    """What it leaves on an answering machine, word for word."""
    tools: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ()
    """Tools that it has on the telephone besides its own, by name."""
    recording: PhoneRecordingEntry | None = None
    """How its calls are recorded; left out, they are not."""

    humans: Annotated[tuple[HumanEntry, ...], Field(max_length=20)] = ()
    """Whom it can hand a caller to. Numbers must be allowed by the dialling rules as well; whoever
    is at the `console` can be had in browser calls, too."""
    transfer: bool = False
    """It may transfer a caller to them, and leave the call at once."""
    bring_in: bool = True
    """It may ring them while the caller waits, tell them what it is about, and then leave."""
    keys: bool = False
    """It may press keys, for machines that ask for them."""

    @property
    def transfer_tool(self) -> str | None:
        return TRANSFER if self.transfer and self._rung else None

    @property
    def bring_in_tool(self) -> str | None:
        return BRING_IN if (self.bring_in and self.humans) or self.at_console() else None

    @property
    def _rung(self) -> list[HumanEntry]:
        """Those whom a telephone rings for."""
        return [human for human in self.humans if human.to != CONSOLE]

    @property
    def line_tools(self) -> frozenset[str]:
        """Those that the telephone runs by itself."""
        return frozenset({SEND_KEYS}) if self.keys else frozenset()

    def directory(self) -> Mapping[str, Human]:
        return {human.name: human.human() for human in self.humans}

    def at_console(self) -> Mapping[str, Human]:
        """Those who can be had in browser calls as well."""
        return {name: human for name, human in self.directory().items() if human.at_console}

    def specs(self) -> list[ToolSpec]:
        """The telephone's tools that no toolbox has, as the model sees them."""
        handing = human_specs(
            self.humans if self.bring_in else [each for each in self.humans if each.to == CONSOLE],
            self._rung,
            bring_in=self.bring_in_tool is not None,
            transfer=self.transfer_tool is not None,
        )
        return [*handing, PRESS_KEYS] if self.keys else handing

    @property
    def private_tool(self) -> str | None:
        return PRIVATE_KEYS if PRIVATE_KEYS in self.tools else None

    @field_validator("disclosure")
    @classmethod
    def _known_regions(cls, disclosure: Mapping[str, str]) -> Mapping[str, str]:
        import phonenumbers  # takes a while, and few agents need it

        for region in disclosure:
            if region != EVERYWHERE and region not in phonenumbers.SUPPORTED_REGIONS:
                raise ValueError(f"there is no country {region}; write GB, DE or default")
        return disclosure

    @model_validator(mode="after")
    def _words_for_the_machine(self) -> Self:
        if self.machine == "leave_message" and self.message is None:
            raise ValueError("to leave a message there must be a `message`")
        return self

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        names = [human.name for human in self.humans]
        if len(set(names)) < len(names):
            raise ValueError("two of `humans` have the same name")
        return self

    def disclosed(self, number: str | None) -> str | None:
        """What must be said to this telephone, E.164. Nobody knows where a withheld one is: it is
        told what everybody is."""
        region = EVERYWHERE if number is None or not self.disclosure else _region(number)
        return self.disclosure.get(region, self.disclosure.get(EVERYWHERE))


def _region(number: str) -> str:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return EVERYWHERE
    return phonenumbers.region_code_for_number(parsed) or EVERYWHERE
