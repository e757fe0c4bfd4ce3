"""PostgreSQL opens as its address says, encrypted wherever others could listen, and says in words
why it does not."""

import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from switchboard.errors import ConfigurationError, RecordsUnavailable
from switchboard.records.engine import parsed
from switchboard.records.postgres import POOL, Address
from switchboard.records.replicas import Replicas
from switchboard.records.store import Store
from switchboard.records.telephone import SeenEvents
from switchboard.records.trouble import is_passing
from tests.databases import HOST, OWNER, PASSWORD, TLS_HOST, Cluster

AZURE = "postgresql+asyncpg://id-talk@psql-x.postgres.database.azure.com:5432/switchboard"


def address(url: str) -> Address:
    return Address.of(parsed(url))


async def refusal(url: str) -> str:
    """What is said of a database that cannot be opened."""
    with pytest.raises(ConfigurationError) as refused:
        async with Store(url).opened():
            pass
    return str(refused.value)


# -- the address ----------------------------------------------------------------------------------


def test_the_deployments_address_is_a_user_without_a_password_and_tls() -> None:
    assert address(f"{AZURE}?ssl=require") == Address(
        "psql-x.postgres.database.azure.com", 5432, "switchboard", "id-talk", None, encrypted=True
    )


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "postgres"])
def test_a_password_may_have_any_character(scheme: str) -> None:
    told = address(f"{scheme}://ana:p%40ss%2Fw%3Aord@db.example.com/talk")
    assert (told.user, told.password, told.port) == ("ana", "p@ss/w:ord", 5432)
    assert "p@ss" not in repr(told)


