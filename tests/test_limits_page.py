"""The page of limits names tests that there are, and every variable that limits."""

import re
from pathlib import Path

from switchboard.settings import Settings

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = [
    line.split("|")
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| what")
]


def test_every_row_names_a_test_that_there_is() -> None:
    assert len(ROWS) > 30
    for row in ROWS:
        named = re.findall(r"`(tests/[a-z_/]+(?:\.py)?)`", row[-2])
        assert named, row[1]
        for path in named:
            assert (ROOT / path).exists(), path


def test_every_variable_that_limits_calls_is_on_it() -> None:
    limiting = ("call_", "calls_", "budget_", "lines_", "max_calls", "sockets_")
    known = [name.upper() for name in Settings.model_fields if name.startswith(limiting)]
    assert len(known) >= 13
    assert [name for name in known if f"`{name}`" not in PAGE] == []
