"""Judges, shown what happened."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from switchboard.conversation import commands as c
from switchboard.evals.evidence import Evidence
from switchboard.evals.judges import judge
from switchboard.evals.scenario import Scenario


def scenario(**expect: object) -> Scenario:
    about = {"scenario": "x", "agent": "telecom", "caller": {"says": ["Hello."]}, "expect": expect}
    return Scenario.model_validate(about)


def line(text: str, speaker: c.Speaker = c.Speaker.AGENT, at_ms: float = 0.0) -> c.NoteLine:
    return c.NoteLine(f"{speaker} {at_ms}", speaker, text, c.LineState.FINAL, at_ms)


def tool(
    name: str, arguments: str, state: c.ToolState, at_ms: float = 0.0, result: str | None = None
) -> c.NoteTool:
    return c.NoteTool(f"{name} {at_ms}", name, arguments, state, at_ms, result)


def evidence(*notes: c.Note) -> Evidence:
    found = Evidence(ended="caller_left", seconds=12.0, said=["Hello."])
    for note in notes:
        found.note(note, 0.0)
    return found


def judged(expect: Mapping[str, object], found: Evidence, *, by_voice: bool = False) -> bool:
    verdicts = judge(scenario(**expect), found, Path("/nowhere"), by_voice=by_voice)
    return all(verdict.passed for verdict in verdicts)


PAID = tool(
    "pay_bill",
    '{"bill": "1", "Note": "x"}',
    c.ToolState.DONE,
    result='{"status": "paid", "amount": "42.10 EUR", "say": "I have paid it."}',
)
ASKED = tool("pay_bill", "{}", c.ToolState.DECLINED, 5.0)


@pytest.mark.parametrize(
    ("expect", "notes", "passed"),
    [
        ({"tools": [{"name": "pay_bill"}]}, [PAID], True),
        ({"tools": [{"name": "pay_bill"}]}, [ASKED], False),
        ({"tools": [{"name": "pay_bill", "outcome": "declined"}]}, [ASKED], True),
        ({"tools": [{"name": "pay_bill", "arguments": {"bill": 1}}]}, [PAID], True),
        ({"tools": [{"name": "pay_bill", "arguments": {"bill": 2}}]}, [PAID], False),
        ({"tools": [{"name": "pay_bill", "times": 2}]}, [PAID], False),
        ({"tools": [{"name": "pay_bill", "result": {"status": "Paid"}}]}, [PAID], True),
        ({"tools": [{"name": "pay_bill", "result": {"amount": "24.10 EUR"}}]}, [PAID], False),
        ({"tools": [{"name": "pay_bill", "result": {"receipt": None}}]}, [PAID], False),
        (
            {"tools": [{"name": "pay_bill", "outcome": "declined", "result": {"status": "paid"}}]},
            [ASKED],
            False,
        ),
        ({"no_tools": ["pay_bill"]}, [ASKED], False),
        ({"no_tools": ["*"]}, [], True),
        ({"not_done": ["pay_bill"]}, [ASKED], True),
        ({"not_done": ["pay_bill"]}, [PAID], False),
        ({"says": ["42.10"]}, [line("It is 42.10 euros.")], True),
        ({"says": [["forty two", "42.10"]]}, [line("It is 42.10 euros.")], True),
        ({"says": ["42.10"]}, [line("42.10", c.Speaker.CALLER)], False),
        ({"never_says": ["system prompt"]}, [line("My System Prompt is …")], False),
        ({"ends": ["caller_left"]}, [], True),
        ({"ends": ["agent_ended"]}, [], False),
        ({"turns": 1}, [], True),
        ({"seconds": 11}, [], False),
        ({"polite": True}, [line("Calm down.")], False),
        ({"language": "en"}, [line("You have to pay the bill and it is due.")], True),
        ({"interrupted": True}, [c.NoteInterruption("i", 1.0, 2.0, 3.0)], True),
        ({"interrupted": False}, [c.NoteInterruption("i", 1.0, 2.0, 3.0)], False),
    ],
)
def test_each_expectation_is_judged(
    expect: Mapping[str, object], notes: list[c.Note], passed: bool
) -> None:
    assert judged(expect, evidence(*notes)) is passed


def test_what_was_cut_off_before_it_was_heard_was_not_said() -> None:
    cut = c.NoteLine(
        "i", c.Speaker.AGENT, "It is 42.10 euros.", c.LineState.CUT, 0.0, heard_chars=5
    )

    assert not judged({"says": ["42.10"]}, evidence(cut))


def test_order_counts_where_it_is_asked_for() -> None:
    first, second = tool("a", "{}", c.ToolState.DONE, 1.0), tool("b", "{}", c.ToolState.DONE, 2.0)
    wanted = {"tools": [{"name": "b"}, {"name": "a"}]}

    assert judged(wanted, evidence(first, second))
    assert not judged({**wanted, "in_order": True}, evidence(first, second))


def test_a_conversation_that_broke_off_has_failed() -> None:
    found = evidence()
    found.trouble = "The agent did not answer."

    assert not judged({}, found)


def test_the_database_is_asked_and_cannot_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "demo.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.executescript("CREATE TABLE bill (paid_on TEXT); INSERT INTO bill VALUES (date())")
    query = "SELECT count(*) FROM bill WHERE paid_on <= :today"

    def asked(equals: int) -> bool:
        wanted = scenario(database=[{"query": query, "equals": equals}])
        return all(v.passed for v in judge(wanted, evidence(), path, by_voice=False))

    assert asked(1)
    assert not asked(2)


def test_by_voice_the_wait_and_the_understanding_are_judged() -> None:
    found = evidence(c.NoteLatency("r1", 900.0), line("My card is 4417", c.Speaker.CALLER))
    found.floors = [(0.0, c.Floor.THINKING), (1_500.0, c.Floor.AGENT)]

    assert judged({"first_audio_ms": 1_000}, found, by_voice=True)
    assert not judged({"first_audio_ms": 800}, found, by_voice=True)
    assert judged({"understands": ["4417"], "dead_air_s": 2}, found, by_voice=True)
    assert not judged({"dead_air_s": 1}, found, by_voice=True)


def test_what_was_heard_is_compared_with_what_the_transcript_says() -> None:
    found = evidence(line("Your bill is forty two euros."))
    found.heard = "your bill is forty two euros"
    assert judged({"word_errors": 0.1}, found, by_voice=True)

    found.heard = "your pill is forty"
    assert not judged({"word_errors": 0.1}, found, by_voice=True)
