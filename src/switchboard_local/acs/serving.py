"""A local ACS on a port of its own: TLS, as the official SDK sends tokens over nothing else."""

import socket
import ssl
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import trustme
from fastapi import FastAPI

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.config import AcsConfig
from switchboard_local.acs.doorway import Doorway
from switchboard_local.acs.prompts import Speak
from switchboard_local.acs.routes import acs_router
from switchboard_local.acs.signing import METADATA_PATH, signing_router
from switchboard_local.entra.issuer import Issuer
from switchboard_local.loopback import LoopbackOnly
from switchboard_local.serving import LOOPBACK, Tls, serving


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority of this process's own, and what it vouches for: this machine."""

    ca_file: Path
    """For clients to trust."""
    server: Tls
    authority: trustme.CA = field(repr=False)

    def trust(self) -> ssl.SSLContext:
        """A client's context that trusts the authority, and those the system does."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@dataclass(frozen=True, slots=True)
class ServedAcs:
    """A local ACS that answers."""

    acs: Acs
    port: int
    certificates: Certificates

    @property
    def ca_file(self) -> Path:
        return self.certificates.ca_file

    @property
    def endpoint(self) -> str:
        """`ACS_ENDPOINT`, for whoever trusts `ca_file`."""
        return f"https://{LOOPBACK}:{self.port}"

    @property
    def metadata_url(self) -> str:
        return f"{self.endpoint}{METADATA_PATH}"


def make_certificates(folder: Path) -> Certificates:
    """Files in `folder`, valid for the loopback's names."""
    authority = trustme.CA()
    own = authority.issue_cert(LOOPBACK, "localhost", "::1")
    ca_file, chain, key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
    authority.cert_pem.write_to_path(ca_file)
    for number, pem in enumerate(own.cert_chain_pems):
        pem.write_to_path(chain, append=number > 0)
    own.private_key_pem.write_to_path(key)
    return Certificates(ca_file, Tls(chain, key), authority)


@asynccontextmanager
async def serving_acs(
    issuer: Issuer,
    config: AcsConfig | None = None,
    *,
    listener: socket.socket | None = None,
    speak: Speak | None = None,
) -> AsyncGenerator[ServedAcs]:
    """A local ACS for as long as the block lasts. `issuer` is the tenant whose tokens open it."""
    config = config or AcsConfig()
    with tempfile.TemporaryDirectory() as folder, listener or _any_port() as bound:
        certificates = make_certificates(Path(folder))
        port: int = bound.getsockname()[1]
        address = f"https://{LOOPBACK}:{port}"
        config = replace(config, issuer=config.issuer or address)
        acs = Acs(config, trust=certificates.trust(), speak=speak)
        app = acs_app(acs, Doorway(issuer, config.access_key), address)
        async with serving(app, bound, certificates.server), acs.open():
            yield ServedAcs(acs, port, certificates)


def acs_app(acs: Acs, doorway: Doorway, address: str) -> FastAPI:
    """The web application of a local ACS, served at `address`."""
    app = FastAPI(title="Switchboard local ACS", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(LoopbackOnly)
    app.include_router(signing_router(acs.signer, address))
    app.include_router(acs_router(acs, doorway))
    return app


def _any_port() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, 0))
    return listener
