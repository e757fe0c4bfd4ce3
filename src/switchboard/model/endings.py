"""Why a line was refused or lost, in a sentence that helps whoever reads it."""

import socket
import ssl

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from switchboard.conversation.events import ModelLost
from switchboard.errors import ModelUnavailable
from switchboard.model.profiles import Capabilities
from switchboard.model.upgrade import by_key

_SENTENCES = {
    400: "The realtime service did not understand the request; check {setting}.",
    401: "The realtime service did not accept our token; check its scope and tenant, and that the "
    "identity has {roles} on the resource.",
    403: "The identity may not use the realtime service; it needs {roles} on the resource, and "
    "network access to it.",
    404: "The realtime service knows no such deployment; check the model's name and {setting}.",
    429: "The realtime service is out of quota for this deployment; try again shortly.",
}
_KEY_REFUSED = (
    "The realtime service did not accept the key; check that the secret in the Key Vault is a key "
    "of this resource, and that the resource allows keys at all."
)
_RETRYABLE_STATUS = frozenset({408, 425, 429})
_FINAL_CODES = frozenset({1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003})
"""Close codes that say: the same again would end the same way."""
_GARBLED = frozenset({1002, 1007})
"""Said by us, they mean that what came was no message: sooner the line's fault than theirs."""


class _Detail(msgspec.Struct, frozen=True):
    code: str | None = None


class _Body(msgspec.Struct, frozen=True):
    error: _Detail | None = None


def unreachable(error: OSError | WebSocketException, service: Capabilities) -> ModelUnavailable:
    """There was no answer that could be understood."""
    match error:
        case InvalidStatus():
            return refused(error.response.status_code, error.response.body, service)
        case ssl.SSLCertVerificationError():
            return ModelUnavailable(
                "The realtime service's certificate is not trusted here; check the endpoint's "
                "name, and SSL_CERT_FILE where a proxy signs its own.",
                retryable=False,
            )
        case socket.gaierror():
            return ModelUnavailable(
                f"The realtime service's name cannot be resolved; check {service.setting}.",
                retryable=True,
            )
        case _:
            kind = type(error).__name__
            return ModelUnavailable(
                f"The realtime service cannot be reached ({kind}).", retryable=True
            )


def lost(closed: ConnectionClosed) -> ModelLost:
    """What the end of an open socket means. The service's own word first, then ours."""
    if closed.rcvd is not None:
        said = f"{closed.rcvd.code} {closed.rcvd.reason}".strip()
        retryable = closed.rcvd.code not in _FINAL_CODES
        return ModelLost(f"the service closed the session ({said})", retryable)
    if closed.sent is not None:
        said = f"{closed.sent.code} {closed.sent.reason}".strip()
        retryable = closed.sent.code not in _FINAL_CODES - _GARBLED
        return ModelLost(f"we closed the session ({said})", retryable)
    return ModelLost("the connection was lost", retryable=True)


def refused(status: int, body: bytes | bytearray | None, service: Capabilities) -> ModelUnavailable:
    """There was an answer, but not the one that was asked for."""
    template = _SENTENCES.get(status, "")
    if status in (401, 403) and service.show is by_key:
        template = _KEY_REFUSED
    known = template.format(setting=service.setting, roles=service.roles)
    sentence = known or (
        "The realtime service is in trouble; try again shortly."
        if status >= 500
        else "The realtime service refused the connection."
    )
    code = service_code(body)
    said = f" (HTTP {status}, {code})" if code else f" (HTTP {status})"
    retryable = status >= 500 or status in _RETRYABLE_STATUS
    return ModelUnavailable(sentence + said, retryable=retryable, status=status)


def service_code(body: bytes | bytearray | None) -> str | None:
    """The service's own error code, if it is one: a short word, never its prose."""
    try:
        detail = msgspec.json.decode(body or b"", type=_Body).error
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    code = detail.code if detail else None
    is_word = code is not None and len(code) <= 64 and code.replace("_", "").isalnum()
    return code if is_word and code and code.isascii() else None
