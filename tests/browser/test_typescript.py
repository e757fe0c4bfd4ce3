"""The page's types are the server's types."""

import subprocess
import sys
from pathlib import Path

from switchboard.browser.typescript import render

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "frontend/src/voice/protocol.gen.ts"


def test_committed_types_are_current() -> None:
    assert GENERATED.read_text(encoding="utf-8") == render(), (
        "run: uv run python -m switchboard.browser.typescript frontend/src/voice/protocol.gen.ts"
    )


def test_the_softphones_types_are_current(tmp_path: Path) -> None:
    written = tmp_path / "protocol.gen.ts"
    script = ROOT / "scripts/softphone_types.py"
    subprocess.run([sys.executable, str(script), str(written)], check=True, timeout=30)
    committed = ROOT / "frontend/softphone/protocol.gen.ts"
    assert committed.read_bytes() == written.read_bytes(), "run: make fix"


def test_what_the_page_may_leave_out_is_optional_and_what_the_server_sends_is_not() -> None:
    text = render()
    assert "readonly voice?: string | null;" in text
    assert "readonly heardChars: number | null;" in text


def test_every_message_carries_its_tag() -> None:
    text = render()
    for tag in ("'audio'", "'played'", "'ready'", "'flush'", "'refused'"):
        assert f"readonly type: {tag};" in text
