"""From a configured endpoint to the address of a session."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from switchboard.errors import ConfigurationError
from switchboard.model.profiles import Capabilities

_SETTING = "AZURE_OPENAI_ENDPOINT"
_PASTED_SUFFIXES = ("/openai/v1", "/openai", "/voice-live/realtime", "/voice-live")


class Endpoint:
    """A checked endpoint. Raises `ConfigurationError`, naming the setting, for a wrong one."""

    def __init__(self, address: str, service: Capabilities, setting: str = _SETTING) -> None:
        parts = _split(address, setting)
        self.secure = parts.scheme == "https"
        self.loopback = _is_loopback(parts.hostname or "")
        if not (self.secure or self.loopback):
            # A token must never leave this machine unencrypted.
            raise ConfigurationError(
                f"{setting} must be https: plain http is for the local cloud on loopback, "
                f"and {parts.hostname} is elsewhere."
            )
        scheme = "wss" if self.secure else "ws"
        self._base = f"{scheme}://{parts.netloc}{_prefix(parts.path)}{service.path}"
        self._model_parameter = service.model_parameter

    def session_url(self, model: str) -> str:
        """Where a session with this deployment is opened."""
        return self.url([(self._model_parameter, model)])

    def url(self, query: Iterable[tuple[str, str]]) -> str:
        """Where a session with these parameters is opened."""
        return f"{self._base}?{urlencode(list(query), safe='', quote_via=quote)}"


def _split(address: str, setting: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        _ = parts.port  # checked only when it is read
    except ValueError:
        raise ConfigurationError(f"{setting} is not an address.") from None
    bare = not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("https", "http") or not parts.hostname or not bare:
        raise ConfigurationError(
            f"{setting} must be scheme and host, as in https://<resource>.openai.azure.com, "
            "without user, query or fragment."
        )
    return parts


def _prefix(path: str) -> str:
    """Whatever lies before the API's own path, which people often paste along with the host."""
    path = path.rstrip("/")
    for suffix in _PASTED_SUFFIXES:
        if path.endswith(suffix):
            return path.removesuffix(suffix)
    return path


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
