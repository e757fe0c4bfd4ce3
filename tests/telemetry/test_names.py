"""What alerts, workbook, scale rule and documentation go by is what is sent."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from switchboard.telemetry import names

ROOT: Final = Path(__file__).parents[2]
ALERTS: Final = (ROOT / "infra/modules/alerts.bicep").read_text(encoding="utf-8")
OPERATIONS: Final = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
WORKBOOK: Final = (ROOT / "infra/modules/workbook.json").read_text(encoding="utf-8")
SENT: Final = {
    value
    for name, value in vars(names).items()
    if name.isupper() and isinstance(value, str) and "." in value
}
NAME: Final = re.compile(r"\b(?:switchboard|gen_ai|error|http)(?:\.[a-z_]+)+\b")
FILES: Final = {"error.log", "switchboard.telemetry"}


def named(text: str) -> set[str]:
    return set(NAME.findall(text))


@pytest.mark.parametrize("file", ["alerts.bicep", "app.bicep", "workbook.json"])
def test_the_templates_ask_for_what_is_sent(file: str) -> None:
    text = (ROOT / "infra/modules" / file).read_text(encoding="utf-8")
    asked = named(text.replace("src/switchboard/telemetry/names.py", ""))
    assert asked
    assert asked <= SENT


def test_the_alerts_ask_for_lines_that_are_logged() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src/switchboard").rglob("*.py")
    )
    asked = re.findall(r'message == "([^"]+)"', ALERTS)
    assert asked
    assert all(f'"{text}"' in source for text in asked)


def test_every_name_is_documented() -> None:
    table = OPERATIONS.partition("## What is sent")[2].partition("\n## Alerts")[0]
    assert SENT - named(table) == set()
    assert {name for name in named(OPERATIONS) - SENT if not name.startswith("http.")} == set()


def test_every_alert_is_documented() -> None:
    made = set(re.findall(r"^    name: '([a-z-]+)'", ALERTS, re.MULTILINE))
    made |= {"database-storage"}
    table = OPERATIONS.partition("## Alerts")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE)) == made


def test_the_workbook_reads_application_insights() -> None:
    items: list[dict[str, Any]] = json.loads(WORKBOOK)["items"]
    asked = [each["content"] for each in items if each["type"] == 3]
    assert len(asked) > 10
    for query in asked:
        assert query["resourceType"] == "microsoft.insights/components"
        table = query["query"].partition(" ")[0]
        assert table in {"customMetrics", "dependencies", "requests", "traces"}
