"""From a configured endpoint to the address of a session."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from switchboard.conversation.session import FoundryAgent
from switchboard.errors import ConfigurationError
from switchboard.model.profiles import Capabilities


class Endpoint:
    """A checked endpoint. Raises `ConfigurationError`, naming the setting, for a wrong one."""

    def __init__(self, address: str, service: Capabilities) -> None:
        parts = _split(address, service)
        self.secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.authority = parts.netloc
        """Host, and the port where it is given."""
        self.port = parts.port or (443 if self.secure else 80)
        self.loopback = is_loopback(self.host)
        if not (self.secure or self.loopback):
            # A token must never leave this machine unencrypted.
            raise ConfigurationError(
                f"{service.setting} must be https: plain http is for the local cloud on loopback, "
                f"and {parts.hostname} is elsewhere."
            )
        scheme = "wss" if self.secure else "ws"
        where = f"{parts.netloc}{_prefix(parts.path, service.pasted)}{service.path}"
        self._base = f"{scheme}://{where}"
        self._http_base = f"{parts.scheme}://{where}"
        self._service = service

    def session_url(self, model: str) -> str:
        """Where a session with this model is opened."""
        return self.url([(self._service.model_parameter, model)])

    def http_url(self, below: str) -> str:
        """What lies below the session's path, over HTTP: `/calls`."""
        return self._http_base + below

    def agent_url(self, agent: FoundryAgent) -> str:
        """Where a session with this agent of a Foundry project is opened."""
        query = [("agent-name", agent.name), ("agent-project-name", agent.project)]
        if agent.version is not None:
            query.append(("agent-version", agent.version))
        if agent.conversation_id is not None:
            query.append(("conversation-id", agent.conversation_id))
        return self.url(query)

    def url(self, query: Iterable[tuple[str, str]]) -> str:
        """Where a session with these parameters, and the service's own, is opened."""
        whole = [*self._service.query.items(), *query]
        return f"{self._base}?{urlencode(whole, safe='', quote_via=quote)}"


def _split(address: str, service: Capabilities) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        _ = parts.port  # checked only when it is read
    except ValueError:
        raise ConfigurationError(f"{service.setting} is not an address.") from None
    bare = not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("https", "http") or not parts.hostname or not bare:
        raise ConfigurationError(
            f"{service.setting} must look like {service.example}, without user, query or fragment."
        )
    return parts


def _prefix(path: str, pasted: Sequence[str]) -> str:
    """Whatever lies before the API's own path, which people often paste along with the host."""
    path = path.rstrip("/")
    for suffix in pasted:
        if path.endswith(suffix):
            return path.removesuffix(suffix)
    return path


def is_loopback(host: str) -> bool:
    """Whether only this machine can be meant by `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
