"""What may go wrong on purpose: the kinds of faults, as tests and people write them down."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

type Service = Literal["realtime", "voice_live", "calls", "client_secrets", "sideband"]
"""A way in. A call's sidebands are apart from the call: losing one does not lose it."""
type Moment = Literal["dial", "reply", "now"]
"""A request arrives; a reply has sounded for so long; at once, in all that is open."""

MAX_MS: Final = 3_600_000
type Millis = Annotated[int, Meta(ge=0, le=MAX_MS)]
type Seconds = Annotated[int, Meta(ge=0, le=3600)]
type Status = Annotated[int, Meta(ge=400, le=599)]
type CloseCode = Annotated[int, Meta(ge=1000, le=4999)]
type Reason = Annotated[str, Meta(max_length=40)]
"""Short enough for a close frame in any script."""


class _Fault(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="fault"
):
    service: Service | None = None
    """`None` is all of them."""
    times: Annotated[int, Meta(ge=1, le=10_000)] | None = 1
    """How often it strikes; `None` is until it is disarmed. `now` is once, whatever is open."""


class Refuse(_Fault, frozen=True, tag="refuse"):
    """A request is answered with `status`."""

    status: Status = 503
    retry_after: Seconds | None = None
    on: Literal["dial"] = "dial"


class Hang(_Fault, frozen=True, tag="hang"):
    """A request is neither accepted nor refused for so long; then it is judged as any other."""

    for_ms: Millis = 60_000
    on: Literal["dial"] = "dial"


class Stall(_Fault, frozen=True, tag="stall"):
    """Nothing is sent for so long, over a connection that stays; then all of it, late."""

    for_ms: Millis = 10_000
    after_ms: Millis = 0
    on: Moment = "now"


class Drop(_Fault, frozen=True, tag="drop"):
    """The connection breaks, without a word: 1006 to its client."""

    after_ms: Millis = 0
    on: Moment = "now"


class Close(_Fault, frozen=True, tag="close"):
    """The connection is closed in good form, with a code of choice."""

    code: CloseCode = 1001
    reason: Reason = ""
    after_ms: Millis = 0
    on: Moment = "now"


class Expire(_Fault, frozen=True, tag="expire"):
    """The session ends as at its longest life: an error `session_expired`, then 1001."""

    after_ms: Millis = 0
    on: Moment = "now"


class LateAudio(_Fault, frozen=True, tag="late_audio"):
    """A cancelled reply sends so many audio deltas more, after its `response.done`."""

    deltas: Annotated[int, Meta(ge=1, le=3)] = 1
    on: Literal["reply"] = "reply"


type Strike = Stall | Drop | Close | Expire
"""What befalls a connection that is open."""
type Fault = Refuse | Hang | LateAudio | Strike

STRIKES: Final = (Stall, Drop, Close, Expire)


def read_fault(body: bytes) -> Fault:
    """The fault that this JSON describes. Raises `msgspec.DecodeError`."""
    return msgspec.json.decode(body, type=Fault)
