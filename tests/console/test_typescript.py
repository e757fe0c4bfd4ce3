"""The console page's types are the server's types."""

from pathlib import Path

from switchboard.browser.typescript import render
from switchboard.console.typescript import CONSOLE

GENERATED = Path(__file__).parents[2] / "frontend/console/protocol.gen.ts"


def test_committed_types_are_current() -> None:
    assert GENERATED.read_text(encoding="utf-8") == render(CONSOLE), "run: make fix"
