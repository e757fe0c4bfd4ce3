"""The table of the REST interface: for each verb its body, what it does, and the one status that
the official SDK takes for success."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from switchboard_local.acs import bodies, opening, operations, playing
from switchboard_local.acs.acs import Acs
from switchboard_local.acs.live import LiveCall
from switchboard_local.acs.operations import Answer
from switchboard_local.acs.refusals import bad


@dataclass(frozen=True, slots=True)
class Verb[O]:
    """`run` takes whom it is asked of, and the body as sent. Raises `AcsRefused`."""

    status: int
    run: Callable[[O, bytes], Answer]


def _verb[O, B](status: int, body: type[B], do: Callable[[O, B], Answer]) -> Verb[O]:
    def run(whom: O, sent: bytes) -> Answer:
        try:
            checked = msgspec.json.decode(sent or b"{}", type=body)
        except (msgspec.DecodeError, RecursionError) as wrong:
            raise bad(str(wrong)) from None
        return do(whom, checked)

    return Verb(status, run)


def _bare(status: int, do: Callable[[LiveCall], Answer]) -> Verb[LiveCall]:
    return Verb(status, lambda call, _: do(call))


OF_THE_RESOURCE: Final[Mapping[str, Verb[Acs]]] = {
    "": _verb(201, bodies.Create, opening.create),
    ":answer": _verb(200, bodies.Answer, opening.answer),
    ":reject": _verb(204, bodies.Reject, opening.reject),
    ":redirect": _verb(204, bodies.Redirect, opening.redirect),
    ":connect": _verb(200, bodies.Connect, opening.connect),
}
"""Behind `/calling/callConnections`."""

OF_A_CALL: Final[Mapping[str, Verb[LiveCall]]] = {
    ":terminate": _bare(204, operations.terminate),
    ":transferToParticipant": _verb(202, bodies.Transfer, operations.transfer),
    "/participants:add": _verb(202, bodies.Add, operations.add),
    "/participants:remove": _verb(202, bodies.Remove, operations.remove),
    "/participants:mute": _verb(200, bodies.Mute, operations.mute),
    "/participants:cancelAddParticipant": _verb(202, bodies.CancelAdd, operations.cancel_add),
    "/participants:moveHere": _verb(202, bodies.Move, operations.move_here),
    ":play": _verb(202, bodies.Play, playing.play),
    ":cancelAllMediaOperations": _bare(202, playing.cancel_media),
    ":recognize": _verb(202, bodies.Recognize, playing.recognize),
    ":startContinuousDtmfRecognition": _verb(200, bodies.One, operations.watch_keys),
    ":stopContinuousDtmfRecognition": _verb(200, bodies.One, operations.unwatch_keys),
    ":sendDtmfTones": _verb(202, bodies.SendDtmf, operations.send_dtmf),
    ":startMediaStreaming": _verb(202, bodies.Nothing, operations.start_media),
    ":stopMediaStreaming": _verb(202, bodies.Nothing, operations.stop_media),
    ":hold": _verb(200, bodies.One, operations.hold),
    ":unhold": _verb(200, bodies.One, operations.unhold),
}
"""Behind `/calling/callConnections/{id}`."""
