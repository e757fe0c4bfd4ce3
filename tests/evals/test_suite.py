"""The shipped scenarios, offline, as `switchboard eval` runs them."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from switchboard.evals.results import Result
from tests.evals.runs import ROOT, changed_house, compare, evaluate, only

MODULES = [
    "switchboard.tools.telecom",
    "switchboard.tools.government",
    "switchboard.tools.banking",
    "switchboard.tools.banking_pin",
    "switchboard.tools.keypad",
]
BROKEN_TOOL = '''
from switchboard.tools.context import ToolContext
from switchboard.tools.toolbox import tool


@tool(title="Check the phone bill")
async def get_bill(ctx: ToolContext) -> dict[str, object]:
    """How much the caller's phone bill is, and when it is due."""
    return {"amount": "99.99 EUR", "say": "Your bill is 99.99 euros."}
'''


DEAF = """\
scenario: Hears what it is asked
agent: telecom
longest_s: 40
caller:
  says: ["What time does your shop open?", {hang_up: true}]
expect:
  says: [["nine to seven", "9 to 7"]]
"""


NARROW = """\
scenario: Asks one of several questions, on a telephone's line
agent: telecom
longest_s: 240
caller:
  line: {rate_hz: 8000}
  begins: Hello there.
  answers:
    - when: "help|do for you"
      say: ["What time does your shop open?", "What are your opening hours?"]
      times: 1
expect:
  says: [["nine to seven", "9 to 7"]]
"""
OF_THE_CALLER = "WHERE person = ? AND paid_on IS NULL"
WRONG_BILLS = {
    "somebody else's": (OF_THE_CALLER, "WHERE person <> ? AND paid_on IS NULL"),
    "with another amount": (
        '"UPDATE bill SET paid_on = ? WHERE id = ?"',
        '"UPDATE bill SET cents = cents + 100, paid_on = ? WHERE id = ?"',
    ),
    "told with another amount": (
        """"status": "paid",
        "amount": euros(bill["cents"])""",
        """"status": "paid",
        "amount": euros(bill["cents"] + 100)""",
    ),
    "only said to be": (
        'str(rows.today), bill["id"])',
        "str(rows.today), -1)",
    ),
}


def asked(result: Result) -> set[str]:
    """Which of the questions the caller chose."""
    return {said for said in result.said if said in NARROW and "?" in said and "again" not in said}


def folders(folder: Path, *names: str) -> list[Path]:
    found = [folder / name for name in names]
    for each in found:
        each.mkdir()
    return found


def test_every_shipped_scenario_passes_as_text(tmp_path: Path, cloud: Mapping[str, str]) -> None:
    junit, page = tmp_path / "junit.xml", tmp_path / "run.html"
    reports = ["--junit", str(junit), "--html", str(page)]
    found = evaluate(tmp_path, "--seed", "3", *reports, environment=cloud)

    assert found.run is not None, found.said
    assert found.failed() == [], found.said
    assert found.status == 0
    suite = ET.parse(junit).getroot()[0]
    assert int(suite.attrib["tests"]) == len(found.run.results) >= 30
    assert f"{len(found.run.results)} of".encode() in page.read_bytes()


def test_the_same_seed_gives_the_same_verdicts(tmp_path: Path, cloud: Mapping[str, str]) -> None:
    some = only("telecom-changes-plan", "bank-transfer", "bank-blocks-card", "city-pothole")
    first, again = (
        evaluate(each, *some, "--repeat", "2", "--seed", "11", environment=cloud)
        for each in folders(tmp_path, "a", "b")
    )

    assert first.verdicts() == again.verdicts()
    assert first.run is not None
    assert again.run is not None
    assert [each.said for each in first.run.results] == [each.said for each in again.run.results]


def test_a_broken_tool_is_caught(tmp_path: Path, cloud: Mapping[str, str]) -> None:
    (tmp_path / "broken.py").write_text(BROKEN_TOOL)
    rest = (ROOT / "src/switchboard/tools/telecom.py").read_text()
    (tmp_path / "rest.py").write_text(rest.replace('@tool(title="Check the phone bill")\n', ""))
    config = changed_house(tmp_path, {"modules": ["broken.py", "rest.py", *MODULES[1:]]}, {})
    found = evaluate(
        tmp_path,
        *only("telecom-data-and-bill", "telecom-outage"),
        environment={**cloud, "SESSION_CONFIG": str(config)},
    )

    assert found.run is not None, found.said
    assert found.failed() == ["telecom-data-and-bill"], found.said
    assert found.status == 1
    assert "42.10" in found.said


@pytest.mark.parametrize("how", WRONG_BILLS)
def test_a_wrong_bill_that_is_paid_is_caught(
    tmp_path: Path, cloud: Mapping[str, str], how: str
) -> None:
    right, wrong = WRONG_BILLS[how]
    code = (ROOT / "src/switchboard/tools/telecom.py").read_text()
    assert right in code
    (tmp_path / "telecom.py").write_text(code.replace(right, wrong))
    config = changed_house(tmp_path, {"modules": ["telecom.py", *MODULES[1:]]}, {})
    found = evaluate(
        tmp_path,
        *only("telecom-pays-the-bill"),
        environment={**cloud, "SESSION_CONFIG": str(config)},
    )

    assert found.run is not None, found.said
    assert found.failed() == ["telecom-pays-the-bill"], found.said
    wrongs = {each.judge for each in found.run.results[0].verdicts if not each.passed}
    assert wrongs & {"database", "tool"}, wrongs


def test_a_broken_prompt_is_caught_and_compared(tmp_path: Path, cloud: Mapping[str, str]) -> None:
    config = changed_house(tmp_path, {}, {"telecom.md": "# Northwind\n\nYou answer calls.\n"})
    some = only("telecom-shop-hours", "telecom-outage")
    one, other = folders(tmp_path, "a", "b")
    before = evaluate(one, *some, environment=cloud)
    after = evaluate(other, *some, environment={**cloud, "SESSION_CONFIG": str(config)})
    said = compare(str(one / "run.json"), str(other / "run.json"))

    assert before.failed() == [], before.said
    assert after.failed() == ["telecom-shop-hours"], after.said
    assert "task success" in said
    assert "chance" in said  # two conversations prove nothing


@pytest.mark.embedded
@pytest.mark.timeout(400)
def test_a_broken_turn_detector_is_caught_by_voice(tmp_path: Path) -> None:
    deaf = {"turn_detection": {"type": "server_vad", "threshold": 1.0}}
    config = changed_house(tmp_path, deaf, {})
    scenario = tmp_path / "hears.yaml"
    scenario.write_text(DEAF)
    words = [str(scenario), "--by", "voice"]
    local = {"AZURE_OPENAI_ENDPOINT": ""}
    sound = evaluate(tmp_path, *words, environment=local)
    [folder] = folders(tmp_path, "broken")
    broken = evaluate(folder, *words, environment={**local, "SESSION_CONFIG": str(config)})

    assert sound.run is not None, sound.said
    assert sound.failed() == [], sound.said
    assert broken.failed() == ["hears"]


@pytest.mark.embedded
@pytest.mark.timeout(900)
def test_the_same_seed_gives_the_same_verdicts_by_voice(tmp_path: Path) -> None:
    scenario = tmp_path / "narrow.yaml"
    scenario.write_text(NARROW)
    words = [str(scenario), "--by", "voice", "--seed", "5"]
    first, again = (
        evaluate(each, *words, environment={"AZURE_OPENAI_ENDPOINT": ""})
        for each in folders(tmp_path, "a", "b")
    )

    assert first.verdicts() == again.verdicts()
    assert first.run is not None
    assert again.run is not None
    assert first.run.results[0].seed == again.run.results[0].seed
    # How often a caller has to say it again is the machine's doing; what they say is the seed's.
    assert asked(first.run.results[0]) == asked(again.run.results[0]) != set()


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_every_shipped_scenario_passes_by_voice(tmp_path: Path) -> None:
    found = evaluate(
        tmp_path, "--by", "voice", "--at-once", "2", environment={"AZURE_OPENAI_ENDPOINT": ""}
    )

    assert found.run is not None, found.said
    assert found.failed() == [], found.said
