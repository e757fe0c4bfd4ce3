"""The local cloud of a town with several servers."""

from collections.abc import Generator, Sequence

import pytest

from switchboard_local.mind.parts import Request, Say, Thought
from tests.local.realtime.doubles import Cloud, last_words
from tests.page.conftest import built_page
from tests.phone.ringing import clouded

__all__ = ["built_page"]


def obedient(request: Request) -> Sequence[Thought]:
    """Says what it is told to say, and whispers back what it was whispered."""
    if request.response_instructions:
        return [Say(request.response_instructions)]
    whispers = [
        str(part.get("text", ""))
        for item in request.items
        if item.get("role") == "system"
        for part in item["content"]
    ]
    return [Say(f"You said: {last_words(request)}. I was told: {' '.join(whispers) or 'nothing'}")]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    """A cloud whose agent is obedient, and the identity of this machine in it."""
    with clouded(monkeypatch) as cloud:
        cloud.doubles.mind.script = obedient
        yield cloud
