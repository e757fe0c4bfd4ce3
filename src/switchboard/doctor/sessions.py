"""Whether a session is opened with each model, and for how long the model will be there."""

import json
import logging
from datetime import date
from typing import Any, Final, cast

import anyio
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from switchboard.doctor.findings import Finding, failed, ok, skipped
from switchboard.doctor.patience import Patience
from switchboard.doctor.retirements import AS_OF, SOON, retires
from switchboard.doctor.services import Asked, Target
from switchboard.model.endings import unreachable
from switchboard.model.upgrade import Upgrade

_MAX_FRAME_BYTES: Final = 1024 * 1024
_LONGEST_CODE: Final = 64
_AGENTS_NEED: Final = (
    "check the agent's name, project and version in session_config.json, that it is published, and "
    "that the identity has the role 'Foundry User' on the project"
)

# At debug level the library writes every header and frame, our token among them.
_wire_log: Final = logging.getLogger(f"{__name__}.wire")
_wire_log.setLevel(logging.INFO)


async def model(asked: Asked, target: Target, token: str, patience: Patience) -> Finding:
    """Whether a session with this model or agent is opened. It is closed at once: nothing is said
    in it."""
    check = asked.check_of(target)
    try:
        with anyio.fail_after(patience.answer_s):
            opened = await _upgrade(asked, target, token)
    except TimeoutError:
        detail = f"the service did not answer within {patience.answer_s:g} s"
        return failed(check, detail, f"check {asked.can.setting} and the service's health")
    except (OSError, WebSocketException) as error:
        advice = _AGENTS_NEED if target.agent else ""
        return failed(check, str(unreachable(error, asked.can)), advice)
    except ImportError:
        detail = "the environment names a proxy of a kind that this server has no library for"
        return failed(check, detail, "set HTTPS_PROXY to an http:// address, or unset ALL_PROXY")
    try:
        return await _first_word(opened, check, target, patience)
    finally:
        with anyio.move_on_after(1, shield=True):
            await opened.close()
        opened.transport.abort()


async def _upgrade(asked: Asked, target: Target, token: str) -> ClientConnection:
    transport: dict[str, Any] = {"proxy": None} if asked.endpoint.loopback else {}
    return await Upgrade(
        asked.address_of(target),
        additional_headers=asked.can.show(token),
        user_agent_header="switchboard",
        compression=None,
        open_timeout=None,  # whoever waits has one
        ping_interval=None,
        close_timeout=1,
        max_size=_MAX_FRAME_BYTES,
        logger=_wire_log,
        **transport,
    )


async def _first_word(
    opened: ClientConnection, check: str, target: Target, patience: Patience
) -> Finding:
    """An accepted upgrade may still be taken back: the session's first event says."""
    advice = (
        _AGENTS_NEED
        if target.agent
        else "check the model's name in session_config.json, and that it is deployed there"
    )
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
