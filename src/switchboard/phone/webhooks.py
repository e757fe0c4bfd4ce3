"""What ACS and Event Grid post to us: bodies become facts. Pure; hostile until checked.

Event Grid speaks two schemas: its own (an array, `eventType`, `eventTime`) and CloudEvents 1.0 (one
object or an array, `type`, `time`). ACS's callbacks are arrays of CloudEvents.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

MAX_BODY_BYTES: Final = 262_144
MAX_EVENTS: Final = 64
STALE_S: Final = 60.0
"""A call that has rung for so long unanswered has gone elsewhere."""
AHEAD_S: Final = 120.0
"""Between their clock and ours."""
VALIDATION: Final = "Microsoft.EventGrid.SubscriptionValidationEvent"
INCOMING_CALL: Final = "Microsoft.Communication.IncomingCall"
PREFIX: Final = "Microsoft.Communication."
RECORDING_FILED: Final = "Microsoft.Communication.RecordingFileStatusUpdated"
MAX_PARTS: Final = 200

type Short = Annotated[str, Meta(max_length=512)]
type Long = Annotated[str, Meta(max_length=65_536)]
_RECORDING: Final = re.compile(r"/recordingId/([A-Za-z0-9][A-Za-z0-9._~=+%-]{0,999})(?:/|$)")
_TELEPHONE: Final = re.compile(r"4:(\+[1-9][0-9]{4,14})")
_SIP_NAME: Final = re.compile(r"[Xx]-[A-Za-z0-9-]{1,64}|[Uu]ser-[Tt]o-[Uu]ser")


class Misposted(Exception):
    """A body that is none of theirs. The text quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Event Grid asks whether we want its events; the code is the answer."""

    code: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody calls."""

    event_id: str
    context: str = field(repr=False)
    """What the carrier answers it by."""
    caller: str
    """Raw id: `4:+44…` for a telephone, `8:acs:…` for a user."""
    called: str
    correlation_id: str
    at: float
    """Epoch seconds."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Custom SIP headers, names in small letters."""

    @property
    def number(self) -> str | None:
        """The caller's number, E.164; `None` where it is withheld, or no telephone's."""
        return number_of(self.caller)

    @property
    def digest(self) -> str:
        """The same for each delivery of this call, whatever the event is called."""
        return self._digest("incoming")

    @property
    def begun_digest(self) -> str:
        """The same, of the attempt to answer it."""
        return self._digest("begun")

    def _digest(self, what: str) -> str:
        named = self.correlation_id or self.context
        return hashlib.sha256(f"{what} {named}".encode()).hexdigest()

    def is_stale(self, now: float) -> bool:
        """Too old to be answered, or from a time that is not yet."""
        return not -AHEAD_S <= now - self.at <= STALE_S


@dataclass(frozen=True, slots=True)
class Filed:
    """A recording lies where it can be fetched. Event Grid tells it, once its call is over."""

    recording_id: str
    where: tuple[str, ...]
    """The addresses of its parts."""
    duration_ms: float | None


class What(StrEnum):
    """The callbacks that change what we know of a call. Others are passed over by their name."""

    CONNECTED = "CallConnected"
    DISCONNECTED = "CallDisconnected"
    CREATE_FAILED = "CreateCallFailed"
    ANSWER_FAILED = "AnswerFailed"
    TRANSFER_ACCEPTED = "CallTransferAccepted"
    TRANSFER_FAILED = "CallTransferFailed"
    ADDED = "AddParticipantSucceeded"
    NOT_ADDED = "AddParticipantFailed"
    REMOVED = "RemoveParticipantSucceeded"
    NOT_REMOVED = "RemoveParticipantFailed"
    PLAYED = "PlayCompleted"
    NOT_PLAYED = "PlayFailed"
    KEYS_SENT = "SendDtmfTonesCompleted"
    KEYS_NOT_SENT = "SendDtmfTonesFailed"
    MEDIA_STARTED = "MediaStreamingStarted"
    MEDIA_STOPPED = "MediaStreamingStopped"
    MEDIA_FAILED = "MediaStreamingFailed"
    RECORDING = "RecordingStateChanged"
    PEOPLE = "ParticipantsUpdated"
    NOT_RECORDED = "StartRecordingFailed"


@dataclass(frozen=True, slots=True)
class Told:
    """One callback."""

    event_id: str
    what: What
    connection_id: str
    server_call_id: str
    operation: str
    """The context that we gave the operation."""
    code: int
    """Like an HTTP status: 486 busy, 480 no answer, 603 declined."""
    subcode: int
    people: frozenset[str] = field(default=frozenset(), repr=False)
    """Who is on the call, by raw id, where it is told."""
    recording_state: str = ""
    """Of a recording: `active` or `inactive`."""
    recording_id: str = ""


class _Number(msgspec.Struct, frozen=True, rename="camel"):
    raw_id: Short = ""


class _Custom(msgspec.Struct, frozen=True, rename="camel"):
    sip_headers: dict[Short, Short] | None = None


