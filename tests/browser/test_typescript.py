"""The page's types are the server's types."""

from pathlib import Path

from switchboard.browser.typescript import render

GENERATED = Path(__file__).parents[2] / "frontend/src/voice/protocol.gen.ts"


def test_committed_types_are_current() -> None:
    assert GENERATED.read_text(encoding="utf-8") == render(), (
        "run: uv run python -m switchboard.browser.typescript frontend/src/voice/protocol.gen.ts"
    )


def test_what_the_page_may_leave_out_is_optional_and_what_the_server_sends_is_not() -> None:
    text = render()
    assert "readonly voice?: string | null;" in text
    assert "readonly heardChars: number | null;" in text


def test_every_message_carries_its_tag() -> None:
    text = render()
    for tag in ("'audio'", "'played'", "'ready'", "'flush'", "'refused'"):
        assert f"readonly type: {tag};" in text
