"""What can be known without leaving this machine: files, the database, who may come in."""

import errno
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import anyio
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from switchboard.access.identity import choose_authenticator, is_elsewhere, is_loopback
from switchboard.agents.book import AgentBook
from switchboard.agents.roster import Roster
from switchboard.browser.pages import PAGE_DIR
from switchboard.doctor.findings import Finding, failed, ok, skipped
from switchboard.doctor.identity import Audience, identity
from switchboard.doctor.patience import Patience, aside
from switchboard.errors import ConfigurationError
from switchboard.records.entra import SCOPE, NoToken
from switchboard.records.postgres import Address
from switchboard.records.revision import Revision, address_of, revision_of, sqlite_file
from switchboard.records.trouble import explain, lacks_rights
from switchboard.settings import Settings
from switchboard.sign_in import Door
from switchboard.tools.loading import load_toolbox
from switchboard.tools.toolbox import Toolbox

AGENTS: Final = "agents"
DATA_DIR: Final = "data directory"
RECORDS: Final = "records"
PAGE: Final = "page"
ORIGINS: Final = "origins"
CALLERS: Final = "callers"

_ASSET: Final = re.compile(r"""(?:src|href)="/(assets/[^"?#]+)""")


async def agents(settings: Settings, patience: Patience) -> tuple[Finding, Roster | None]:
    """`session_config.json`, its prompts and its tools, read as the server reads them."""
    file = settings.session_config

    def read() -> Roster:
        book: AgentBook[Toolbox] = AgentBook(file, load_toolbox)
        return book.edition.roster

    try:
        roster = await aside(read, patience.local_s)
    except ConfigurationError as refusal:
        return failed(AGENTS, str(refusal), f"mend {file}, or point SESSION_CONFIG elsewhere"), None
    except TimeoutError:
        detail = f"reading {file} and its tools took longer than {patience.local_s:g} s"
        return failed(AGENTS, detail, "a tool's file hangs as it is imported"), None
    except OSError as error:
        return failed(AGENTS, f"{error.filename}: {error.strerror}", "check SESSION_CONFIG"), None
    return ok(AGENTS, f"{file} is valid: {', '.join(roster.agents)}"), roster


def data_dir(settings: Settings) -> Finding:
    """Whether `DATA_DIR` can be written: tried with a file that has no name."""
    folder = settings.data_dir
    there = _nearest(folder)
    advice = f"give this process's user write access to {there}, or set DATA_DIR"
    if there is None or not there.is_dir():
        return failed(DATA_DIR, f"{there or folder} is no directory", "set DATA_DIR to one")
    try:
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(b"switchboard")
            probe.flush()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            advice = "make room on its disk"
        return failed(DATA_DIR, f"{there} cannot be written: {error.strerror}", advice)
    made = "" if folder.exists() else f"; {folder} will be made at the first start"
    return ok(DATA_DIR, f"{there} can be written{made}")


def _nearest(folder: Path) -> Path | None:
    """The folder, or what there is of the way to it."""
    whole = folder.absolute()
    try:
        return next((each for each in (whole, *whole.parents) if each.exists()), None)
    except OSError:  # a part of the way may not be looked at
        return None


async def records(settings: Settings, patience: Patience) -> Finding:
    """Whether the database can be read, and which migration it is at."""
    # Not `settings.records_url()`, which makes DATA_DIR.
    default = f"sqlite+aiosqlite:///{settings.data_dir / 'records.sqlite3'}"
    url = settings.database_url or default
    try:
        address = address_of(url)
        if address is not None:
            return await _shared_records(url, address, settings.azure_client_id, patience)
        return await _own_records(url, sqlite_file(url), patience)
    except ConfigurationError as refusal:
        return failed(RECORDS, str(refusal), "mend or unset DATABASE_URL")


async def _own_records(url: str, file: Path | None, patience: Patience) -> Finding:
    try:
        with anyio.fail_after(patience.local_s):
            revision = await revision_of(url)
    except TimeoutError:
        detail = f"the database did not answer within {patience.local_s:g} s"
        return failed(RECORDS, detail, "check DATABASE_URL and that the database runs")
    except (SQLAlchemyError, CommandError, OSError) as error:
        # The error's own words may hold the URL, and that a password.
        where = f"{file} cannot be read" if file else "the database cannot be read"
        advice = "restore it from a copy, or move it away to begin anew; check DATABASE_URL"
        return failed(RECORDS, f"{where} ({type(error).__name__})", advice)
    if revision is None:
        return ok(RECORDS, f"{file} will be made at the first start")
    if file is not None and (fault := _read_only(file)):
        advice = "give this process's user write access to it and to its folder"
        return failed(RECORDS, f"{file} cannot be written: {fault}", advice)
    return _told(revision)


