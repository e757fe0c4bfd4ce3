"""The keys that tokens are signed with: RSA, one in use, those before it published for a while."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Final

import anyio
import anyio.to_thread
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from jwt.algorithms import RSAAlgorithm

_BITS: Final = 2048
_EXPONENT: Final = 65_537
MAX_OLD_KEYS: Final = 16


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key, and the name that a token's header calls it by."""

    kid: str
    private: RSAPrivateKey = field(repr=False)

    @property
    def public(self) -> RSAPublicKey:
        return self.private.public_key()


@dataclass(frozen=True, slots=True)
class _Old:
    key: SigningKey
    since: float
    """Epoch seconds at which it was last signed with."""


class KeyRing:
    """Used from any thread. `keep_s` is how long a key stays published once another has taken over:
    at least the life of what it signed."""

    def __init__(self, keep_s: float = 3600, clock: Callable[[], float] = time.time) -> None:
        self._keep_s = keep_s
        self._clock = clock
        self._lock = threading.Lock()
        self._signing: SigningKey | None = None
        self._old: list[_Old] = []

    @property
    def signing(self) -> SigningKey:
        """The key in use. Made when it is first asked for: that takes a tenth of a second."""
        with self._lock:
            if self._signing is None:
                self._signing = _fresh_key()
            return self._signing

    def rotate(self) -> str:
        """Sign with a new key from now on; its name."""
        new = _fresh_key()
        with self._lock:
            if self._signing is not None:
                self._old = [*self._published_old(), _Old(self._signing, self._clock())]
                self._old = self._old[-MAX_OLD_KEYS:]
            self._signing = new
        return new.kid

    async def keep_rotating(self, every_s: float) -> None:
        """Until cancelled; keys are made beside the loop."""
        while True:
            await anyio.sleep(every_s)
            await anyio.to_thread.run_sync(self.rotate)

    def published(self) -> Sequence[SigningKey]:
        """All keys whose signatures still count, the one in use first."""
        signing = self.signing
        with self._lock:
            return [signing, *(old.key for old in self._published_old())]

    def find(self, kid: object) -> RSAPublicKey | None:
        """The published key of that name."""
        return next((key.public for key in self.published() if key.kid == kid), None)

    def wire(self) -> Mapping[str, Any]:
        """The JSON Web Key Set."""
        return {"keys": [_jwk(key) for key in self.published()]}

    def _published_old(self) -> list[_Old]:
        return [old for old in self._old if self._clock() - old.since < self._keep_s]


def _fresh_key() -> SigningKey:
    return SigningKey(token_urlsafe(20), rsa.generate_private_key(_EXPONENT, _BITS))


def _jwk(key: SigningKey) -> Mapping[str, Any]:
    numbers = RSAAlgorithm.to_jwk(key.public, as_dict=True)
    return {"kty": "RSA", "use": "sig", "kid": key.kid, "n": numbers["n"], "e": numbers["e"]}
