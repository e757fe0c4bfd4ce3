"""Client secrets: short-lived rights to begin one kind of session, for browsers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from switchboard_local.realtime.checking import Strict
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import Session

MAX_SECRETS: Final = 1000
"""That have not expired."""


class ExpiresAfter(Strict):
    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Field(ge=10, le=7200)] = 600


class SecretParams(Strict):
    """What a client secret is asked for with."""

    expires_after: ExpiresAfter | None = None
    session: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a secret allows, until it expires."""

    session: Session
    expires_at: int
    """Epoch seconds."""


class SecretBook:
    """The client secrets of one local cloud, kept as hashes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._grants: dict[bytes, Grant] = {}

    def mint(self, session: Session, lifetime_s: int) -> tuple[str, Grant]:
        """A fresh secret, good for any number of sessions. Raises `Refused` when there are many."""
        now = self._clock()
        self._grants = {key: each for key, each in self._grants.items() if each.expires_at > now}
        if len(self._grants) >= MAX_SECRETS:
            message = f"At most {MAX_SECRETS} client secrets at once; they expire."
            raise Refused("too_many_client_secrets", message)
        secret = f"ek_{token_hex(24)}"
        grant = Grant(session, int(now) + lifetime_s)
        self._grants[_hash(secret)] = grant
        return secret, grant

    def grant(self, secret: str) -> Grant | None:
        """What `secret` allows now, if anything."""
        grant = self._grants.get(_hash(secret))
        return None if grant is None or grant.expires_at <= self._clock() else grant


def session_wire(session: Session, session_id: str) -> Mapping[str, Any]:
    """The session a secret will begin, as its answer shows it."""
    head = {"object": "realtime.session", "id": session_id, "expires_at": 0}
    return head | session.model_dump(mode="json")


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
