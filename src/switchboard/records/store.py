"""The one SQL database: opens it, brings its schema up to date, hands out transactions."""

import hashlib
import logging
import math
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn, Self

import anyio
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from anyio import to_thread
from sqlalchemy import BigInteger, Connection, Engine, bindparam, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import StaticPool

from switchboard.errors import ConfigurationError, RecordsUnavailable
from switchboard.records.engine import (
    is_postgres,
    parsed,
    sqlite_engine,
    sqlite_engine_for_threads,
)
from switchboard.records.postgres import (
    MIGRATING,
    Address,
    Password,
    Patience,
    connect,
    one_migrates,
    postgres_engine,
)
from switchboard.records.trouble import explain, is_passing

logger = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 5_000
WAIT_S = 5.0
"""So long somebody waits for a connection to the database."""
AWAY = "The records cannot be reached just now. Try again in a moment."
MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """A database, to be opened once. Making one does not touch it.

    `busy_timeout_ms` is SQLite's, `patience` PostgreSQL's; `password` gives what that is shown if
    the URL has none. Raises `ConfigurationError` for a URL that names no database.
    """

    def __init__(
        self,
        url: str,
        *,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        password: Password | None = None,
        patience: Patience | None = None,
        beside_calls: bool = True,
    ) -> None:
        """Without calls beside it, whoever uses it may be kept waiting: a thread for what blocks
        would only cost."""
        self.replica = secrets.token_hex(8)
        """This server, among those that share the database."""
        self.away = False
        """The last transaction found the database away or busy. Whatever asks it regularly (the
        register, the tickets' sweeper, the recorder) sees when it is back."""
        self._url = parsed(url)
        self._password = password
        self._behind: Engine | None = None
        """The same file for `write`, where it is one."""
        self._in_threads = beside_calls
        self._one = anyio.CapacityLimiter(1)
        self._readers = anyio.CapacityLimiter(2)
        reading: dict[str, Any] = {"read_only": True}
        if is_postgres(self._url):
            self._engine = postgres_engine(self._url, password, patience, lasting=True)
            reading = {"postgresql_readonly": True}
        else:
            self._engine = sqlite_engine(self._url, busy_timeout_ms)
            if not isinstance(
                self._engine.pool, StaticPool
            ):  # else it is in memory, and only there
                self._behind = sqlite_engine_for_threads(self._url, busy_timeout_ms)
        # The same pool, but these transactions do not take SQLite's one write lock.
        self._reader = self._engine.execution_options(**reading)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Self]:
        """Bring the schema up to date; close every connection when the block ends.

        Raises `ConfigurationError` when the database cannot be opened or migrated.
        """
        async with self.joined():
            try:
                await self._bring_up_to_date()
            except CommandError as reason:
                raise ConfigurationError(
                    "The database was used by a newer version of this server, whose migration this "
                    "one does not know. Install that one, or restore a copy."
                ) from reason
            except (SQLAlchemyError, OSError) as reason:
                raise ConfigurationError(self._what_is_wrong(reason)) from reason
            yield self

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[Self]:
        """As `opened`, for whoever comes to a database that another process has opened."""
        try:
            yield self
        finally:
            if self._behind is not None:
                self._behind.dispose()
            await self._engine.dispose()

    async def _bring_up_to_date(self) -> None:
        if not self.is_shared:
            async with self._engine.begin() as connection:
                await connection.run_sync(_migrate)
            return
        engine = postgres_engine(self._url, self._password, MIGRATING)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(one_migrates)
                await connection.run_sync(_migrate)
        finally:
            await engine.dispose()

    def _what_is_wrong(self, reason: Exception) -> str:
        if self.is_shared:
            return explain(reason, Address.of(self._url))
        return (
            f"The database cannot be opened or migrated ({type(reason).__name__}). "
            "Check DATA_DIR or DATABASE_URL."
        )

    async def connected(self) -> Any:  # noqa: ANN401  (the driver tells no types)
        """A connection of PostgreSQL's driver, outside the pool: whoever asks closes it.

        Raises `OSError` and the driver's own errors.
        """
        return await connect(Address.of(self._url), self._password, Patience())

    async def shown(self) -> str | None:
        """What a new connection shows in a password's place, where it needs one. Raises
        `NoToken`."""
        needed = self.is_shared and self._password is not None and not self._url.password
        return await self._password() if needed and self._password else None

    @property
    def url(self) -> str:
        """Where it is, with the password if that is in it."""
        return self._url.render_as_string(hide_password=False)

    @property
    def is_in_memory(self) -> bool:
        """Whether no other process sees it."""
        return not self.is_shared and self._behind is None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def is_shared(self) -> bool:
        """Whether other servers may use it at the same time: PostgreSQL."""
        return self.dialect == "postgresql"

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that only reads, and never waits for a writer.

        Raises `RecordsUnavailable` while the database is away or busy.
        """
        return self._unbroken(self._reader)

    async def answers(self) -> None:
        """Returns once the database has answered. Raises `SQLAlchemyError` or
        `RecordsUnavailable`."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def scrub(self, patience_s: float = 5.0) -> None:
        """What was deleted is not left lying in SQLite's log of changes either, unless somebody
        reads all the time. Elsewhere that is the database's own affair."""
        if self.dialect != "sqlite":
            return
        with anyio.move_on_after(patience_s):
            while not await self._written_back():  # noqa: ASYNC110  (others' reads, unannounced)
                await anyio.sleep(0.05)

    async def _written_back(self) -> bool:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as answer:
                busy, *_ = await answer.fetchone()
        return not busy

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that may write; committed when the block ends, rolled back if it raises.

        Raises `RecordsUnavailable` while the database is away or busy.
        """
        return self._unbroken(self._engine)

    def writing_now(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Likewise, for somebody who is waiting: a database known to be away is not waited for,
        and one that does not answer not for long."""
        if self.away:
            raise RecordsUnavailable(AWAY)
        return self._unbroken(self._engine, WAIT_S)

    async def write[Answer](self, work: Callable[[Connection], Answer]) -> Answer:
        """`work` within a transaction, for many rows at once: with SQLite in a thread, so that all
        of it costs the loop one errand, not several for each statement; or, where no calls are
        beside it, here and now.

        Raises `RecordsUnavailable` while the database is away or busy, and what `work` raises.
        """
        if self._behind is None:
            async with self.writing() as connection:
                return await connection.run_sync(work)
        return await self._by_blocking(self._behind, work, self._one)

    async def read[Answer](self, work: Callable[[Connection], Answer]) -> Answer:
        """Likewise, within one that only reads: for what is asked again and again beside the
        calls. A statement that `work` makes itself is not made on the loop either."""
        if self._behind is None:
            async with self.reading() as connection:
                return await connection.run_sync(work)
        reader = self._behind.execution_options(read_only=True)
        return await self._by_blocking(reader, work, self._readers)

    async def _by_blocking[Answer](
        self, engine: Engine, work: Callable[[Connection], Answer], limiter: anyio.CapacityLimiter
    ) -> Answer:
        try:  # the thread is not abandoned when we are cancelled
            if self._in_threads:
                answer = await to_thread.run_sync(_transact, engine, work, limiter=limiter)
            else:
                answer = _transact(engine, work)
        except Exception as reason:  # noqa: BLE001  (looked at there)
            self._fail(reason)
        self.away = False
        return answer

    @asynccontextmanager
    async def _unbroken(
        self, engine: AsyncEngine, within_s: float = math.inf
    ) -> AsyncGenerator[AsyncConnection]:
        try:
            connection = await self._connected(engine, within_s)
            # Cancelled in the middle of a commit, nobody knows whether it was one. Transactions
            # are short, and bounded: let each one end by itself.
            with anyio.CancelScope(shield=True):
                try:
                    async with connection.begin():
                        yield connection
                finally:
                    await connection.close()
        except Exception as reason:  # noqa: BLE001  (looked at there)
            self._fail(reason)
        self.away = False

    def _fail(self, reason: Exception) -> NoReturn:
        if not is_passing(reason):
            raise reason
        self.away = True
        raise RecordsUnavailable(AWAY) from reason

    async def _connected(self, engine: AsyncEngine, within_s: float) -> AsyncConnection:
        # Cancelled in the middle of a statement, the SQLite driver's thread and its connection part
        # company, and closing the pool hangs. PostgreSQL's is only dropped.
        with anyio.fail_after(within_s if self.is_shared else math.inf, shield=not self.is_shared):
            return await engine.connect()

    async def alone(self, connection: AsyncConnection, what: str) -> None:
        """From here to the end of this transaction, whoever asks for the same waits.

        SQLite has one writer by itself. On PostgreSQL two who look before they write would both
        see what was there before either: neither sees what the other has not committed.
        """
        if self.is_shared:
            digest = hashlib.sha256(what.encode()).digest()
            key = int.from_bytes(digest[:8], signed=True)
            lock = func.pg_advisory_xact_lock(bindparam("key", key, BigInteger))
            await connection.execute(select(lock))


def sqlite_url(data_dir: Path) -> str:
    """Where the records live when no `DATABASE_URL` is given. Makes the directory.

    Raises `ConfigurationError` when it cannot be made.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise ConfigurationError(f"DATA_DIR {data_dir} cannot be made: {reason}.") from reason
    return f"sqlite+aiosqlite:///{data_dir / 'records.sqlite3'}"


def _transact[Answer](engine: Engine, work: Callable[[Connection], Answer]) -> Answer:
    with engine.begin() as connection:
        return work(connection)


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
