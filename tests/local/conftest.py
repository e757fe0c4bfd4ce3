"""The local cloud as a user starts it, with its real engine, and callers who speak to it."""

import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping

import anyio
import pytest

from switchboard_local.engine.failures import PartMissing
from switchboard_local.engine.load import EngineChoice, load_engine
from tests.local.realtime.conftest import LINES
from tests.local.realtime.doubles import silence


@pytest.fixture(scope="session")
def embedded_port() -> Generator[int]:
    """The port of a local cloud with the embedded engine, in a process of its own."""
    command = [sys.executable, "-m", "switchboard_local", "serve"]
    environment = {**os.environ, "LOCAL_CLOUD_PORT": "0", "LOCAL_VOICE_STEADY": "true"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            parts = server.stdout.readline()
            assert "Switchboard local:" in parts
            if "fallback" in parts:
                pytest.skip(f"the embedded engine is not whole: {parts.strip()}")
            address = re.search(r":(\d+)/openai/v1/", server.stdout.readline())
            assert address is not None
            yield int(address[1])
        finally:
            server.terminate()
            server.wait(60)


@pytest.fixture(scope="session")
def speech() -> Mapping[str, bytes]:
    """Each of `LINES` as 24 kHz audio, with a pause before and after it."""

    async def speak() -> Mapping[str, bytes]:
        choice = EngineChoice("energy", "none", "piper", voice_programs=1, voice_steady=True)
        engine = await load_engine(choice)
        try:
            said = {line: [piece async for piece in engine.voice.speak(line)] for line in LINES}
        finally:
            await engine.aclose()
        return {
            line: silence(300) + b"".join(pieces) + silence(1200) for line, pieces in said.items()
        }

    try:
        return anyio.run(speak)
    except PartMissing as missing:
        pytest.skip(str(missing))
