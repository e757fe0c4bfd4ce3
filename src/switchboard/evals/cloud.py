"""Evaluations without Azure: the local cloud, started for as long as they last."""

import os
import re
import secrets
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import anyio
import httpx
import msgspec
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from switchboard.errors import ConfigurationError

PROGRAM: Final = "switchboard-local"
START_S: Final = 90.0
STOP_S: Final = 10.0
_SAID: Final = re.compile(r"^Local cloud: (http://\S+?)/openai/v1/", re.MULTILINE)
_TELEPHONE: Final = re.compile(r"^Telephone: (\{.*\})$", re.MULTILINE)
_FIRST_NUMBER: Final = 200
_MOST_NUMBERS: Final = 64
"""The numbers of the local carrier are +15550200 and those that follow."""
SUBSCRIBE_S: Final = 20.0


class _Told(msgspec.Struct, frozen=True):
    """What the local cloud says of its carrier."""

    ACS_ENDPOINT: str
    ACS_ISSUER: str
    ACS_CA_FILE: str
    ACS_RESOURCE_ID: str


class Carrier:
    """The local cloud's telephone company."""

    def __init__(self, address: str, told: _Told) -> None:
        self._address = address
        self._told = told
        self._taken = 0
        self._callers = 0

    def take_number(self) -> str:
        """One that nobody has. Raises `ConfigurationError`."""
        if self._taken >= _MOST_NUMBERS:
            raise ConfigurationError(f"There are {_MOST_NUMBERS} numbers: lower --at-once.")
        self._taken += 1
        return f"+1555{_FIRST_NUMBER + self._taken - 1:04}"

    def settings(self, number: str | None, bell: str) -> Mapping[str, Any]:
        """What a server with this number is told of it."""
        return {
            "acs_endpoint": self._told.ACS_ENDPOINT,
            "acs_issuer": self._told.ACS_ISSUER,
            "acs_ca_file": self._told.ACS_CA_FILE,
            "acs_resource_id": self._told.ACS_RESOURCE_ID,
            "acs_number": number,
            "event_grid_secret": bell,
            "event_grid_tenant_id": None,
            "event_grid_audience": None,
        }

    async def subscribe(self, number: str, url: str) -> None:
        """Have calls to a number told there. Raises `ConfigurationError`."""
        wanted = {"number": number, "url": url}
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=SUBSCRIBE_S) as http:
                answer = await http.post(f"{self._address}/local/subscriptions", json=wanted)
        except httpx.HTTPError as reason:
            raise ConfigurationError(f"The carrier is away: {type(reason).__name__}.") from reason
        if not answer.is_success:
            raise ConfigurationError(f"The carrier does not tell of calls: {answer.text[:300]}")

    def line(self, number: str) -> str:
        """The socket of a telephone that rings `number`, each time another caller's."""
        self._callers += 1
        caller = f"+1556{self._callers:07}"
        query = urlencode({"number": number, "from": caller})
        return f"{self._address.replace('http', 'ws', 1)}/local/phone?{query}"


@dataclass(frozen=True, slots=True)
class Cloud:
    """It answers."""

    environment: Mapping[str, str]
    """What makes this process take it for Azure."""
    carrier: Carrier | None = None


@asynccontextmanager
async def local_cloud(
    *, by_voice: bool, sessions: int, telephone: bool = False
) -> AsyncGenerator[Cloud]:
    """Started, with the local engine's voice or without; `telephone`: with a carrier.

    Raises `ConfigurationError` where it is not installed, or does not start.
    """
    header = secrets.token_urlsafe(24)
    environment = {
        **os.environ,
        "LOCAL_CLOUD_PORT": "0",
        "LOCAL_MAX_SESSIONS": str(sessions),
        "LOCAL_MIND": os.environ.get("LOCAL_MIND", "offline"),
        "LOCAL_VOICE_STEADY": "true",
        "IDENTITY_HEADER": header,
    }
    if not by_voice:
        environment |= {"LOCAL_VOICE": "fixed", "LOCAL_EARS": "fixed"}
    command = [_program(), "serve", *(["--telephone"] if telephone else [])]
    child = await anyio.open_process(command, env=environment, stderr=None)
    try:
        said, address = await _address(child)
        known = {
            "AZURE_OPENAI_ENDPOINT": address,
            "IDENTITY_ENDPOINT": f"{address}/msi/token",
            "IDENTITY_HEADER": header,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        }
        yield Cloud(known, _carrier(said, address))
    finally:
        with anyio.CancelScope(shield=True):
            await _end(child)


def _program() -> str:
    beside = Path(sys.executable).with_name(PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise ConfigurationError(
            "There is no AZURE_OPENAI_ENDPOINT, and the local cloud is not installed. Name a "
            "service, or install switchboard[local]."
        )
    return found


def _carrier(said: str, address: str) -> Carrier | None:
    told = _TELEPHONE.search(said)
    return None if told is None else Carrier(address, msgspec.json.decode(told[1], type=_Told))


async def _address(child: Process) -> tuple[str, str]:
    """All that it said, and where it is."""
    said = ""
    if child.stdout is not None:
        with anyio.move_on_after(START_S):
            async for text in TextReceiveStream(child.stdout):
                said += text
                if (found := _SAID.search(said)) is not None:
                    return said, found[1]
    raise ConfigurationError(f"The local cloud did not start: {said.strip()[-500:] or 'no word'}.")


async def _end(child: Process) -> None:
    if child.returncode is None:
        child.terminate()
    with anyio.move_on_after(STOP_S):
        await child.wait()
        return
    child.kill()
    await child.wait()
