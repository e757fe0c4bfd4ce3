"""A variable is everywhere or nowhere: the settings, `.env.example`, the README's table.

What Azure is told is compared with the settings in tests/infra.
"""

import re
from pathlib import Path

import pytest

from switchboard.settings import Settings

ROOT = Path(__file__).parents[1]
KNOWN = {name.upper() for name in Settings.model_fields}
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
ASSIGNED = re.findall(r"^# ([A-Z][A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE)


def test_the_example_has_every_variable_once() -> None:
    assert sorted(name for name, _ in ASSIGNED) == sorted(KNOWN)


@pytest.mark.parametrize(("name", "value"), ASSIGNED)
def test_the_example_shows_the_default(name: str, value: str) -> None:
    # As the environment would say it; nothing else of this machine's environment is read.
    told = Settings.model_validate({name.lower(): value} if value else {})
    default = Settings.model_fields[name.lower()].default
    assert getattr(told, name.lower()) == default
    assert bool(value) == (default not in (None, "", ())), name


def test_the_example_sets_nothing_by_itself() -> None:
    assert all(line.startswith("#") or not line for line in EXAMPLE.splitlines())


def test_the_readme_explains_every_variable() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    settings = readme.partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in settings.splitlines() if line.startswith("| `")]
    explained = [name for row in rows for name in re.findall(r"`([A-Z][A-Z_]+)`", row)]
    assert sorted(explained) == sorted(KNOWN)
