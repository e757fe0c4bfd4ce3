"""Somebody who signs tokens: keys, a metadata document, and a count of who asked for them."""

import base64
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm
from starlette.requests import HTTPConnection

ISSUER = "https://signer.example"
AUDIENCE = "11111111-2222-3333-4444-555555555555"
METADATA = f"{ISSUER}/calling/.well-known/acsopenidconfiguration"

_KEYS: dict[str, RSAPrivateKey] = {}


def private_key(key_id: str) -> RSAPrivateKey:
    """Made once for all tests: it takes a while."""
    if key_id not in _KEYS:
        _KEYS[key_id] = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return _KEYS[key_id]


def public_jwk(key_id: str) -> dict[str, Any]:
    key = RSAAlgorithm.to_jwk(private_key(key_id).public_key(), as_dict=True)
    return {**key, "kid": key_id, "use": "sig"}


@dataclass
class Signer:
    """Publishes `published`; signs with whatever it is told to."""

    published: list[str] = field(default_factory=lambda: ["k1"])
    named: dict[str, str] = field(default_factory=dict[str, str])
    """Keys that are published by another's id."""
    jwks_uri: str = f"{ISSUER}/calling/keys"
    status: int = 200
    padding: int = 0
    """Bytes of nothing after the documents."""
    asked: list[str] = field(default_factory=list[str])

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        keys = [{**public_jwk(each), "kid": self.named.get(each, each)} for each in self.published]
        document: object = {"keys": keys}
        if request.url.path.endswith("configuration"):
            document = {"issuer": ISSUER, "jwks_uri": self.jwks_uri}
        body = msgspec.json.encode(document) + b" " * self.padding
        return httpx.Response(self.status, content=body)

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[httpx.AsyncClient]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) as client:
            yield client


def claims(**changed: object) -> dict[str, object]:
    """Of a good token; `None` leaves one out."""
    now = int(time.time())
    said: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        **changed,
    }
    return {name: value for name, value in said.items() if value is not None}


def signed(
    said: Mapping[str, object] | None = None, *, key_id: str = "k1", with_key: str | None = None
) -> str:
    """A token, by the key of its id unless told otherwise."""
    return jwt.encode(
        dict(said if said is not None else claims()),
        private_key(with_key or key_id),
        algorithm="RS256",
        headers={"kid": key_id},
    )


def by_hand(
    header: Mapping[str, object], said: Mapping[str, object], signature: bytes = b"x"
) -> str:
    """A token that no library would make."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    parts = (json.dumps(header).encode(), json.dumps(said).encode(), signature)
    return ".".join(map(part, parts))


def request(
    *authorization: str, query: str = "", headers: Mapping[str, str] | None = None
) -> HTTPConnection:
    """A request that shows these."""
    shown = [(b"authorization", value.encode()) for value in authorization]
    shown += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "headers": shown, "query_string": query.encode(), "path": "/"}
    return HTTPConnection(scope)
