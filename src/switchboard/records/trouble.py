"""What a database's errors mean: whose fault it is, and what to do about it."""

import sqlite3
import ssl
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from switchboard.errors import RecordsUnavailable
from switchboard.records.entra import NoToken
from switchboard.records.postgres import Address

_AWAY: Final = frozenset({"08", "28", "40", "53", "57", "58"})
"""Classes of SQLSTATE: connection, sign-in, rolled back, resources, intervention, system."""
_AWAY_TOO: Final = frozenset({"55P03", "55000", "25006", "3D000"})
"""Locked for too long; not open yet; a standby that takes no writes; being restored."""

_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_passing(error: BaseException) -> bool:
    """Whether the database is away or busy, so that the same may go well later; else what it was
    given is wrong, and always will be."""
    # `TimeoutError` is an `OSError`.
    if isinstance(error, RecordsUnavailable | OSError | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is None:
        return isinstance(error, OperationalError) or _is_broken_file(error)
    return state[:2] in _AWAY or state in _AWAY_TOO


def _is_broken_file(error: DBAPIError) -> bool:
    """SQLite's file is damaged, or none of its own: until somebody puts a copy in its place."""
    code: object = getattr(error.orig, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _BROKEN


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five letters."""
    state: object = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state if isinstance(state, str) else None


def explain(error: BaseException, address: Address) -> str:
    """A sentence or two for whoever starts the server. There is no secret in it."""
    if isinstance(error, OSError):
        return _not_reached(error, address.text)
    state = sqlstate(error)
    return _refused(state, address) or (
        f"The database at {address.text} cannot be opened or migrated as {address.user} "
        f"({state or type(error).__name__}). Check DATABASE_URL."
    )


def _not_reached(error: OSError, where: str) -> str:
    if isinstance(error, NoToken):
        return (
            "DATABASE_URL has no password, and there is no Entra token to show in its place: "
            f"{error}."
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate of the database at {where} is not to be trusted "
            f"({error.verify_message.rstrip('.')}). Check the host in DATABASE_URL, or name its "
            "authority in SSL_CERT_FILE."
        )
    if isinstance(error, ssl.SSLError):
        return f"The database at {where} does not encrypt as it should ({error.reason})."
    if "SSL upgrade" in str(error):  # the driver's own words
        return f"The database at {where} offers no TLS, and only this machine's may do without."
    late = isinstance(error, TimeoutError)
    said = error.strerror or ("no answer in time" if late else type(error).__name__)
    return (
        f"The database at {where} cannot be reached ({said}). Check DATABASE_URL, that it runs, "
        "and that its firewall lets this server in."
    )


def _refused(state: str | None, address: Address) -> str | None:
    where, user = address.text, address.user
    match state:
        case "28P01" | "28000" if address.password:
            return (
                f"The database at {where} refuses {user} with the password in DATABASE_URL. Check "
                "both."
            )
        case "28P01" | "28000":
            return (
                f"The database at {where} refuses {user} with the Entra token of this server's "
                "identity. There must be a role of that name, mapped to the identity that "
                "AZURE_CLIENT_ID names."
            )
        case "3D000":
            return f"There is no database {address.database} at {address.host}. Create it."
        case "42501":
            return lacks_rights(address)
        case "53300":
            return f"The database at {where} has no connection left for this server."
        case "57P03":
            return f"The database at {where} is starting or stopping. Try again soon."
        case _:
            return None


def lacks_rights(address: Address) -> str:
    """What is said of a role that may not do enough."""
    return (
        f"The role {address.user} lacks a right that the records need at {address.text}: to "
        "connect, and to create tables in the schema public."
    )
