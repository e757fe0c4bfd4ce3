"""The signature of Standard Webhooks: who posts, and that nobody changed it. Pure."""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from switchboard.errors import ConfigurationError

SETTING: Final = "WEBHOOK_SECRET"
PREFIX: Final = "whsec_"
SHORTEST: Final = 24
LONGEST: Final = 64


class Signer:
    """Signs with each of some secrets: while one takes another's place, receivers know either.

    `secrets`: `whsec_` and Base64 of 24 to 64 bytes, several of them with spaces between. Raises
    `ConfigurationError`.
    """

    def __init__(self, secrets: str) -> None:
        self._keys = [_key(secret) for secret in secrets.split()]
        if not self._keys:
            raise ConfigurationError(f"{SETTING} is empty.")

    def headers(self, message_id: str, at_s: int, body: bytes) -> dict[str, str]:
        """The three headers of a message that is sent at `at_s`, epoch seconds."""
        signed = f"{message_id}.{at_s}.".encode() + body
        digests = (hmac.digest(key, signed, hashlib.sha256) for key in self._keys)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": " ".join(
                f"v1,{base64.b64encode(digest).decode()}" for digest in digests
            ),
        }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ConfigurationError(
            f"{SETTING} must be `{PREFIX}` and the Base64 of {SHORTEST} to {LONGEST} random bytes: "
            'echo "whsec_$(openssl rand -base64 32)".'
        )
    return key
