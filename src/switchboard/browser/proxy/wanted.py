"""What a client of the proxy asks for, read from its address and subprotocols. Pure."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from switchboard.access.refusals import NotIdentified
from switchboard.browser.problems import Refusal

PROTOCOL: Final = "switchboard.proxy.v1"
"""The subprotocol that is agreed to; a client that shows a token offers it, too."""
TOKEN_PREFIX: Final = "token."  # noqa: S105  (a prefix, not a token)
"""A second subprotocol, `token.<token>`, is the user's own token: kept out of URLs and logs."""
MAX_TOKEN_CHARS: Final = 8_000

_OPTIONAL: Final = {"conversationId": "conversation-id", "agentVersion": "agent-version"}
_KNOWN: Final = ("model", "agentName", "agentId", "projectName", *_OPTIONAL, "token")
_VALUE: Final = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")


class Mode(StrEnum):
    MODEL = "model"
    AGENT = "agent"


class _Claims(msgspec.Struct, frozen=True):
    exp: float


_claims: Final = msgspec.json.Decoder(_Claims)


@dataclass(frozen=True, slots=True)
class OwnToken:
    """A user's own Entra token. The service judges it; we only read when it ends."""

    value: str = field(repr=False)
    expires_at: float
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One connection that a client asks for."""

    mode: Mode
    query: Sequence[tuple[str, str]]
    """What it is upstream, in the service's words."""
    token: OwnToken | None
    """None: the server's identity is to be used."""
    subprotocol: str | None
    """What to agree to."""


def read_wanted(query_string: bytes, offered: Sequence[str], now: float) -> Wanted:
    """What this client wants at `now` (epoch seconds). Raises `Refusal` and `NotIdentified`.

    No refusal repeats a value: one of them may be a token.
    """
    given = _parameters(query_string)
    token = _token(given.pop("token", None), _shown(offered), now)
    mode, query = _destination(given)
    return Wanted(mode, query, token, PROTOCOL if offered else None)


def _parameters(query_string: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query_string),
            errors="strict",
            max_num_fields=16,
        )
    except ValueError:
        raise _misunderstood("The query is not understood.") from None
    given = dict(pairs)
    if not given.keys() <= set(_KNOWN):
        raise _misunderstood(f"A parameter is unknown. These are known: {', '.join(_KNOWN)}.")
    if len(given) != len(pairs):
        raise _misunderstood("A parameter is given twice.")
    for name, value in given.items():
        if name != "token" and not _VALUE.fullmatch(value):
            raise _misunderstood(f"{name} must be 1 to 256 printable characters.")
    return given


def _destination(given: Mapping[str, str]) -> tuple[Mode, Sequence[tuple[str, str]]]:
    agents = [name for name in ("agentName", "agentId") if name in given]
    if len(agents) > 1:
        raise _misunderstood("Name the agent once: agentName, or the older agentId.")
    if "model" in given:
        if others := given.keys() - {"model"}:
            raise _misunderstood(f"model does not go together with {', '.join(sorted(others))}.")
        return Mode.MODEL, [("model", given["model"])]
    if not agents:
        raise _misunderstood("Say whom to talk to: model, or agentName and projectName.")
    if "projectName" not in given:
        raise _misunderstood("An agent needs its projectName.")
    name = "agent-name" if agents == ["agentName"] else "agent-id"
    query = [(name, given[agents[0]]), ("agent-project-name", given["projectName"])]
    query += [(_OPTIONAL[key], given[key]) for key in _OPTIONAL if key in given]
    return Mode.AGENT, query


def _shown(offered: Sequence[str]) -> str | None:
    """The token among the subprotocols."""
    tokens = [name.removeprefix(TOKEN_PREFIX) for name in offered if name.startswith(TOKEN_PREFIX)]
    if offered and (PROTOCOL not in offered or len(offered) != len(tokens) + 1):
        raise Refusal(
            400,
            "unknown_protocol",
            f"Offer no subprotocol, or {PROTOCOL} and, with a token, {TOKEN_PREFIX}<token>.",
        )
    if len(tokens) > 1:
        raise _misunderstood("Show one token.")
    return tokens[0] if tokens else None


def _token(in_query: str | None, in_protocols: str | None, now: float) -> OwnToken | None:
    if in_query is not None and in_protocols is not None:
        raise _misunderstood("Show the token once: in Sec-WebSocket-Protocol, or in the query.")
    value = in_query if in_protocols is None else in_protocols
    if value is None:
        return None
    token = OwnToken(value, _expiry(value))
    if token.expires_at <= now:
        raise NotIdentified("The token has expired. Get a new one.")
    return token


def _expiry(token: str) -> float:
    """When it ends, in epoch seconds. Nobody has verified it: a lie shortens a connection."""
    parts = _JWT.fullmatch(token) if len(token) <= MAX_TOKEN_CHARS else None
    if parts is not None:
        payload = parts[1]
        try:
            return _claims.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).exp
        except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError, RecursionError):
            pass
    raise _misunderstood("The token is not an Entra access token.")


def _misunderstood(text: str) -> Refusal:
    return Refusal(400, "misunderstood", text)
