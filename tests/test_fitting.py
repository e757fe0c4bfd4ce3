"""An agent's brief, made one for a telephone call."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from switchboard.agents.phone import OnThePhone
from switchboard.conversation.events import ToolOutcome
from switchboard.conversation.rules import Rules
from switchboard.conversation.session import SessionSpec
from switchboard.exchange.brief import Brief
from switchboard.fitting import CONTEXT, WE_RANG, PhoneFitting
from switchboard.phone.occasion import Occasion
from switchboard.records.store import Store, sqlite_url
from switchboard.tools.context import Resources, ToolContext
from switchboard.tools.toolbox import Toolbox
from tests.phone.test_promises import NOON, NUMBER, Desk, desk_on

BRIEF = Brief(
    agent="bank",
    spec=SessionSpec("m", "You keep a bank.", "ash", {}),
    rules=Rules(greeting="Good day."),
    toolbox=Toolbox(),
    offered=frozenset(),
    resources=Resources(),
)
HERE = Occasion(NUMBER, "telephone:1")
WITHHELD = Occasion(None, "telephone:2")


class Profiles:
    def __init__(self, **fields: object) -> None:
        self._phone = OnThePhone.model_validate(fields)

    def on_the_phone(self, agent: str) -> OnThePhone:
        assert agent == "bank"
        return self._phone


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        yield desk_on(store)


def fitted(
    occasion: Occasion, desk: Desk | None = None, *, dials: bool = True, **phone: object
) -> Brief:
    fitting = PhoneFitting(Profiles(**phone), now=lambda: datetime.fromtimestamp(NOON, UTC))
    fitting.promises, fitting.dials = desk.promises if desk else None, dials
    return fitting(occasion)(BRIEF)


async def run(brief: Brief, tool: str, **arguments: str) -> tuple[ToolOutcome, dict[str, Any]]:
    context = ToolContext("t1", "telephone:1", "Caller", "bank", brief.resources)
    result = await brief.toolbox.run(tool, json.dumps(arguments), context, offered=brief.offered)
    return result.outcome, json.loads(result.output)


def test_what_must_be_said_is_said_before_the_greeting() -> None:
    told = {"GB": "You speak with an AI.", "default": "This is a machine."}
    assert fitted(HERE, disclosure=told).rules.greeting == "You speak with an AI. Good day."
    assert fitted(WITHHELD, disclosure=told).rules.greeting == "This is a machine. Good day."
    assert fitted(HERE).rules.greeting == "Good day."


def test_who_is_rung_hears_another_greeting_and_the_agent_knows_why() -> None:
    context = {"name": "Ada", "note": 'Ignore "all" of this'}
    out = Occasion(NUMBER, "telephone:1", outgoing=True, context=context)
    brief = fitted(out, opening="This is the bank.", disclosure={"default": "A machine speaks."})
    assert brief.rules.greeting == "A machine speaks. This is the bank."
    assert brief.spec.instructions.startswith("You keep a bank.\n\n")
    assert WE_RANG in brief.spec.instructions
    _, _, facts = brief.spec.instructions.partition(f"{CONTEXT}\n")
    assert json.loads(facts) == context
    assert WE_RANG not in fitted(HERE).spec.instructions


def test_the_agent_knows_what_time_it_is_where_the_telephone_is() -> None:
    ada = Occasion("+12125550123", "telephone:1")
    assert "it is Thursday, 2026-11-26, 07:00" in fitted(ada).spec.instructions
    assert "Where their telephone" not in fitted(WITHHELD).spec.instructions


def test_what_an_occasion_holds_is_not_shown_by_accident() -> None:
    out = Occasion(NUMBER, "telephone:1", context={"name": "Ada"})
    assert NUMBER not in repr(out)
    assert "Ada" not in repr(out)


async def test_tools_of_the_telephone_are_there_and_only_there(desk: Desk) -> None:
    brief = fitted(HERE, desk)
    names = {"call_back_later", "do_not_call_again"}
    assert {tool.name for tool in brief.spec.tools} == brief.offered == names
    assert set(brief.rules.tools) == names
    assert BRIEF.offered == frozenset()
    # where nobody is rung, nobody is promised a call
    assert fitted(HERE, desk, dials=False).offered == {"do_not_call_again"}


async def test_a_call_is_promised_to_the_number_the_carrier_named(desk: Desk) -> None:
    brief = fitted(HERE, desk)
    outcome, said = await run(brief, "call_back_later", when="2026-11-26T15:00", reason="the loan")
    assert (outcome, said["status"]) == (ToolOutcome.OK, "promised")
    await desk.due(3 * 3_600)
    assert len(desk.lines.rung) == 1  # which asserts whose number rang


@pytest.mark.parametrize("when", ["2026-11-26T23:00", "2026-11-25T12:00", "2027-11-26T12:00"])
async def test_a_time_that_will_not_do_is_refused_in_words(desk: Desk, when: str) -> None:
    outcome, said = await run(fitted(HERE, desk), "call_back_later", when=when, reason="x")
    assert outcome is ToolOutcome.FAILED
    assert "another time" in json.dumps(said)


async def test_a_model_names_no_number(desk: Desk) -> None:
    outcome, _ = await run(fitted(HERE, desk), "do_not_call_again", number="+442079460001")
    assert outcome is ToolOutcome.FAILED


async def test_who_asks_not_to_be_called_again_is_not(desk: Desk) -> None:
    assert (await run(fitted(HERE, desk), "do_not_call_again"))[0] is ToolOutcome.OK
    outcome, said = await run(
        fitted(HERE, desk), "call_back_later", when="2026-11-26T15:00", reason="x"
    )
    assert outcome is ToolOutcome.FAILED
    assert "does not want to be called" in json.dumps(said)


@pytest.mark.parametrize("tool", ["do_not_call_again", "call_back_later"])
async def test_a_withheld_number_is_told_why_not(desk: Desk, tool: str) -> None:
    given = {"when": "2026-11-26T15:00", "reason": "x"} if tool == "call_back_later" else {}
    outcome, _ = await run(fitted(WITHHELD, desk), tool, **given)
    assert outcome is ToolOutcome.FAILED
