"""Scenarios as people write them, well and badly."""

from pathlib import Path

import pytest

from switchboard.errors import ConfigurationError
from switchboard.evals.reading import read, read_all
from switchboard.evals.scenario import schema_text

SHIPPED = Path(__file__).parents[2] / "evals"
GOOD = """\
scenario: Asks for the bill
agent: telecom
caller:
  says: ["How much is my bill?"]
expect:
  tools: [{name: get_bill}]
"""


def written(folder: Path, text: str, name: str = "one.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        read(written(folder, text))
    return str(refusal.value)


def test_a_scenario_is_read(tmp_path: Path) -> None:
    [found] = read(written(tmp_path, GOOD))

    assert found.id == "one"
    assert found.scenario.scenario == "Asks for the bill"
    assert found.scenario.expect.tools[0].name == "get_bill"


def test_one_file_may_hold_several(tmp_path: Path) -> None:
    found = read(written(tmp_path, f"{GOOD}---\n{GOOD}"))

    assert [each.id for each in found] == ["one.1", "one.2"]


def test_a_misspelt_word_is_named_with_its_line(tmp_path: Path) -> None:
    said = refused(tmp_path, GOOD.replace("tools:", "tols:"))

    assert "one.yaml:6: expect.tols" in said


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    bad = GOOD.replace("agent: telecom", "agnet: telecom").replace("{name: get_bill}", "{}")
    said = refused(tmp_path, bad)

    assert "agnet" in said
    assert "agent: Field required" in said
    assert "expect.tools.0.name" in said


def test_what_is_no_yaml_is_said_with_its_line(tmp_path: Path) -> None:
    said = refused(tmp_path, GOOD.replace('bill?"]', 'bill?"'))

    assert "one.yaml:5: this is no YAML" in said


def test_a_yes_is_a_word_and_a_number_may_be_one(tmp_path: Path) -> None:
    text = GOOD.replace('["How much is my bill?"]', "[Yes, No, {say: Off}]") + "  says: [42.10]\n"
    [found] = read(written(tmp_path, text))

    assert [*(found.scenario.caller.says or ())][:2] == ["Yes", "No"]
    assert [*found.scenario.expect.says] == ["42.1"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ('  says: ["Hello"]\n  begins: Hello', "one of says, begins, free"),
        ("  free: true", "needs a persona and a goal"),
        ('  says: ["My number is {number}."]', "no fact of this name"),
        ('  begins: Hello\n  answers: [{when: "(", say: Yes}]', "no regular expression"),
        ("  says: [{say: Yes, press: '1'}]", "name one of say, press"),
    ],
)
def test_a_caller_that_makes_no_sense_is_refused(tmp_path: Path, change: str, why: str) -> None:
    assert why in refused(tmp_path, GOOD.replace('  says: ["How much is my bill?"]', change))


def test_two_scenarios_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    written(tmp_path / "a", GOOD)
    written(tmp_path / "b", GOOD)

    with pytest.raises(ConfigurationError, match="two scenarios have this id"):
        read_all([tmp_path / "a", tmp_path / "b"])


def test_a_query_may_only_select(tmp_path: Path) -> None:
    bad = GOOD + '  database: [{query: "DELETE FROM bill", equals: 0}]\n'

    assert "expect.database.0.query" in refused(tmp_path, bad)


def test_at_least_thirty_are_shipped_and_they_try_what_callers_do() -> None:
    shipped = read_all([SHIPPED])
    tags = {tag for each in shipped for tag in each.scenario.tags}

    assert len(shipped) >= 30
    assert tags >= {
        "barge-in",
        "correction",
        "long-numbers",
        "silence",
        "backchannel",
        "side-speech",
        "wrong-answers",
        "injection",
        "distress",
        "change-of-goal",
        "two-requests",
    }


def test_the_schema_beside_them_is_theirs() -> None:
    assert (SHIPPED / "scenario.schema.json").read_text() == schema_text()
