"""Whether the realtime services answer: the way to them, their clocks, their models."""

import json
import logging
import os
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final, cast

import anyio
import httpx
from anyio.abc import ByteStream
from anyio.streams.tls import TLSAttribute, TLSStream
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidProxy, WebSocketException
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from switchboard.doctor.findings import Finding, failed, ok, skipped
from switchboard.doctor.patience import Patience, aside
from switchboard.doctor.retirements import AS_OF, SOON, retires
from switchboard.model.endings import unreachable
from switchboard.model.endpoint import Endpoint
from switchboard.model.profiles import Capabilities
from switchboard.model.upgrade import Upgrade

_MAX_SKEW_S: Final = 120.0
"""Entra allows five minutes; beyond two something is wrong with the clock."""
_MAX_FRAME_BYTES: Final = 1024 * 1024
_LONGEST_CODE: Final = 64

# At debug level the library writes every header and frame, our token among them.
_wire_log: Final = logging.getLogger(f"{__name__}.wire")
_wire_log.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Asked:
    """A service that the settings name."""

    title: str
    endpoint: Endpoint
    can: Capabilities

    @property
    def reach_check(self) -> str:
        return f"{self.title} endpoint"

    def model_check(self, model: str) -> str:
        return f"{self.title} model {model}"


# -- the way there ------------------------------------------------------------------------------


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


# -- clocks -------------------------------------------------------------------------------------


async def clock(asked: Asked, patience: Patience) -> Finding:
    """This machine's clock against the service's, asked for without any credentials."""
    check = f"clock against {asked.title}"
    endpoint = asked.endpoint
    address = f"{'https' if endpoint.secure else 'http'}://{endpoint.authority}/"
    try:
        async with httpx.AsyncClient(trust_env=not endpoint.loopback) as http:
            with anyio.fail_after(patience.answer_s):
                before = datetime.now(UTC)
                async with http.stream("GET", address) as answer:  # its body is not waited for
                    after, said = datetime.now(UTC), answer.headers.get("date", "")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        return skipped(check, f"no answer to a plain request ({type(error).__name__})")
    theirs = _date(said)
    if theirs is None:
        return skipped(check, "the service does not say what time it is")
    skew_s = (theirs - (before + (after - before) / 2)).total_seconds()
    if abs(skew_s) > _MAX_SKEW_S:
        how = "behind" if skew_s > 0 else "ahead"
        detail = (
            f"this machine is {abs(skew_s):.0f} s {how}: tokens will seem expired or not yet valid"
        )
        return failed(check, detail, "set the clock, and keep it set by NTP")
    return ok(check, f"within {max(1, round(abs(skew_s)))} s")


def _date(said: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(said)
    except (ValueError, IndexError, TypeError):
        return None
    return read if read.tzinfo else None


# -- models -------------------------------------------------------------------------------------


async def model(asked: Asked, name: str, token: str, patience: Patience) -> Finding:
    """Whether a session with this model is opened. It is closed at once: nothing is said in it."""
    check = asked.model_check(name)
    try:
        with anyio.fail_after(patience.answer_s):
            opened = await _upgrade(asked, name, token)
    except TimeoutError:
        detail = f"the service did not answer within {patience.answer_s:g} s"
        return failed(check, detail, f"check {asked.can.setting} and the service's health")
    except (OSError, WebSocketException) as error:
        return failed(check, str(unreachable(error, asked.can)))
    except ImportError:
        detail = "the environment names a proxy of a kind that this server has no library for"
        return failed(check, detail, "set HTTPS_PROXY to an http:// address, or unset ALL_PROXY")
    try:
        return await _first_word(opened, check, patience)
    finally:
        with anyio.move_on_after(1, shield=True):
            await opened.close()
        opened.transport.abort()


async def _upgrade(asked: Asked, name: str, token: str) -> ClientConnection:
    transport: dict[str, Any] = {"proxy": None} if asked.endpoint.loopback else {}
    return await Upgrade(
        asked.endpoint.session_url(name),
        additional_headers={"Authorization": f"Bearer {token}"},
        user_agent_header="switchboard",
        compression=None,
        open_timeout=None,  # whoever waits has one
        ping_interval=None,
        close_timeout=1,
        max_size=_MAX_FRAME_BYTES,
        logger=_wire_log,
        **transport,
    )


async def _first_word(opened: ClientConnection, check: str, patience: Patience) -> Finding:
    """An accepted upgrade may still be taken back: the session's first event says."""
    advice = "check the model's name in session_config.json, and that it is deployed there"
    try:
        with anyio.move_on_after(patience.first_word_s):
            kind, code = _event(await opened.recv())
            if kind == "error":
                return failed(check, f"accepted, then refused: {code or 'an error'}", advice)
            return ok(check, "a session was opened, and closed again")
    except ConnectionClosed as closed:
        told = closed.rcvd
        said = f"{told.code} {told.reason}".strip() if told else "without a word"
        return failed(check, f"accepted, then closed ({said})", advice)
    return ok(check, "a session was accepted, and closed before it said anything")


def _event(frame: str | bytes) -> tuple[str, str]:
    """Its type, and the code of an error; empty where there is none."""
    try:
        event: object = json.loads(frame)
    except (ValueError, RecursionError):
        return "", ""
    fields = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
    error = fields.get("error")
    detail = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
    return str(fields.get("type", "")), str(detail.get("code") or "")[:_LONGEST_CODE]


def retirement(asked: Asked, name: str, today: date) -> Finding:
    """Whether the model is about to be withdrawn. A deployment may be named otherwise."""
    check = f"{asked.title} model {name} retires"
    day = retires(name)
    schedule = f"by the schedule of {AS_OF}"
    if day is None:
        return skipped(check, f"no model on the schedule of {AS_OF} is called so")
    if day <= today:
        return failed(check, f"it is gone {schedule}", "deploy a newer model, and name that")
    advice = "plan the move to a newer model" if day - today <= SOON else ""
    return ok(check, f"on {day}, {schedule}", advice)