async def _shared_records(
    url: str, address: Address, client_id: str | None, patience: Patience
) -> Finding:
    """PostgreSQL: reached, encrypted, signed in to, and with the right to make tables."""

    async def shown() -> str:
        finding, token = await identity(Audience(SCOPE, "DATABASE_URL"), client_id, patience)
        if token is None:
            raise NoToken(finding.detail)
        return token

    try:
        with anyio.fail_after(patience.token_s + patience.local_s):
            revision = await revision_of(url, shown)
    except (SQLAlchemyError, CommandError, OSError) as error:
        return failed(RECORDS, explain(error, address))
    if revision is None or not revision.may_create:
        return failed(RECORDS, lacks_rights(address))
    told = _told(revision)
    return replace(told, detail=f"PostgreSQL at {address.text} as {address.user}, {told.detail}")


def _read_only(file: Path) -> str | None:
    """Why the file cannot be written; `None` when it can. Opened for that, it stays as it is."""
    try:
        with file.open("r+b"):
            return None
    except OSError as error:
        return error.strerror


def _told(revision: Revision) -> Finding:
    if revision.found == revision.newest:
        return ok(RECORDS, f"at the newest migration, {revision.newest}")
    if revision.found in revision.known:
        moved = f"at migration {revision.found}; the server moves it to {revision.newest}"
        return ok(RECORDS, moved, "copy the database before you start this version")
    if revision.found is None and not revision.tables:
        return ok(RECORDS, f"empty; the server moves it to {revision.newest}")
    if revision.found is None:
        return failed(
            RECORDS, "the database belongs to something else", "give this server one of its own"
        )
    return failed(
        RECORDS,
        f"at migration {revision.found}, which this version does not know",
        "a newer version has used it: install that one, or restore a copy",
    )


def page(folder: Path = PAGE_DIR) -> Finding:
    """Whether the page has been built, whole."""
    index = folder / "index.html"
    try:
        assets: list[str] = _ASSET.findall(index.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return failed(
            PAGE, f"{index} is not there or cannot be read", "install Node.js and run `make page`"
        )
    gone = [asset for asset in assets if not (folder / asset).is_file()]
    if gone:
        return failed(PAGE, f"{gone[0]} is missing from it", "build it again: `make page`")
    return ok(PAGE, "is built")


def origins(settings: Settings) -> Finding:
    """Whether `PUBLIC_URL`, `ALLOWED_ORIGINS` and `HOST` make sense together."""
    try:
        allowed = settings.origins().allowed
    except ConfigurationError as refusal:
        return failed(ORIGINS, str(refusal), "set PUBLIC_URL to where people reach this server")
    if settings.public_url is not None and _is_in_the_open(settings.public_url):
        return failed(
            ORIGINS,
            f"PUBLIC_URL={settings.public_url} is plain http, where browsers give no microphone",
            "serve it over https and say so in PUBLIC_URL",
        )
    return ok(ORIGINS, " ".join(sorted(allowed)), "; ".join(_doubts(settings)))


def _doubts(settings: Settings) -> Iterator[str]:
    if settings.public_url is None and not settings.is_local:
        yield (
            "PUBLIC_URL is not set, so the server answers to the names in ALLOWED_ORIGINS only: "
            "set it if people reach it by another"
        )
    plain = [origin for origin in settings.allowed_origins if _is_in_the_open(origin)]
    if plain:
        yield f"ALLOWED_ORIGINS has {plain[0]}, which is plain http: anyone on the way can be it"


def _is_in_the_open(origin: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def callers(settings: Settings) -> Finding:
    """Who may call, by `HOST`, `SIGN_IN_…` and `ALLOW_ANONYMOUS`."""
    try:
        door = Door(settings)
        choose_authenticator(
            settings.host,
            allow_anonymous=settings.allow_anonymous,
            published=settings.published,
            sign_in=door.by,
        )
    except ConfigurationError as refusal:
        return failed(CALLERS, str(refusal))
    if door.by is not None:
        return _people(settings, by_tokens=door.by_tokens)
    if settings.allow_anonymous:
        if settings.is_local and not any(map(is_elsewhere, settings.published)):
            return ok(CALLERS, f"HOST={settings.host}: this machine only")
        advice = "whoever finds it can spend your quota: keep it to a network you trust"
        if settings.voice_live_proxy and not settings.proxy_own_tokens_only:
            advice += "; the proxy lends them this server's identity (PROXY_OWN_TOKENS_ONLY)"
        return ok(CALLERS, "ALLOW_ANONYMOUS: anybody who reaches this server", advice)
    return ok(CALLERS, f"HOST={settings.host}: this machine only")


def _people(settings: Settings, *, by_tokens: bool) -> Finding:
    who = f"people with a role in the application {settings.sign_in_client_id}"
    if not by_tokens:
        advice = "its word is taken: see that nobody reaches this server past the platform's door"
        return ok(CALLERS, f"SIGN_IN=platform: {who}", advice)
    others = "; ALLOW_ANONYMOUS: strangers too, less often" if settings.allow_anonymous else ""
    return ok(CALLERS, who + others)


def nothing_more(reason: str) -> Finding:
    """What is said in place of all that could not be looked at."""
    return skipped("everything else", reason)
