"""One secret of a Key Vault, read with this machine's identity."""

import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx
import msgspec

from switchboard.errors import ConfigurationError
from switchboard.model.endpoint import is_loopback

SETTING: Final = "VOICELIVE_KEY_SECRET_URI"
API_VERSION: Final = "7.4"
_CLOUDS: Final = ("vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net")
_EXAMPLE: Final = "https://<vault>.vault.azure.net/secrets/<name>"
_READ_TIMEOUT_S: Final = 10.0
_MAX_ANSWER_BYTES: Final = 64 * 1024
_LONGEST_KEY: Final = 512
_ROLE: Final = "the role 'Key Vault Secrets User' on the vault or the secret"


class SecretUnread(Exception):
    """The secret could not be read; says how to mend it, and repeats nothing of it."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class SecretAddress:
    """A checked address of a secret."""

    url: str
    scope: str
    """Whom the Entra token is for."""
    loopback: bool

    @classmethod
    def of(cls, address: str) -> "SecretAddress":
        """Raises `ConfigurationError` for what cannot be a secret's address: the token would be
        shown to whoever answers there."""
        try:
            parts = urlsplit(address.strip())
            port = parts.port
        except ValueError:
            raise ConfigurationError(f"{SETTING} is not an address.") from None
        host = (parts.hostname or "").lower()
        local = is_loopback(host)
        cloud = next((each for each in _CLOUDS if host.endswith(f".{each}")), None)
        bare = not (parts.query or parts.fragment or "@" in parts.netloc)
        steps = parts.path.strip("/").split("/")
        named = steps[0] == "secrets" and len(steps) in (2, 3) and all(steps)
        if not (bare and named and (local or (cloud and port in (None, 443)))):
            raise ConfigurationError(
                f"{SETTING} must look like {_EXAMPLE}: a secret of a Key Vault, by https."
            )
        if parts.scheme != "https" and not (local and parts.scheme == "http"):
            raise ConfigurationError(f"{SETTING} must be https.")
        url = f"{parts.scheme}://{parts.netloc}/{'/'.join(steps)}"
        return cls(url, f"https://{cloud or _CLOUDS[0]}/.default", local)


class _Secret(msgspec.Struct, frozen=True):
    value: str


class _Inner(msgspec.Struct, frozen=True):
    code: str | None = None


class _Error(msgspec.Struct, frozen=True):
    innererror: _Inner | None = None


class _Refusal(msgspec.Struct, frozen=True):
    error: _Error | None = None


async def read_secret(
    address: SecretAddress, token: str, *, tls: ssl.SSLContext | None = None
) -> str:
    """The secret's value. Bounded in time and size; follows nobody. Raises `SecretUnread`."""
    try:
        with anyio.fail_after(_READ_TIMEOUT_S):
            status, body = await _get(address, token, tls)
    except TimeoutError:
        raise SecretUnread(f"the Key Vault did not answer within {_READ_TIMEOUT_S:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ImportError) as error:
        raise SecretUnread(
            f"the Key Vault cannot be reached ({type(error).__name__}); check {SETTING}, DNS and "
            "the vault's private endpoint"
        ) from None
    if status != 200:
        raise SecretUnread(_sentence(status, body), status)
    return _value(body)


async def _get(address: SecretAddress, token: str, tls: ssl.SSLContext | None) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    async with (
        httpx.AsyncClient(trust_env=not address.loopback, verify=tls or True) as http,
        http.stream(
            "GET", address.url, params={"api-version": API_VERSION}, headers=headers
        ) as answer,
    ):
        body = b""
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > _MAX_ANSWER_BYTES:
                raise SecretUnread("the Key Vault's answer is too large to be a secret's")
        return answer.status_code, body


def _value(body: bytes) -> str:
    try:
        value = msgspec.json.decode(body, type=_Secret).value
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise SecretUnread("what the Key Vault answered is no secret") from None
    if not (0 < len(value) <= _LONGEST_KEY and value.isascii() and value.isprintable()):
        raise SecretUnread("the secret is no key: put the key's text in it, and nothing else")
    if " " in value:
        raise SecretUnread("the secret is no key: it has spaces in it")
    return value


def _sentence(status: int, body: bytes) -> str:
    """How to mend a refusal. The vault's own words are not repeated: they name vaults, tenants
    and identities. Its inner codes are short words."""
    match status, _inner_code(body):
        case 403, "SecretDisabled":
            return "the secret is disabled; enable it, or name another version"
        case 403, "ForbiddenByFirewall" | "ForbiddenByConnection":
            return (
                "the Key Vault's network rules refuse this machine; allow its subnet, or give the "
                "vault a private endpoint"
            )
        case 403, _:
            return f"the identity may not read the secret; it needs {_ROLE}"
        case 401, _:
            return (
                "the Key Vault did not accept our token; check that the identity is of the vault's "
                "tenant"
            )
        case 404, _:
            return f"the Key Vault has no such secret; check {SETTING}"
        case 429, _:
            return "the Key Vault is asked too often; this mends itself"
        case _:
            return f"the Key Vault answered HTTP {status}; check {SETTING} and the vault's health"


def _inner_code(body: bytes) -> str | None:
    try:
        error = msgspec.json.decode(body, type=_Refusal).error
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return error.innererror.code if error and error.innererror else None
