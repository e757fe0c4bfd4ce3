"""An encrypted line: who is at the other end is checked, and checked once per process."""

import ssl
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from switchboard.conversation.events import ModelReady
from switchboard.errors import ModelUnavailable
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line
from switchboard.model.passage import PassageConfig, Passages
from tests.model.peer import SPEC, FixedToken, Peer, line_to, serving, until
from tests.model.tls import self_signed, server_tls


async def welcome(peer: Peer, socket: ServerConnection) -> None:
    await peer.welcome(socket)
    await peer.listen_on(socket)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def service_tls(certificate: Path) -> ssl.SSLContext:
    return server_tls(certificate)


async def test_a_trusted_service_is_spoken_to_over_tls(
    certificate: Path, service_tls: ssl.SSLContext
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with serving(welcome, tls=service_tls) as peer:
        line = Line(ModelConfig(endpoint=peer.endpoint), FixedToken(), tls=trusting)
        for _ in range(2):
            async with line.dial(SPEC) as leg:
                assert await until(ModelReady, leg)


async def test_a_service_nobody_vouches_for_gets_no_token(service_tls: ssl.SSLContext) -> None:
    async with serving(welcome, tls=service_tls) as peer:
        with pytest.raises(ModelUnavailable, match="certificate is not trusted") as refusal:
            async with line_to(peer).dial(SPEC):
                pass

    assert not refusal.value.retryable
    assert peer.requests == []


async def test_a_passage_to_a_service_nobody_vouches_for_gets_no_token(
    certificate: Path, service_tls: ssl.SSLContext
) -> None:
    async def hang_up(_: Peer, socket: ServerConnection) -> None:
        await socket.close()

    trusting = ssl.create_default_context(cafile=str(certificate))
    async with serving(hang_up, tls=service_tls) as peer:
        config = PassageConfig(peer.endpoint, "2026-07-15", 100_000)
        async with Passages(config, tls=trusting).open([("model", "m")], "secret"):
            pass
        with pytest.raises(ModelUnavailable, match="certificate is not trusted"):
            async with Passages(config).open([("model", "m")], "secret"):
                pass

    assert len(peer.requests) == 1
