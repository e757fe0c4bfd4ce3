"""PostgreSQL: what `DATABASE_URL` says of it, and connections that are encrypted, signed in and
bounded."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Any, Final, Self

from sqlalchemy import BigInteger, Connection, bindparam, event, func, select
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from switchboard.errors import ConfigurationError

type Password = Callable[[], Awaitable[str]]
"""Gives what is shown in a password's place, for each new connection. Raises `NoToken`."""

SCHEMES: Final = frozenset({"postgresql", "postgresql+asyncpg", "postgres"})
PORT: Final = 5432
CONNECT_S: Final = 10.0
CLOSE_S: Final = 2.0
POOL: Final[dict[str, Any]] = {
    "pool_size": 5,
    "max_overflow": 5,
    "pool_timeout": 10.0,
    # Within the hour that a token is good for, so that an identity that lost its right is out.
    "pool_recycle": 1_800,
    # A server that failed over, or a router that forgot us, has left dead connections here.
    "pool_pre_ping": True,
}
_PLAIN: Final = frozenset({"disable", "allow", "prefer"})
_VERIFIED: Final = frozenset({"require", "verify-ca", "verify-full"})
_MIGRATION_LOCK: Final = 0x5377_6974_6368  # any number that only we take


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one statement may take, in seconds: the server gives up first, then we do."""

    statement_s: float = 10.0
    lock_s: float = 5.0

    @property
    def command_s(self) -> float:
        return self.statement_s + 5.0


MIGRATING: Final = Patience(statement_s=300.0, lock_s=120.0)


@dataclass(frozen=True, slots=True)
class Address:
    """A database and who we are there."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    """`None`: a token is shown in its place."""
    encrypted: bool

    @classmethod
    def of(cls, url: URL) -> Self:
        """Raises `ConfigurationError` for what is missing, unknown, or would go in the open."""
        if not (url.host and url.database and url.username):
            raise ConfigurationError(
                "DATABASE_URL needs a user, a host and a database: "
                "postgresql://<user>@<host>/<database>."
            )
        return cls(
            url.host,
            url.port or PORT,
            url.database,
            url.username,
            url.password or None,
            _encrypted(url),
        )

    @property
    def text(self) -> str:
        """For messages: no password."""
        return f"{self.host}:{self.port}/{self.database}"


def _encrypted(url: URL) -> bool:
    known = {name: value for name, value in url.query.items() if name in ("ssl", "sslmode")}
    if strangers := sorted(url.query.keys() - known.keys()):
        raise ConfigurationError(
            f"DATABASE_URL has {', '.join(strangers)}, which this server does not know; sslmode is "
            "all it takes. A certificate authority of one's own goes into SSL_CERT_FILE."
        )
    modes = {str(value) for value in known.values()}
    if modes - _PLAIN - _VERIFIED:
        raise ConfigurationError("DATABASE_URL's sslmode is to be verify-full.")
    if not _is_loopback(url.host or "") and modes & _PLAIN:
        raise ConfigurationError(
            "DATABASE_URL asks for a connection in the open. Only on this machine is there one: "
            "take sslmode=verify-full, which holds for every other host anyway."
        )
    return bool(modes & _VERIFIED) or not _is_loopback(url.host or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def connect(address: Address, password: Password | None, patience: Patience) -> Any:  # noqa: ANN401
    """A connection of the driver's, which tells no types.

    Raises `OSError`, `NoToken` among them, and the driver's own errors.
    """
    # Not at the top: it takes a while to import, and SQLite does without.
    import asyncpg  # pyright: ignore[reportMissingTypeStubs]

    driver: Any = asyncpg
    shown = address.password
    if shown is None and password is not None:
        shown = await password()
    return await driver.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=shown or "",
        database=address.database,
        # The machine's authorities, and the host's name: `require` alone would trust anybody.
        ssl=ssl.create_default_context() if address.encrypted else False,
        timeout=CONNECT_S,
        connection_class=_hasty_at_the_end(driver.Connection),
        command_timeout=patience.command_s,
        server_settings={
            "application_name": "switchboard",
            "default_transaction_isolation": "read committed",
            "statement_timeout": _ms(patience.statement_s),
            "lock_timeout": _ms(patience.lock_s),
            "idle_in_transaction_session_timeout": _ms(patience.command_s),
            # Compiling takes longer than any statement of ours, and than a connection's first ones.
            "jit": "off",
            # Routers on the way forget connections that are silent for some minutes.
            "tcp_keepalives_idle": "60",
        },
    )


@cache
def _hasty_at_the_end(base: Any) -> Any:  # noqa: ANN401  (as above)
    """The driver's connections, which do not wait long for a server that says no goodbye."""

    class Hasty(base):
        async def close(self, *, timeout: float | None = None) -> None:
            try:
                await base.close(self, timeout=min(timeout or CLOSE_S, CLOSE_S))
            except (OSError, ConnectionError):  # a time-out too; it is aborted by then
                self.terminate()

    return Hasty


def _ms(seconds: float) -> str:
    return str(int(seconds * 1_000))


def postgres_engine(
    url: URL,
    password: Password | None = None,
    patience: Patience | None = None,
    *,
    lasting: bool = False,
) -> AsyncEngine:
    """An engine of a few connections where it is `lasting`; else of one that is not kept.

    Raises `ConfigurationError`.
    """
    address = Address.of(url)
    for_each = patience or Patience()

    async def make() -> Any:  # noqa: ANN401  (as above)
        return await connect(address, password, for_each)

    pool: dict[str, Any] = POOL if lasting else {"poolclass": NullPool}
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=make, hide_parameters=True, **pool
    )
    event.listen(engine.sync_engine, "handle_error", _say_no_rows)
    return engine


def _say_no_rows(failed: ExceptionContext) -> None:
    # The server tells the whole row that it refuses, and a traceback would repeat it.
    refusal: Any = failed.original_exception.__cause__
    if getattr(refusal, "detail", None):
        refusal.detail = None


def one_migrates(connection: Connection) -> None:
    """Another server that starts now waits until this transaction has ended."""
    key = bindparam("key", _MIGRATION_LOCK, BigInteger)
    connection.execute(select(func.pg_advisory_xact_lock(key)))
