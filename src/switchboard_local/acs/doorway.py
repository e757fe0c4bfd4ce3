"""Who may ask the local ACS: those with a token for it, or who sign with its key."""

import base64
import binascii
import hashlib
import hmac
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

from switchboard_local.acs.refusals import AcsRefused
from switchboard_local.entra.issuer import BadToken, Issuer

logger = logging.getLogger(__name__)

AUDIENCES: Final = frozenset(
    {"https://communication.azure.com", "https://communication.azure.com/"}
)
MAX_SKEW_S: Final = 300
"""How old a signed request may be; the service's own limit is unverified."""
_HMAC: Final = re.compile(
    r"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=([A-Za-z0-9+/=]+)"
)


@dataclass(frozen=True, slots=True)
class Asking:
    """A request, as far as its signature covers it."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Doorway:
    """Without `access_key` no signature opens it."""

    issuer: Issuer
    access_key: str | None = field(default=None, repr=False)

    def check(self, asking: Asking) -> None:
        """Raises `AcsRefused`, the same for everybody: what is wrong is in the log."""
        given = asking.headers.get("authorization", "")
        if given.lower().startswith("bearer "):
            try:
                self.issuer.read(given[len("bearer ") :].strip(), AUDIENCES)
            except BadToken as wrong:
                raise _no(str(wrong)) from None
            return
        self._check_signature(given, asking)

    def _check_signature(self, given: str, asking: Asking) -> None:
        """The signature is as Microsoft's page on HMAC headers has it, and its SDKs make it."""
        match = _HMAC.fullmatch(given)
        if match is None:
            raise _no("nothing to show")
        if self.access_key is None:
            raise _no("signed, and there is no key")
        headers = asking.headers
        content = base64.b64encode(hashlib.sha256(asking.body).digest()).decode()
        if not hmac.compare_digest(headers.get("x-ms-content-sha256", ""), content):
            raise _no("another body than was signed")
        if abs(time.time() - _date(headers.get("x-ms-date", ""))) > MAX_SKEW_S:
            raise _no("signed too long ago")
        signed = f"{headers.get('x-ms-date')};{headers.get('host')};{content}"
        text = f"{asking.method}\n{asking.target}\n{signed}"
        key = base64.b64decode(self.access_key)
        expected = hmac.new(key, text.encode(), hashlib.sha256).digest()
        try:
            signature = base64.b64decode(match[1], validate=True)
        except binascii.Error:
            raise _no("a malformed signature") from None
        if not hmac.compare_digest(signature, expected):
            raise _no("signed with another key")


def _date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise _no("without a date") from None


def _no(why: str) -> AcsRefused:
    logger.warning("credential refused", extra={"reason": why})
    return AcsRefused(401, "Denied", "Denied by the resource provider.")