@pytest.mark.parametrize(
    ("rest", "encrypted"),
    [
        ("localhost/d", False),
        ("127.0.0.1/d", False),
        ("[::1]/d", False),
        ("localhost/d?sslmode=prefer", False),
        ("localhost/d?sslmode=verify-full", True),
        ("localhost/d?ssl=require", True),
        ("db.example.com/d", True),
        ("10.0.0.4/d", True),
        ("localhost.example.com/d?sslmode=verify-ca", True),
    ],
)
def test_only_this_machine_may_do_without_tls(rest: str, encrypted: bool) -> None:
    assert address(f"postgresql://u:p@{rest}").encrypted is encrypted


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:hidden@db.example.com/d?sslmode=disable", "in the open"),
        ("postgresql://u:hidden@db.example.com/d?ssl=prefer", "in the open"),
        ("postgresql://u:hidden@db.example.com/d?sslmode=no", "verify-full"),
        ("postgresql://u:hidden@db.example.com/d?sslrootcert=x", "SSL_CERT_FILE"),
        ("postgresql://u:hidden@/d?host=/tmp", "needs a user, a host and a database"),
        ("postgresql://db.example.com/d", "needs a user, a host and a database"),
        ("postgresql://u:hidden@db.example.com", "needs a user, a host and a database"),
        ("postgresql+psycopg://u:hidden@h/d", "examples are"),
        ("mysql://u:hidden@h/d", "examples are"),
        ("postgresql://u:hidden@h:port/d", "examples are"),
    ],
)
def test_what_is_no_address_of_ours_is_refused_without_its_password(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        Store(url)
    assert "DATABASE_URL" in str(refused.value)
    assert "hidden" not in str(refused.value)


# -- the connection -------------------------------------------------------------------------------


@pytest.fixture
def trusted(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the authority of the tests' server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(cluster.ca_file))


def by_tls(url: str, host: str = TLS_HOST) -> str:
    return f"{url.replace(f'@{HOST}:', f'@{host}:')}?sslmode=require"


async def test_it_is_encrypted_to_a_server_that_this_machine_trusts(
    shared_url: str, trusted: None
) -> None:
    async with Store(by_tls(shared_url)).opened() as store, store.reading() as connection:
        mine = text("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        encrypted, version = (await connection.execute(mine)).one()
    assert encrypted
    assert version in ("TLSv1.2", "TLSv1.3")


async def test_require_is_not_enough_to_trust_anybody(shared_url: str) -> None:
    said = await refusal(by_tls(shared_url))
    assert "is not to be trusted" in said and "SSL_CERT_FILE" in said


async def test_another_hosts_certificate_is_not_trusted(shared_url: str, trusted: None) -> None:
    assert "is not to be trusted" in await refusal(by_tls(shared_url, HOST))


async def test_statements_locks_and_idle_transactions_are_bounded(shared_url: str) -> None:
    async with Store(shared_url).opened() as store, store.reading() as connection:
        for name, value in (
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "15s"),
            ("default_transaction_isolation", "read committed"),
            ("application_name", "switchboard"),
        ):
            assert await connection.scalar(text(f"SHOW {name}")) == value


async def test_a_statement_that_takes_too_long_is_ended_and_may_be_tried_again(
    shared_url: str,
) -> None:
    async with Store(shared_url).opened() as store:
        with pytest.raises(RecordsUnavailable) as late:
            async with store.writing() as connection:
                await connection.execute(text("SET LOCAL statement_timeout = 20"))
                await connection.execute(text("SELECT pg_sleep(60)"))
        assert is_passing(late.value)
        await store.answers()


async def test_a_reader_cannot_write(shared_url: str) -> None:
    async with Store(shared_url).opened() as store:
        with pytest.raises(RecordsUnavailable) as refusal:
            async with store.reading() as connection:
                await connection.execute(text("DELETE FROM calls"))
        assert "read-only" in str(refusal.value.__cause__)


async def test_a_server_has_a_bounded_number_of_connections(
    cluster: Cluster, shared_url: str
) -> None:
    most = POOL["pool_size"] + POOL["max_overflow"]
    looking, full, enough = 0, anyio.Event(), anyio.Event()

    async def look(store: Store) -> None:
        nonlocal looking
        async with store.reading():
            looking += 1
            if looking == most:
                full.set()
            await enough.wait()

    async with Store(shared_url).opened() as store, anyio.create_task_group() as tasks:
        for _ in range(2 * most):
            tasks.start_soon(look, store)
        with anyio.fail_after(30):
            await full.wait()
        async with cluster.connected() as watcher:
            counted = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1"
            assert await watcher.fetchval(counted, shared_url.rpartition("/")[2]) == most
        assert looking == most
        enough.set()
    assert looking == 2 * most


async def test_connections_that_were_lost_are_made_anew(cluster: Cluster, shared_url: str) -> None:
    """As after a failover."""
    async with Store(shared_url).opened() as store:
        await store.answers()
        await cluster.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{shared_url.rpartition('/')[2]}'"
        )
        await store.answers()


async def test_servers_that_start_together_migrate_once(cluster: Cluster) -> None:
    url = cluster.url(await cluster.create())

    async def start() -> None:
        async with Store(url).opened() as store:
            await store.answers()

    async with anyio.create_task_group() as tasks:  # the second would find the tables there
        for _ in range(3):
            tasks.start_soon(start)


# -- why it does not open -------------------------------------------------------------------------


async def test_a_wrong_password_is_told_and_not_repeated(
    cluster: Cluster, shared_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = await refusal(cluster.url(shared_url.rpartition("/")[2], password="guess-what"))
    assert f"refuses {OWNER} with the password in DATABASE_URL" in said
    assert "guess-what" not in said + caplog.text


async def test_a_right_password_is_in_no_log(
    shared_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Store(shared_url).opened() as store:
        await store.answers()
        with pytest.raises(DBAPIError) as failure:
            async with store.writing() as connection:
                await connection.execute(text("SELECT no_such_function()"))
    assert PASSWORD not in caplog.text + str(failure.value)


async def test_a_user_that_there_is_not_is_refused_like_a_wrong_password(cluster: Cluster) -> None:
    assert "refuses nobody" in await refusal(cluster.url("postgres", user="nobody"))


async def test_a_database_that_there_is_not_is_named(cluster: Cluster) -> None:
    assert "There is no database nowhere" in await refusal(cluster.url("nowhere"))


async def test_a_role_without_rights_is_told_which_it_lacks(cluster: Cluster) -> None:
    await cluster.run("CREATE ROLE visitor LOGIN PASSWORD 'visits'")
    said = await refusal(cluster.url(await cluster.create(), "visitor", "visits"))
    assert "The role visitor lacks a right" in said
    assert "create tables in the schema public" in said


async def test_a_role_that_may_connect_and_make_tables_has_enough(cluster: Cluster) -> None:
    """docs/database.md says so."""
    name = await cluster.create()
    await cluster.run(
        "CREATE ROLE lesser LOGIN PASSWORD 'enough' NOSUPERUSER NOCREATEDB NOCREATEROLE",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO lesser",
    )
    await cluster.run("GRANT USAGE, CREATE ON SCHEMA public TO lesser", database=name)
    for _ in range(2):
        async with Store(cluster.url(name, "lesser", "enough")).opened() as store:
            replicas = Replicas(store)
            async with replicas.joined():
                assert await replicas.sweep() == 0
            assert await SeenEvents(store).first(store.replica, 1.0, for_s=60)


async def test_a_server_that_does_not_run_cannot_be_reached() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    said = await refusal(f"postgresql://u:p@{HOST}:{port}/d")
    assert f"{HOST}:{port}/d cannot be reached" in said
    assert "firewall" in said


async def test_a_newer_versions_database_is_let_alone(cluster: Cluster, shared_url: str) -> None:
    name = shared_url.rpartition("/")[2]
    moved = "UPDATE alembic_version SET version_num = '{}'"
    async with cluster.connected(name) as owner:
        newest = await owner.fetchval("SELECT version_num FROM alembic_version")
    await cluster.run(moved.format("9999"), database=name)
    assert "used by a newer version" in await refusal(shared_url)
    await cluster.run(moved.format(newest), database=name)


@asynccontextmanager
async def saying(answer: bytes) -> AsyncGenerator[int]:
    """A port of this machine where everybody is answered so."""

    async def answers(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(answer)

    async with (
        await anyio.create_tcp_listener(local_host=HOST) as door,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(door.serve, answers)
        yield door.extra(SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


async def test_a_server_without_tls_is_told_nothing() -> None:
    async with saying(b"N") as port:
        said = await refusal(f"postgresql://u:p@{HOST}:{port}/d?sslmode=verify-full")
    assert "offers no TLS" in said
