"""What the doctor sees without leaving the machine."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from switchboard.doctor import home
from switchboard.doctor.findings import Finding
from switchboard.records.store import Store, sqlite_url
from tests.databases import OWNER, PASSWORD, Cluster
from tests.doctor.peers import PATIENT, ROOT, failed, ok, settings
from tests.model.identity import SECRET_HEADER, identity_endpoint
from tests.ports import free_port

VERSIONS = ROOT / "src/switchboard/records/migrations/versions"
NEWEST = max(path.name for path in VERSIONS.glob("0*.py")).partition("_")[0]


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(each): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


# -- agents -------------------------------------------------------------------------------------


async def test_the_shipped_agents_are_valid(tmp_path: Path) -> None:
    told, roster = await home.agents(settings(tmp_path), PATIENT)
    assert ok(told)
    assert "telecom, government, banking" in told.detail
    assert roster is not None


async def test_a_fault_in_the_agents_is_told_with_its_line(tmp_path: Path) -> None:
    text = (ROOT / "session_config.json").read_text("utf-8")
    line = text[: text.index('"voice": "cedar"')].count("\n") + 1
    file = tmp_path / "session_config.json"
    file.write_text(text.replace('"voice": "cedar"', '"voice": "nobody"'))
    told, roster = await home.agents(settings(tmp_path, session_config=file), PATIENT)
    assert failed(told)
    assert f"session_config.json, line {line}: agents[1].voice" in told.detail
    assert str(file) in told.advice
    assert roster is None


async def test_agents_that_are_not_there_are_missed(tmp_path: Path) -> None:
    told, _ = await home.agents(settings(tmp_path, session_config=tmp_path / "no.json"), PATIENT)
    assert failed(told)
    assert "no.json: it cannot be read: No such file" in told.detail


async def test_a_tool_that_hangs_as_it_is_read_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    (tmp_path / "desk.md").write_text("You keep the desk.")
    file = tmp_path / "session_config.json"
    file.write_text(
        '{"agents": [{"id": "a", "title": "A", "model": "m", "voice": "ash", "prompt": "desk.md"}],'
        '"models": [{"id": "m", "title": "M"}], "voices": [{"id": "ash", "title": "Ash"}],'
        '"tools": {"modules": ["slow.py"]}}'
    )
    hurried = settings(tmp_path, session_config=file)
    told, _ = await home.agents(hurried, home.Patience(local_s=0.2))
    assert failed(told)
    assert "longer than 0.2 s" in told.detail


# -- what is written ----------------------------------------------------------------------------


def test_a_data_directory_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    assert ok(home.data_dir(settings(tmp_path)))
    missing = home.data_dir(settings(tmp_path / "not" / "yet"))
    assert ok(missing)
    assert "will be made" in missing.detail
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_that_is_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = home.data_dir(settings(tmp_path / "file" / "data"))
    assert failed(told)
    assert "no directory" in told.detail
    assert "DATA_DIR" in told.advice


def test_a_data_directory_nobody_may_write_to_is_told() -> None:
    """`/proc` lets not even root write."""
    told = home.data_dir(settings(Path("/proc/switchboard")))
    assert failed(told)
    assert "cannot be written" in told.detail
    assert "DATA_DIR" in told.advice


@contextmanager
def unprivileged() -> Generator[Path]:
    """A folder that this process may read and not write, though it be root's."""
    folder = Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        os.seteuid(os.getuid())
        folder.chmod(0o700)
        shutil.rmtree(folder)


async def test_what_may_be_read_and_not_written_is_told() -> None:
    with unprivileged() as folder:
        async with Store(sqlite_url(folder)).opened():
            pass
        (folder / "records.sqlite3").chmod(0o444)
        folder.chmod(0o555)
        if os.getuid() == 0:
            os.seteuid(65_534)
        there = home.data_dir(settings(folder))
        records = await home.records(settings(folder), PATIENT)
    assert failed(there)
    assert "cannot be written: Permission denied" in there.detail
    assert failed(records)
    assert "records.sqlite3 cannot be written: Permission denied" in records.detail


async def test_records_that_are_not_there_will_be_made(tmp_path: Path) -> None:
    told = await home.records(settings(tmp_path / "data"), PATIENT)
    assert ok(told)
    assert "will be made" in told.detail
    assert not (tmp_path / "data").exists()


