"""A PostgreSQL of the tests' own: one for each worker, begun when a test first wants one, with a
database for each test."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from signal import SIGQUIT
from typing import Any, Final
from urllib.parse import quote

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest
import trustme

from switchboard.records.store import Store
from tests.ports import free_port

OWNER: Final = "owner"
PASSWORD: Final = "the owner's password: /?#@"
HOST: Final = "127.0.0.1"
TLS_HOST: Final = "localhost"
"""Whose certificate it has."""
_FAST: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "ssl": "on",
}
_START_S: Final = 40.0
_OTHERS_OUT: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES: Final = """
    SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
_driver: Any = asyncpg


@dataclass
class Cluster:
    """A running server, whose owner may do everything."""

    port: int
    ca_file: Path
    log: Path
    _numbers: Iterator[int] = field(default_factory=count)
    _template: str | None = None
    _free: list[str] = field(default_factory=list[str])

    def url(self, database: str, user: str = OWNER, password: str | None = PASSWORD) -> str:
        """`password`: `None` for a URL that has none."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{user}{secret}@{HOST}:{self.port}/{database}"

    async def create(self, like: str = "template0") -> str:
        """The name of a new database, which is empty."""
        name = f"test{next(self._numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {like}")
        return name

    @asynccontextmanager
    async def lent(self) -> AsyncGenerator[str]:
        """The name of a database with our tables and nothing in them, nobody else's meanwhile."""
        name = self._free.pop() if self._free else await self._copy()
        yield name
        # Not for a test that failed: who knows what it left.
        async with self.connected(name) as connection:
            await connection.execute(_OTHERS_OUT)
            names = [row[0] for row in await connection.fetch(_TABLES)]
            await connection.execute(f"TRUNCATE {', '.join(names)}")
        self._free.append(name)

    async def _copy(self) -> str:
        if self._template is None:
            name = await self.create()
            async with Store(self.url(name)).opened():
                pass
            self._template = name
        return await self.create(self._template)

    async def run(self, *statements: str, database: str = "postgres") -> None:
        async with self.connected(database) as connection:
            for statement in statements:
                await connection.execute(statement)

    @asynccontextmanager
    async def connected(self, database: str = "postgres") -> AsyncGenerator[Any]:
        """The driver's own connection, as the owner."""
        connection = await _driver.connect(
            host=HOST,
            port=self.port,
            user=OWNER,
            password=PASSWORD,
            database=database,
            ssl=False,
        )
        try:
            yield connection
        finally:
            await connection.close()


def programs() -> Path | None:
    """Where PostgreSQL's programs are; Debian keeps them out of everybody's way."""
    newest = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda each: int(each.parts[4])
    )
    if newest:
        return newest[-1].parent
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


@contextmanager
def running() -> Generator[Cluster]:
    """A server in a folder of its own, on a free port; gone with the block, or the tests."""
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is not installed; scripts/test-needs.sh installs it")
    folder = Path(tempfile.mkdtemp(prefix="switchboard-postgres-"))
    try:
        port = free_port()
        _set_up(folder, where, port)
        log = folder / "log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [*_tied(), where / "postgres", "-D", folder / "data"],
                stdout=out,
                stderr=out,
                **_as_whom(),
            )
        try:
            _await_ready(server, folder)
            yield Cluster(port, folder / "ca.pem", log)
        finally:
            server.send_signal(SIGQUIT)  # at once: nobody wants its files
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _set_up(folder: Path, where: Path, port: int) -> None:
    data, secret = folder / "data", folder / "owner"
    secret.write_text(PASSWORD, encoding="utf-8")
    authority = trustme.CA()
    certificate = authority.issue_cert(TLS_HOST)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    (folder / "key.pem").chmod(0o600)
    if whom := _as_whom():
        for each in (folder, *folder.iterdir()):
            shutil.chown(each, whom["user"], whom["group"])
        folder.chmod(0o755)  # for the tests to read the authority's
    command: list[str | Path] = [where / "initdb", "--no-sync", "--locale=C", "--encoding=UTF8"]
    # As Azure asks for it, so that a token can be shown: in the clear, which TLS hides.
    command += ["--auth=password", f"--username={OWNER}", f"--pwfile={secret}", "-D", data]
    subprocess.run(command, check=True, capture_output=True, timeout=60, **_as_whom())
    settings = {
        **_FAST,
        "port": str(port),
        "ssl_cert_file": str(folder / "certificate.pem"),
        "ssl_key_file": str(folder / "key.pem"),
    }
    with (data / "postgresql.conf").open("a", encoding="utf-8") as config:
        config.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


def _as_whom() -> dict[str, Any]:
    """It refuses to run as root."""
    if os.getuid():
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _tied() -> list[str]:
    """So that it ends with the tests, even if they are killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "QUIT"] if setpriv else []


def _await_ready(server: "subprocess.Popen[Any]", folder: Path) -> None:
    state = folder / "data" / "postmaster.pid"
    for _ in range(int(_START_S / 0.02)):
        if server.poll() is not None:
            raise AssertionError((folder / "log").read_text(encoding="utf-8"))
        if state.exists() and state.read_text(encoding="utf-8").rstrip().endswith("ready"):
            return
        time.sleep(0.02)
    raise AssertionError("PostgreSQL did not start in time")
