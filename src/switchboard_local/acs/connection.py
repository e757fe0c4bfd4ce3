"""The application's connection to one call, as a value: its state, who is there, what is under way.

Pure. Each method is something that happens; it answers with what the application is told, in order,
or raises `AcsRefused` where a request asks for what cannot be now. The embedding rings, plays and
posts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from switchboard_local.acs.events import Told
from switchboard_local.acs.identifiers import wire
from switchboard_local.acs.outcomes import (
    HUNG_UP,
    MEDIA_FAILED,
    OK,
    TRANSFERRED,
    Outcome,
    Result,
)
from switchboard_local.acs.refusals import bad, gone, wrong_state

MAX_PARTICIPANTS: Final = 100
MAX_INVITATIONS: Final = 100


class State(StrEnum):
    """`callConnectionState`."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    TRANSFERRING = "transferring"
    DISCONNECTED = "disconnected"


class Media(StrEnum):
    """`mediaStreamingSubscription.state`."""

    DISABLED = "disabled"
    INACTIVE = "inactive"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Names:
    """What a connection is called."""

    connection: str
    server_call: str
    correlation: str


@dataclass(slots=True)
class Participant:
    """Somebody in the call."""

    raw_id: str
    muted: bool = False
    on_hold: bool = False

    def wire(self) -> dict[str, object]:
        return {
            "identifier": wire(self.raw_id),
            "isMuted": self.muted,
            "isOnHold": self.on_hold,
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a request was about, and what its events carry and where they go."""

    who: str
    context: str | None = None
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class Moving:
    """A transfer under way."""

    asked: Asked
    transferee: str


@dataclass(slots=True)
class Connection:
    """One call as one application sees it."""

    names: Names
    context: str | None = None
    media: Media = Media.DISABLED
    state: State = State.CONNECTING
    participants: dict[str, Participant] = field(default_factory=dict[str, Participant])
    invitations: dict[str, Asked] = field(default_factory=dict[str, Asked])
    transfer: Moving | None = None
    sequence: int = 0
    """Of the `ParticipantsUpdated` told last."""

    # Beginning and end

    def connect(self, raw_ids: Sequence[str]) -> Sequence[Told]:
        """The call stands, with these people in it."""
        if self.state is not State.CONNECTING:
            return ()
        self.state = State.CONNECTED
        for raw in raw_ids:
            self.participants[raw] = Participant(raw)
        return (self.told("CallConnected", self.context, OK), self._updated())

    def fail(self, outcome: Outcome, event: str = "CreateCallFailed") -> Sequence[Told]:
        """It never stood."""
        if self.state is not State.CONNECTING:
            return ()
        self.state = State.DISCONNECTED
        return (self.told(event, self.context, outcome.value),)

    def disconnect(self, result: Result = HUNG_UP) -> Sequence[Told]:
        """The application is out of it. What is under way comes to nothing."""
        if self.state is State.DISCONNECTED:
            return ()
        told: list[Told] = []
        for name in list(self.invitations):
            told += self.unanswered(name, Outcome.CANCELED)
        told += self.transfer_failed(Outcome.CANCELED)
        if self.media is Media.ACTIVE:
            told += self.stream("Stopped", "subscriptionStopped")
        self.state = State.DISCONNECTED
        self.participants.clear()
        return (*told, self.told("CallDisconnected", self.context, result))

    # Who is there

    def join(self, raw: str) -> Sequence[Told]:
        """Somebody came in unasked for, or from another call."""
        if not self.standing or raw in self.participants:
            return ()
        self.participants[raw] = Participant(raw)
        return (self._updated(),)

    def leave(self, raw: str) -> Sequence[Told]:
        """Somebody went. Whoever was being transferred cannot be any more."""
        if not self.standing or self.participants.pop(raw, None) is None:
            return ()
        lost = self.transfer is not None and self.transfer.transferee == raw
        failed = self.transfer_failed(Outcome.CANCELED) if lost else ()
        return (*failed, self._updated())

    def invite(self, invitation_id: str, asked: Asked) -> None:
        """Ring somebody. Raises `AcsRefused`."""
        self.require_connected()
        if len(self.participants) + len(self.invitations) >= MAX_PARTICIPANTS:
            raise wrong_state("The call is full.")
        if asked.who in self.participants:
            raise wrong_state("The participant is in the call already.")
        self.invitations[invitation_id] = asked

    def answered(self, invitation_id: str) -> Sequence[Told]:
        """The invitation was taken up."""
        asked = self.invitations.pop(invitation_id, None)
        if asked is None or not self.standing:
            return ()
        self.participants[asked.who] = Participant(asked.who)
        succeeded = self.about(asked, "AddParticipantSucceeded", OK, participant=wire(asked.who))
        return (succeeded, self._updated())

    def unanswered(self, invitation_id: str, outcome: Outcome) -> Sequence[Told]:
        """It was not."""
        asked = self.invitations.pop(invitation_id, None)
        if asked is None:
            return ()
        who = wire(asked.who)
        return (self.about(asked, "AddParticipantFailed", outcome.value, participant=who),)

    def withdraw(self, invitation_id: str, asked: Asked) -> Sequence[Told]:
        """Ring no more. `asked` is of the request to stop."""
        self.require_connected()
        if self.invitations.pop(invitation_id, None) is None:
            # Accepted all the same, and told afterwards, as the name of the event says.
            failed = Outcome.NOT_FOUND.value
            event = self.about(
                asked, "CancelAddParticipantFailed", failed, invitationId=invitation_id
            )
        else:
            event = self.about(
                asked, "CancelAddParticipantSucceeded", OK, invitationId=invitation_id
            )
        return (event,)

    def remove(self, asked: Asked) -> Sequence[Told]:
        """Put somebody out. Raises `AcsRefused`."""
        self.require(asked.who)
        del self.participants[asked.who]
        removed = self.about(asked, "RemoveParticipantSucceeded", OK, participant=wire(asked.who))
        return (removed, self._updated())

    def mute(self, raw: str) -> Sequence[Told]:
        """Let nobody hear somebody. Raises `AcsRefused`."""
        self.require(raw).muted = True
        return (self._updated(),)

    def hold(self, raw: str, *, on: bool) -> Sequence[Told]:
        """Have somebody wait, or wait no more. Raises `AcsRefused`."""
        self.require(raw).on_hold = on
        return (self._updated(),)

    # Transfers

    def begin_transfer(self, asked: Asked, transferee: str | None) -> None:
        """Move somebody to `asked.who`. Raises `AcsRefused`."""
        self.require_connected()
        if transferee is None:
            if len(self.participants) != 1:
                raise bad("Say whom of several to transfer: transferee.")
            transferee = next(iter(self.participants))
        self.require(transferee)
        if asked.who in self.participants:
            raise bad("The target is in the call already.")
        self.transfer = Moving(asked, transferee)
        self.state = State.TRANSFERRING

    def transfer_accepted(self) -> Sequence[Told]:
        """The target answered: the transferee is out of this call, and with the last, so are we."""
        moving = self.transfer
        if moving is None:
            return ()
        self.transfer = None
        self.state = State.CONNECTED
        accepted = self.about(
            moving.asked,
            "CallTransferAccepted",
            OK,
            transferTarget=wire(moving.asked.who),
            transferee=wire(moving.transferee),
        )
        self.participants.pop(moving.transferee, None)
        if self.participants:
            return (accepted, self._updated())
        return (accepted, *self.disconnect(TRANSFERRED))

    def transfer_failed(self, outcome: Outcome) -> Sequence[Told]:
        """The target did not: everything is as it was."""
        moving = self.transfer
        if moving is None:
            return ()
        self.transfer = None
        self.state = State.CONNECTED
        return (self.about(moving.asked, "CallTransferFailed", outcome.value),)

    # Media streaming

    def stream(self, event: str, details: str, asked: Asked | None = None) -> Sequence[Told]:
        """Media streaming "Started", "Stopped" or "Failed", for the reason `details`."""
        if not self.standing or self.media is Media.DISABLED:
            return ()
        self.media = Media.ACTIVE if event == "Started" else Media.INACTIVE
        failed = event == "Failed"
        update = {
            "contentType": "Audio",
            "mediaStreamingStatus": f"mediaStreaming{event}",
            "mediaStreamingStatusDetails": details,
        }
        result = MEDIA_FAILED if failed else OK
        asked = asked or Asked("", self.context)
        return (self.about(asked, f"MediaStreaming{event}", result, mediaStreamingUpdate=update),)

    # In words

    @property
    def standing(self) -> bool:
        return self.state in (State.CONNECTED, State.TRANSFERRING)

    def require_connected(self) -> None:
        """Raises `AcsRefused` unless the call stands and is not being moved."""
        if self.state is State.DISCONNECTED:
            raise gone("The call")
        if self.state is not State.CONNECTED:
            raise wrong_state(f"The call is {self.state}.")

    def require(self, raw: str) -> Participant:
        """Somebody in the call. Raises `AcsRefused`."""
        if not self.standing:
            self.require_connected()
        if raw not in self.participants:
            raise gone("The participant")
        return self.participants[raw]

    def about(self, asked: Asked, event: str, result: Result | None, **more: object) -> Told:
        """An event that answers a request."""
        return self.told(event, asked.context, result, to=asked.callback, **more)

    def told(
        self,
        event: str,
        context: str | None = None,
        result: Result | None = None,
        *,
        to: str | None = None,
        **more: object,
    ) -> Told:
        data: dict[str, object] = {
            "callConnectionId": self.names.connection,
            "serverCallId": self.names.server_call,
            "correlationId": self.names.correlation,
        }
        if context is not None:
            data["operationContext"] = context
        if result is not None:
            data["resultInformation"] = result.wire()
        return Told(event, data | more, to)

    def _updated(self) -> Told:
        self.sequence += 1
        people = [each.wire() for each in self.participants.values()]
        return self.told("ParticipantsUpdated", participants=people, sequenceNumber=self.sequence)
