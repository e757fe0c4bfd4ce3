"""Deliberate faults, one small change each (`mutants.toml`): the rule named for it must notice."""

import shutil
import tomllib
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.infra.bicep.errors import BicepError
from tests.infra.bicep.expand import expand
from tests.infra.bicep.names import complaints
from tests.infra.bicep.parser import read
from tests.infra.rules import RULES
from tests.infra.scenarios import INFRA, SCENARIOS


class Mutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    file: str
    old: str
    new: str
    rule: str
    """One of `RULES`; `text`: seen without a scenario; `stops`: nothing is deployed at all."""
    scenario: str = "public full"


MUTANTS: Final = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "mutants.toml").read_text(encoding="utf-8"))["mutant"],
    list[Mutant],
)


def caught(mutant: Mutant, infra: Path) -> list[str]:
    if mutant.rule == "text":
        return [each for path in infra.rglob("*.bicep") for each in complaints(read(path))]
    scenario = SCENARIOS[mutant.scenario]
    if mutant.rule == "stops":
        with pytest.raises(BicepError) as refusal:
            expand(infra / "main.bicep", scenario.given)
        return [str(refusal.value)]
    return list(RULES[mutant.rule](expand(infra / "main.bicep", scenario.given), scenario))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_deliberate_fault_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    infra = tmp_path / "infra"
    shutil.copytree(INFRA, infra)
    file = infra / mutant.file
    text = file.read_text(encoding="utf-8")
    assert mutant.old in text, "the templates have moved on: so must this fault"
    file.write_text(text.replace(mutant.old, mutant.new, 1), encoding="utf-8")
    assert caught(mutant, infra)


def test_every_rule_has_a_fault_that_it_catches() -> None:
    assert {mutant.rule for mutant in MUTANTS} == RULES.keys() | {"text", "stops"}
