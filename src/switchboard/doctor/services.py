"""The services that the settings name, and whether there is a way to them."""

import os
import socket
import ssl
from dataclasses import dataclass
from functools import partial

import anyio
from anyio.abc import ByteStream
from anyio.streams.tls import TLSAttribute, TLSStream
from websockets.exceptions import InvalidProxy
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from switchboard.conversation.session import FoundryAgent
from switchboard.doctor.findings import Finding, failed, ok, skipped
from switchboard.doctor.patience import Patience, aside
from switchboard.model.endpoint import Endpoint
from switchboard.model.profiles import Capabilities


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a service is asked for: a model, or an agent of a Foundry project."""

    name: str
    agent: FoundryAgent | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A service that the settings name."""

    title: str
    endpoint: Endpoint
    can: Capabilities

    @property
    def reach_check(self) -> str:
        return f"{self.title} endpoint"

    def check_of(self, target: Target) -> str:
        return f"{self.title} {'agent' if target.agent else 'model'} {target.name}"

    def address_of(self, target: Target) -> str:
        """Where a session with it is opened."""
        if target.agent is not None:
            return self.endpoint.agent_url(target.agent)
        return self.endpoint.session_url(target.name)


async def reach(asked: Asked, patience: Patience) -> Finding:
    """The name, the connection and TLS, one after the other: the first that fails is named."""
    endpoint, check = asked.endpoint, asked.reach_check
    where = f"{endpoint.host}:{endpoint.port}"
    if _through_a_proxy(endpoint):
        return skipped(check, f"{where} is reached through the proxy of HTTPS_PROXY or the like")
    step, advice = "DNS", f"check {asked.can.setting}, and this machine's name servers"
    try:
        await aside(partial(_resolve, endpoint), patience.connect_s)
        step = "TCP"
        advice = "check firewalls, private endpoints and the resource's own network rules"
        with anyio.fail_after(patience.connect_s):
            stream = await anyio.connect_tcp(endpoint.host, endpoint.port)
        async with stream:
            if not endpoint.secure:
                return ok(check, f"{where} answers; plain, as it is on this machine")
            step = "TLS"
            advice = f"{asked.can.setting} must lead to a server that speaks TLS there"
            with anyio.fail_after(patience.connect_s):
                return await _secure(stream, endpoint, check)
    except ssl.SSLCertVerificationError as error:
        detail = f"TLS: the certificate of {where} is not trusted: {error.verify_message}"
        advice = "check the endpoint's name, and SSL_CERT_FILE where a proxy signs its own"
        return failed(check, detail, advice)
    except TimeoutError:
        return failed(check, f"{step}: {where}: no answer in {patience.connect_s:g} s", advice)
    except ValueError:  # UnicodeError among them
        return failed(check, f"{step}: {endpoint.host} cannot be a name", advice)
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        return failed(check, f"{step}: {where}: {_why(error)}", advice)


def webrtc() -> Finding:
    """What nobody can know from here. Media flow between the browser and Azure, not through us."""
    return skipped(
        "Azure OpenAI WebRTC",
        "unproven: whether the resource's region has it, and the browser's network lets its media "
        "through, only a call from that browser shows",
        "where it fails, calls over WebSocket need none of it",
    )


def _through_a_proxy(endpoint: Endpoint) -> bool:
    """Whether dials go through a proxy of the environment, which then does all of this itself."""
    if endpoint.loopback:
        return False
    try:
        return get_proxy(parse_uri(endpoint.session_url("any"))) is not None
    except InvalidProxy:
        return True


def _resolve(endpoint: Endpoint) -> None:
    socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)


async def _secure(stream: ByteStream, endpoint: Endpoint, check: str) -> Finding:
    context = ssl.create_default_context()
    shaken = await TLSStream.wrap(
        stream, hostname=endpoint.host, ssl_context=context, standard_compatible=False
    )
    version = shaken.extra(TLSAttribute.tls_version)  # noqa: S610  (no database's)
    return ok(check, f"{endpoint.host}:{endpoint.port} answers, and proves who it is ({version})")


def _why(error: BaseException | None) -> str:
    """In a few words, of the first cause that has some."""
    match error:
        case None:
            return "it hung up"
        case ssl.SSLError():
            reason = str(error.reason)
            return "it speaks no TLS" if "WRONG_VERSION" in reason else reason
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number)
        case OSError(strerror=str(said)):
            return said
        case BaseExceptionGroup():
            return _why(error.exceptions[0])
        case _:
            return _why(error.__cause__)
