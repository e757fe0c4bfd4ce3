"""An encrypted line: who is at the other end is checked, and checked once per process."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import ServerConnection

from switchboard.conversation.events import ModelReady
from switchboard.errors import ModelUnavailable
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line
from switchboard.model.passage import PassageConfig, Passages
from tests.model.peer import SPEC, FixedToken, Peer, line_to, serving, until


async def welcome(peer: Peer, socket: ServerConnection) -> None:
    await peer.welcome(socket)
    await peer.listen_on(socket)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of a service on 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local realtime service")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "service.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(scope="module")
def service_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


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