async def test_records_at_rest_are_read_and_left_as_they_were(tmp_path: Path) -> None:
    async with Store(sqlite_url(tmp_path)).opened():
        pass
    before = everything_in(tmp_path)
    told = await home.records(settings(tmp_path), PATIENT)
    assert ok(told)
    assert f"at the newest migration, {NEWEST}" in told.detail
    assert everything_in(tmp_path) == before


async def test_records_that_a_server_is_using_are_read_too(tmp_path: Path) -> None:
    async with Store(sqlite_url(tmp_path)).opened():
        names = set(everything_in(tmp_path))
        told = await home.records(settings(tmp_path), PATIENT)
        assert set(everything_in(tmp_path)) == names
    assert ok(told)
    assert "at the newest migration" in told.detail


async def at_revision(folder: Path, revision: str) -> Finding:
    async with Store(sqlite_url(folder)).opened():
        pass
    with sqlite3.connect(folder / "records.sqlite3") as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    database.close()
    return await home.records(settings(folder), PATIENT)


async def test_records_of_a_newer_version_are_not_touched(tmp_path: Path) -> None:
    told = await at_revision(tmp_path, "9999")
    assert failed(told)
    assert "9999, which this version does not know" in told.detail
    assert "newer version" in told.advice


async def test_records_of_an_older_version_will_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more migration, as the next version will bring one."""
    newer = tmp_path / "migrations"
    (newer / "versions").mkdir(parents=True)
    for known in VERSIONS.glob("0*.py"):
        (newer / "versions" / known.name).write_bytes(known.read_bytes())
    (newer / "versions" / "9999_next.py").write_text(
        f'revision = "9999"\ndown_revision = "{NEWEST}"\n', encoding="utf-8"
    )
    data = tmp_path / "data"
    async with Store(sqlite_url(data)).opened():
        pass
    monkeypatch.setattr("switchboard.records.revision.MIGRATIONS", newer)
    told = await home.records(settings(data), PATIENT)
    assert ok(told)
    assert f"at migration {NEWEST}; the server moves it to 9999" in told.detail
    assert "copy the database" in told.advice


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite3").write_bytes(b"these are no records" * 100)
    told = await home.records(settings(tmp_path), PATIENT)
    assert failed(told)
    assert "records.sqlite3 cannot be read (DatabaseError)" in told.detail


async def test_a_database_of_somebody_else_is_told(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "records.sqlite3") as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    told = await home.records(settings(tmp_path), PATIENT)
    assert failed(told)
    assert "belongs to something else" in told.detail


@pytest.mark.parametrize("url", ["nonsense", "postgresql+nodriver://u:hidden@h/d"])
async def test_an_address_of_no_database_is_told_without_its_password(
    url: str, tmp_path: Path
) -> None:
    told = await home.records(settings(tmp_path, database_url=url), PATIENT)
    assert failed(told)
    assert "DATABASE_URL" in told.detail
    assert "hidden" not in told.line()


# -- records that servers share -----------------------------------------------------------------


async def test_a_postgresql_is_reached_and_signed_in_to(shared_url: str, tmp_path: Path) -> None:
    told = await home.records(settings(tmp_path, database_url=shared_url), PATIENT)
    assert ok(told)
    assert f"as {OWNER}, at the newest migration, {NEWEST}" in told.detail
    assert PASSWORD not in told.line()


async def test_an_empty_postgresql_will_be_filled(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.url(await cluster.create())
    told = await home.records(settings(tmp_path, database_url=url), PATIENT)
    assert ok(told)
    assert "empty; the server moves it" in told.detail


async def test_a_role_that_may_make_no_tables_is_told(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.run("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN PASSWORD 'comes'")
    url = cluster.url(await cluster.create(), "guest", "comes")
    told = await home.records(settings(tmp_path, database_url=url), PATIENT)
    assert failed(told)
    assert "The role guest lacks a right" in told.detail


async def test_a_postgresql_that_refuses_or_is_not_there_is_told_in_words(
    cluster: Cluster, tmp_path: Path
) -> None:
    for url, said in (
        (cluster.url("postgres", password="hidden"), "refuses owner with the password"),
        (cluster.url("nowhere"), "There is no database nowhere"),
        (f"postgresql://u:hidden@127.0.0.1:{free_port()}/d", "cannot be reached"),
        ("postgresql://u:hidden@db.example.com/d?sslmode=disable", "in the open"),
    ):
        told = await home.records(settings(tmp_path, database_url=url), PATIENT)
        assert failed(told)
        assert said in told.detail
        assert "hidden" not in told.line()


async def test_where_there_is_no_password_a_token_is_shown(
    cluster: Cluster, shared_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    await cluster.run(
        "DROP ROLE IF EXISTS id_talk", "CREATE ROLE id_talk SUPERUSER LOGIN PASSWORD 'token-1'"
    )
    url = cluster.url(shared_url.rpartition("/")[2], "id_talk", None)
    async with identity_endpoint() as endpoint:
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint.address)
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        first = await home.records(settings(tmp_path, database_url=url), PATIENT)
        second = await home.records(settings(tmp_path, database_url=url), PATIENT)
        endpoint.status = 400
        none = await home.records(settings(tmp_path, database_url=url), PATIENT)
    assert ok(first) and "as id_talk" in first.detail
    assert failed(second) and "with the Entra token of this server's identity" in second.detail
    assert failed(none) and "there is no Entra token" in none.detail
    assert "token-" not in first.line() + second.line() + none.line()


# -- the page -----------------------------------------------------------------------------------


def test_a_page_that_is_not_built_is_missed(tmp_path: Path) -> None:
    told = home.page(tmp_path)
    assert failed(told)
    assert "make page" in told.advice


def test_a_page_is_whole_or_it_is_not(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script type="module" src="/assets/a-1.js"></script>')
    half = home.page(tmp_path)
    assert failed(half)
    assert "assets/a-1.js is missing" in half.detail
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a-1.js").write_text("")
    assert ok(home.page(tmp_path))


# -- who may come in ----------------------------------------------------------------------------

OPEN: dict[str, object] = {"host": "0.0.0.0", "allow_anonymous": True}


@pytest.mark.parametrize(
    ("given", "well", "said"),
    [
        ({}, True, "http://127.0.0.1:8000 http://localhost:8000"),
        ({**OPEN, "public_url": "https://talk.example.com"}, True, "https://talk.example.com"),
        (OPEN, False, "set PUBLIC_URL"),
        ({"public_url": "talk.example.com"}, False, "is not an origin"),
        ({"public_url": "http://talk.example.com"}, False, "no microphone"),
        ({**OPEN, "allowed_origins": "https://a.example"}, True, "PUBLIC_URL is not set, so"),
        ({"allowed_origins": "http://a.example"}, True, "plain http: anyone on the way"),
    ],
)
def test_origins(given: dict[str, object], well: bool, said: str, tmp_path: Path) -> None:
    told = home.origins(settings(tmp_path, **given))
    assert ok(told) is well
    assert said in told.line()


PEOPLE = {
    "host": "0.0.0.0",
    "public_url": "https://a.example",
    "sign_in_client_id": "11111111-2222-3333-4444-555555555555",
    "sign_in_tenant_id": "11111111-2222-3333-4444-666666666666",
}


@pytest.mark.parametrize(
    ("given", "well", "said"),
    [
        ({}, True, "this machine only"),
        ({"allow_anonymous": True}, True, "this machine only"),
        (OPEN, True, "anybody who reaches this server"),
        ({**OPEN, "voice_live_proxy": True}, True, "lends them this server's identity"),
        (PEOPLE, True, "people with a role in the application 11111111"),
        ({**PEOPLE, "allow_anonymous": True}, True, "strangers too"),
        ({**PEOPLE, "sign_in": "platform"}, True, "nobody reaches this server past"),
        ({**PEOPLE, "sign_in_tenant_id": ()}, False, "SIGN_IN_TENANT_ID"),
        ({**PEOPLE, "sign_in_client_id": "app"}, False, "SIGN_IN_CLIENT_ID is an id"),
        ({"host": "0.0.0.0"}, False, "nothing here asks who they are"),
        ({"public_url": "https://a.example"}, False, "comes through a proxy on this machine"),
        ({"allowed_origins": "https://a.example"}, False, "ALLOW_ANONYMOUS=true"),
        ({"public_url": "http://127.0.0.1:8000"}, True, "this machine only"),
        (
            {"public_url": "https://a.example", "allow_anonymous": True},
            True,
            "anybody who reaches this server",
        ),
    ],
)
def test_callers(given: dict[str, object], well: bool, said: str, tmp_path: Path) -> None:
    told = home.callers(settings(tmp_path, **given))
    assert ok(told) is well
    assert said in told.line()
