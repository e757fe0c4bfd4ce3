"""A folder with a small configuration, to be edited as an operator edits it."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchboard.agents.book import AgentBook

CONFIG: dict[str, Any] = {
    "agents": [
        {
            "id": "desk",
            "title": "The desk",
            "model": "big",
            "voice": "ash",
            "prompt": "prompts/desk.md",
            "greeting": "Hello.",
            "tools": ["look_up", "hang_picture"],
        },
        {
            "id": "night",
            "title": "The night desk",
            "model": "small",
            "voice": "sage",
            "prompt": "prompts/night.md",
        },
    ],
    "models": [{"id": "big", "title": "Big"}, {"id": "small", "title": "Small"}],
    "voices": [{"id": "ash", "title": "Ash"}, {"id": "sage", "title": "Sage"}],
    "prices": {
        "as_of": "2026-11-01",
        "models": {
            "big": {
                "input_text": 1,
                "input_audio": 2,
                "cached_text": 0.1,
                "cached_audio": 0.2,
                "output_text": 3,
                "output_audio": 4,
            }
        },
    },
}


@dataclass(frozen=True)
class Shelf:
    names: Collection[str] = ("look_up", "hang_picture", "lock_up")


def shelf(_sources: Sequence[str], _folder: Path) -> Shelf:
    return Shelf()


class House:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "session_config.json"
        self.prompts = folder / "prompts"
        self.prompts.mkdir()
        (self.prompts / "desk.md").write_text("You keep the desk.\n")
        (self.prompts / "night.md").write_text("You keep the night desk.\n")
        self.write(CONFIG)

    def write(self, config: object) -> None:
        self.path.write_text(json.dumps(config, indent=2))

    def edit(self, old: str, new: str) -> int:
        """Replace the first `old`; the line it stood on."""
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def book(self) -> AgentBook[Shelf]:
        return AgentBook(self.path, shelf)