class _Outcome(msgspec.Struct, frozen=True, rename="camel"):
    code: int = 0
    sub_code: int = 0


class _Participant(msgspec.Struct, frozen=True, rename="camel"):
    identifier: _Number = msgspec.field(default_factory=_Number)


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    content_location: Annotated[str, Meta(max_length=2_048)] = ""


class _Parts(msgspec.Struct, frozen=True, rename="camel"):
    recording_chunks: Annotated[list[_Part], Meta(max_length=MAX_PARTS)] = []


class _Data(msgspec.Struct, frozen=True, rename="camel"):
    """Whatever of either kind of event we have a use for."""

    validation_code: Short | None = None
    incoming_call_context: Long = ""
    from_: _Number = msgspec.field(default_factory=_Number, name="from")
    to: _Number = msgspec.field(default_factory=_Number)
    correlation_id: Short = ""
    custom_context: _Custom | None = None
    call_connection_id: Short = ""
    server_call_id: Long = ""
    operation_context: Short | None = None
    result_information: _Outcome | None = None
    participants: Annotated[list[_Participant], Meta(max_length=200)] | None = None
    state: Short = ""
    recording_id: Annotated[str, Meta(max_length=1_000)] = ""
    recording_storage_info: _Parts | None = None
    recording_duration_ms: float | None = None


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    id: Short
    data: _Data
    subject: Short | None = None
    type: Short | None = None
    event_type: Short | None = None
    time: datetime | None = None
    event_time: datetime | None = None

    @property
    def name(self) -> str:
        return self.event_type or self.type or ""

    @property
    def at(self) -> float:
        when = self.event_time or self.time
        if when is None or when.tzinfo is None:
            raise Misposted("an event does not say when it was")
        return when.timestamp()


_decoder: Final[msgspec.json.Decoder[_Event | list[_Event]]] = msgspec.json.Decoder(
    _Event | list[_Event]
)


def number_of(raw_id: str) -> str | None:
    """The telephone number, E.164, that a raw id names."""
    found = _TELEPHONE.fullmatch(raw_id)
    return found[1] if found else None


def grid_events(body: bytes) -> Sequence[Incoming | Validation | Filed]:
    """What Event Grid delivers, in either schema; other events are passed over.

    Raises `Misposted`.
    """
    facts: list[Incoming | Validation | Filed] = []
    for event in _events(body):
        if event.name == VALIDATION:
            if not event.data.validation_code:
                raise Misposted("a validation has no code")
            facts.append(Validation(event.data.validation_code))
        elif event.name == INCOMING_CALL:
            facts.append(_incoming(event))
        elif event.name == RECORDING_FILED:
            facts.append(_filed(event))
    return facts


def callbacks(body: bytes) -> Sequence[Told]:
    """What ACS tells of a call, in its order; what we have no use for is passed over.

    Raises `Misposted`.
    """
    return [
        _told(event)
        for event in _events(body)
        if event.name.removeprefix(PREFIX) in What and event.name.startswith(PREFIX)
    ]


def _events(body: bytes) -> Sequence[_Event]:
    if len(body) > MAX_BODY_BYTES:
        raise Misposted("a body is too large")
    try:
        said = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        # Its own words could quote the body.
        raise Misposted(f"a body is not understood ({type(fault).__name__})") from None
    events = said if isinstance(said, list) else [said]
    if len(events) > MAX_EVENTS:
        raise Misposted("too many events at once")
    return events


def _incoming(event: _Event) -> Incoming:
    data = event.data
    if not data.incoming_call_context:
        raise Misposted("an incoming call has no context")
    custom = data.custom_context.sip_headers if data.custom_context else None
    return Incoming(
        event_id=event.id,
        context=data.incoming_call_context,
        caller=data.from_.raw_id,
        called=data.to.raw_id,
        correlation_id=data.correlation_id,
        at=event.at,
        headers={
            name.lower(): value
            for name, value in (custom or {}).items()
            if _SIP_NAME.fullmatch(name)
        },
    )


def _filed(event: _Event) -> Filed:
    named = _RECORDING.search(event.subject or "")
    if named is None:
        raise Misposted("a recording's file names no recording")
    parts = event.data.recording_storage_info or _Parts()
    where = tuple(part.content_location for part in parts.recording_chunks)
    return Filed(named[1], where, event.data.recording_duration_ms)


def _told(event: _Event) -> Told:
    data = event.data
    if not data.call_connection_id:
        raise Misposted("a callback names no call")
    outcome = data.result_information or _Outcome()
    return Told(
        event_id=event.id,
        what=What(event.name.removeprefix(PREFIX)),
        connection_id=data.call_connection_id,
        server_call_id=data.server_call_id,
        operation=data.operation_context or "",
        code=outcome.code,
        subcode=outcome.sub_code,
        people=frozenset(each.identifier.raw_id for each in data.participants or ()),
        recording_state=data.state,
        recording_id=data.recording_id,
    )
