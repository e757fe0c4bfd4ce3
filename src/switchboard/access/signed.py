"""Tokens that somebody else signed (JWT, RS256): who, for whom, and whether they still hold."""

import hashlib
import logging
import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import jwt
import msgspec
from jwt import PyJWK
from starlette.requests import HTTPConnection

from switchboard.access.keys import Keys, KeysUnavailable
from switchboard.access.refusals import CannotTell, NotIdentified

logger = logging.getLogger(__name__)

MAX_TOKEN_CHARS: Final = 16_384
LEEWAY_S: Final = 60.0
"""Between their clock and ours."""
MOST_REMEMBERED: Final = 1_000
"""Tokens that were good: most people show theirs with each request for an hour."""
NEEDED: Final = ("exp", "iss", "aud")

type Claims = Mapping[str, Any]

_PARTS: Final = 3
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say."""

    issuers: Collection[str]
    audiences: Collection[str]


@dataclass(frozen=True, slots=True)
class _Good:
    """What became of a token that was checked."""

    claims: Claims
    key: PyJWK
    expires: int
    """Epoch seconds, however many its signer wrote: never to be made a float of."""


class SignedTokens:
    """Checks the tokens of one signer. One that was good is not taken apart again while the key
    that proved it is published: of all that was checked, only its end can still come.

    `clock` is epoch seconds.
    """

    def __init__(
        self, keys: Keys, expected: Expected, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._expected = expected
        self._clock = clock
        self._good: OrderedDict[bytes, _Good] = OrderedDict()
        """By their SHA-256: no token is kept. The latest come last."""

    async def check(self, token: str) -> Claims:
        """What the token claims, only to be read: the next who shows it is given the same.

        Raises `NotIdentified`, with the same words whatever is wrong: the log says more. Raises
        `CannotTell` while there are no keys to check it with.
        """
        try:
            return await self._claims(token)
        except KeysUnavailable as reason:
            logger.warning("token not checked", extra={"reason": type(reason).__name__})
            raise CannotTell(
                "Tokens cannot be checked just now.", retry_after_s=reason.retry_after_s
            ) from None
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as reason:
            logger.info("token refused", extra={"reason": type(reason).__name__})
            raise NotIdentified("This token is not good here.") from None

    async def _claims(self, token: str) -> Claims:
        header = header_of(token)
        key_id = header.get("kid")
        if header.get("alg") != "RS256" or not isinstance(key_id, str):
            raise jwt.InvalidAlgorithmError
        key = await self._keys.get(key_id)
        if key is None:
            raise jwt.InvalidKeyError
        digest = hashlib.sha256(token.encode()).digest()
        good = self._good.get(digest)
        if good is None or good.key is not key:
            good = self._checked(token, key)
            self._remember(digest, good)
        elif self._clock() - LEEWAY_S >= good.expires:
            raise jwt.ExpiredSignatureError
        return good.claims

    def _checked(self, token: str, key: PyJWK) -> _Good:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=list(self._expected.audiences),
            issuer=list(self._expected.issuers),
            leeway=LEEWAY_S,
            options={"require": list(NEEDED)},
        )
        return _Good(MappingProxyType(claims), key, int(claims["exp"]))

    def _remember(self, digest: bytes, good: _Good) -> None:
        self._good[digest] = good
        self._good.move_to_end(digest)
        if len(self._good) > MOST_REMEMBERED:
            self._good.popitem(last=False)


def header_of(token: str) -> Claims:
    """What its signer says of a token, unchecked. Raises `ValueError`, `RecursionError`."""
    return _part(token, 0)


def unchecked_claims(token: str) -> Claims:
    """What a token claims, unchecked: enough to choose who is to check it. Raises `ValueError`,
    `RecursionError`."""
    return _part(token, 1)


def _part(token: str, number: int) -> Claims:
    """PyJWT would take the whole token apart, a letter at a time: it does so once, to check it."""
    if len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise ValueError("This is no token.")
    parts = token.split(".", 3)
    if len(parts) != _PARTS:
        raise ValueError("A token has three parts.")
    return _decode(urlsafe_b64decode(parts[number] + "=="))  # what is too much of it is ignored


def bearer_of(connection: HTTPConnection) -> str:
    """The token that a request or socket shows. Raises `NotIdentified` unless there is just one."""
    shown = connection.headers.getlist("authorization")
    scheme, _, token = shown[0].partition(" ") if len(shown) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotIdentified("This needs a bearer token.")
    return token.strip()
