"""The keys of those who sign tokens, fetched without holding anybody up."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import anyio
import httpx
import msgspec
from jwt import PyJWK
from jwt.exceptions import PyJWTError

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 262_144
"""Of a document about keys."""
FETCH_S: Final = 5.0
FRESH_S: Final = 3_600.0
"""How long keys are believed without asking again."""
STALE_S: Final = 86_400.0
"""How long they are believed while nobody answers."""
COOL_S: Final = 30.0
"""Between two fetches, whoever shows whatever key id: or strangers could have us ask all day."""
FIRST_COOL_S: Final = 1.0
"""While no keys are held a fetch that failed is tried again after this; each failure doubles it."""
MAX_KEYS: Final = 64

type Fetch = Callable[[str], Awaitable[bytes]]


class KeysUnavailable(Exception):
    """The keys cannot be had just now."""

    def __init__(self, message: str, *, retry_after_s: float = COOL_S) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class _Metadata(msgspec.Struct, frozen=True):
    jwks_uri: str


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, object]]


@dataclass(slots=True)
class _Held:
    keys: Mapping[str, PyJWK] = field(default_factory=dict[str, PyJWK])
    fetched_at: float = float("-inf")
    tried_at: float = float("-inf")
    failures: int = 0
    """Fetches that failed since one did not."""


class Keys:
    """The RS256 keys that an OpenID metadata document leads to, by their ids.

    Many who ask at once cause one fetch. Times are monotonic seconds.
    """

    def __init__(
        self, metadata_url: str, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = metadata_url
        self._fetch = fetch
        self._clock = clock
        self._held = _Held()
        self._one_at_a_time = anyio.Lock()

    async def get(self, key_id: str) -> PyJWK | None:
        """The key, or `None` when there is none of this id.

        Raises `KeysUnavailable` while there are no keys that may still be believed, and for an id
        that may be a new one while nobody answers.
        """
        held = self._held
        unknown = key_id not in held.keys or self._is_stale()
        if self._wanting(key_id) or (unknown and self._one_at_a_time.locked()):
            async with self._one_at_a_time:
                if self._wanting(key_id):  # else somebody else has fetched them meanwhile
                    await self._refresh()
        if self._is_stale() or (held.failures and key_id not in held.keys):
            wait = max(0.0, held.tried_at + self._cool_s() - self._clock())
            raise KeysUnavailable("There are no keys to check this with.", retry_after_s=wait)
        return held.keys.get(key_id)

    def _is_stale(self) -> bool:
        """Whether there are no keys that may still be believed."""
        return self._clock() - self._held.fetched_at > STALE_S

    def _cool_s(self) -> float:
        """How long not to ask again. Short at first while nobody at all can come in."""
        if not self._is_stale():
            return COOL_S
        return min(COOL_S, FIRST_COOL_S * 2 ** min(max(0, self._held.failures - 1), 8))

    def _wanting(self, key_id: str) -> bool:
        """Whether to fetch: they are old, or the id is new to us and we have not just asked."""
        held, now = self._held, self._clock()
        if now - held.tried_at < self._cool_s():
            return False
        return now - held.fetched_at > FRESH_S or key_id not in held.keys

    async def _refresh(self) -> None:
        held = self._held
        held.tried_at = self._clock()
        try:
            with anyio.fail_after(2 * FETCH_S):
                metadata = msgspec.json.decode(await self._fetch(self._url), type=_Metadata)
                if not metadata.jwks_uri.startswith(_origin(self._url) + "/"):
                    raise KeysUnavailable("The metadata leads to another host.")
                found = msgspec.json.decode(await self._fetch(metadata.jwks_uri), type=_KeySet)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            msgspec.MsgspecError,
            UnicodeDecodeError,
            RecursionError,
            TimeoutError,
            KeysUnavailable,
        ) as reason:
            held.failures += 1
            held.tried_at = self._clock()  # or all who waited meanwhile would try in turn
            logger.warning(
                "signing keys not fetched",
                extra={"metadata": self._url, "error": type(reason).__name__},
            )
            return
        held.keys = dict(filter(None, map(_usable, found.keys[:MAX_KEYS])))
        held.fetched_at = self._clock()
        held.failures = 0


def fetch_by(client: httpx.AsyncClient) -> Fetch:
    """Small documents, by GET, without following anybody elsewhere."""

    async def fetch(url: str) -> bytes:
        body = bytearray()
        async with client.stream("GET", url, timeout=FETCH_S, follow_redirects=False) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise KeysUnavailable("A document about keys is too large.")
        return bytes(body)

    return fetch


def _usable(key: dict[str, object]) -> tuple[str, PyJWK] | None:
    """A key for RS256 and its id; `None` for one of another kind."""
    key_id = key.get("kid")
    if key.get("kty") != "RSA" or not isinstance(key_id, str) or key.get("use", "sig") != "sig":
        return None
    try:
        return key_id, PyJWK(dict(key), algorithm="RS256")
    except (PyJWTError, ValueError, TypeError):
        return None


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
