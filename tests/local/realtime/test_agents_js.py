"""The official JavaScript SDK holds a conversation with the local cloud."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.local.realtime.conftest import JS, STOP, TRACK
from tests.local.realtime.doubles import Doubles, last_words, local_cloud, silence, tone
from tests.local.tokens import token_at

pytestmark = [pytest.mark.node, pytest.mark.timeout(180)]


def converse(node: str, port: int, speech: Path, interruption: Path) -> dict[str, Any]:
    """What happened in `converse.mjs`."""
    url = f"ws://127.0.0.1:{port}/openai/v1/realtime?model=gpt-realtime"
    command = [node, "converse.mjs", url, token_at(port), str(speech), str(interruption)]
    run = subprocess.run(command, cwd=JS, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def dispatcher(request: Request) -> list[Thought]:
    """Tracks a parcel when asked to, and says the result; else says something long."""
    said = last_words(request)
    if said.startswith("result"):
        return [Say(said)]
    if "parcel" in said:
        return [Call("track_parcel", '{"parcel_number": "4242"}')]
    return [Say("I can find what you sent, and tell you much besides.") for _ in "123"]


def test_the_javascript_sdk_holds_a_conversation(node: str, tmp_path: Path) -> None:
    speech = tmp_path / "speech.pcm"
    speech.write_bytes(silence(300) + tone(1200) + silence(1000))
    doubles = Doubles()
    doubles.ears.words = ["where is my parcel"]
    doubles.mind.script = dispatcher
    with local_cloud(doubles, local_pace=6) as cloud:
        seen = converse(node, cloud.port, speech, speech)
    assert "find what you sent" in seen["textReply"]
    assert "Lisbon" in seen["toolReply"]
    assert_all_went_well(seen)


@pytest.mark.embedded
def test_the_javascript_sdk_talks_with_the_embedded_engine(
    node: str, embedded_port: int, speech: Mapping[str, bytes], tmp_path: Path
) -> None:
    spoken, interruption = tmp_path / "speech.pcm", tmp_path / "interruption.pcm"
    spoken.write_bytes(speech[TRACK])
    interruption.write_bytes(speech[STOP])
    seen = converse(node, embedded_port, spoken, interruption)
    assert seen["textReply"]
    assert "Lisbon" in seen["toolReply"]
    assert_all_went_well(seen)


def assert_all_went_well(seen: dict[str, Any]) -> None:
    assert seen["errors"] == []
    assert seen["toolCalls"][0]["parcel_number"]
    assert seen["audioBytes"] > 48_000
    cut = seen["truncated"][0]
    heard = next(item for item in seen["history"] if item["itemId"] == cut["item_id"])
    assert len(heard["content"][0]["transcript"]) < len(seen["interrupted"])
