"""What an application may ask of a call that it is connected to: one function for each verb.

Each answers at once with the body of the answer, or raises `AcsRefused`; what takes time goes on in
the call's own tasks, and the application is told by events.
"""

from switchboard_local.acs.bodies import (
    Add,
    Calling,
    CancelAdd,
    Move,
    Mute,
    Nothing,
    One,
    Remove,
    SendDtmf,
    Transfer,
)
from switchboard_local.acs.connection import Asked, State
from switchboard_local.acs.identifiers import number_of, of_number, raw_id, wire
from switchboard_local.acs.live import TRANSFER, LiveCall, fresh_id
from switchboard_local.acs.outcomes import OK, Outcome
from switchboard_local.acs.people import PhoneCall
from switchboard_local.acs.refusals import bad, gone
from switchboard_local.acs.tones import key_of

type Answer = dict[str, object] | None


def hang_up(call: LiveCall) -> None:
    """The application leaves. One person alone is left with a dead line."""
    bridge = call.bridge
    call.tell(call.connection.disconnect())
    bridge.settle()


def terminate(call: LiveCall) -> None:
    """The call is over for everybody."""
    call.tell(call.connection.disconnect())
    call.bridge.end()


def participants(call: LiveCall) -> Answer:
    call.connection.require_connected()
    return {"value": [each.wire() for each in call.connection.participants.values()]}


def participant(call: LiveCall, raw: str) -> Answer:
    return call.connection.require(raw).wire()


def add(call: LiveCall, body: Add) -> Answer:
    target = raw_id(body.participant_to_add)
    asked = Asked(target, body.operation_context, body.operation_callback_uri)
    name = fresh_id()
    number = body.source_caller_id_number
    caller = owned(call.house.config.numbers, target, None if number is None else number.value)
    call.connection.invite(name, asked)
    ring = call.house.ring(target, caller, headers_of(body.custom_calling_context))
    call.rings[name] = ring
    within_s = body.invitation_timeout_in_seconds or call.house.config.add_s

    async def wait() -> None:
        came = await call.answered(ring, within_s)
        call.rings.pop(name, None)
        if not isinstance(came, PhoneCall):
            call.tell(call.connection.unanswered(name, came))
            return
        told = call.connection.answered(name)
        if told:
            call.tell(told)
            call.bridge.join(came)
        else:
            came.end()

    call.spawn(wait)
    return {
        "participant": {"identifier": wire(target), "isMuted": False, "isOnHold": False},
        "invitationId": name,
        **context_of(body.operation_context),
    }


def cancel_add(call: LiveCall, body: CancelAdd) -> Answer:
    asked = Asked("", body.operation_context, body.operation_callback_uri)
    call.tell(call.connection.withdraw(body.invitation_id, asked))
    call.stop_ring(body.invitation_id, Outcome.CANCELED)
    return {"invitationId": body.invitation_id, **context_of(body.operation_context)}


def remove(call: LiveCall, body: Remove) -> Answer:
    raw = raw_id(body.participant_to_remove)
    asked = Asked(raw, body.operation_context, body.operation_callback_uri)
    call.tell(call.connection.remove(asked))
    call.bridge.hang_up(raw)
    return context_of(body.operation_context)


def mute(call: LiveCall, body: Mute) -> Answer:
    raws = [raw_id(each) for each in body.target_participants]
    for raw in raws:
        call.connection.require(raw)
    for raw in raws:
        call.bridge.muted.add(raw)
        call.tell(call.connection.mute(raw))
    return context_of(body.operation_context)


def hold(call: LiveCall, body: One) -> Answer:
    raw = raw_id(body.target_participant)
    call.tell(call.connection.hold(raw, on=True))
    call.bridge.hold(raw, on=True)
    return None


def unhold(call: LiveCall, body: One) -> Answer:
    raw = raw_id(body.target_participant)
    call.tell(call.connection.hold(raw, on=False))
    call.bridge.hold(raw, on=False)
    return None


def move_here(call: LiveCall, body: Move) -> Answer:
    """People of another of the application's calls come into this one."""
    call.connection.require_connected()
    other = call.house.find(body.from_call)
    if other is None:
        raise gone("The call to move from")
    if other.bridge is call.bridge:
        raise bad("They are in this call.")
    raws = [raw_id(each) for each in body.target_participants]
    for raw in raws:
        other.connection.require(raw)
    for raw in raws:
        person = other.bridge.take(raw)
        other.left(raw)
        if person is None:
            continue
        asked = Asked(raw, body.operation_context, body.operation_callback_uri)
        call.bridge.join(person)
        moved = call.connection.about(
            asked, "MoveParticipantSucceeded", OK, participant=wire(raw), fromCall=body.from_call
        )
        call.tell([moved])
    other.bridge.settle()
    return {
        "participants": [{"identifier": wire(raw), "isMuted": False} for raw in raws],
        "fromCall": body.from_call,
        **context_of(body.operation_context),
    }


def transfer(call: LiveCall, body: Transfer) -> Answer:
    target = raw_id(body.target_participant)
    transferee = None if body.transferee is None else raw_id(body.transferee)
    asked = Asked(target, body.operation_context, body.operation_callback_uri)
    number = body.source_caller_id_number
    call.connection.begin_transfer(asked, transferee)
    assert call.connection.transfer is not None
    # The target sees the caller's own number, unless the application says another.
    caller = call.connection.transfer.transferee if number is None else of_number(number.value)
    ring = call.house.ring(target, caller, headers_of(body.custom_calling_context))
    call.rings[TRANSFER] = ring

    async def wait() -> None:
        came = await call.answered(ring, call.house.config.ring_s)
        call.rings.pop(TRANSFER, None)
        if isinstance(came, PhoneCall):
            _joined(call, came)
        else:
            call.tell(call.connection.transfer_failed(came))

    call.spawn(wait)
    return context_of(body.operation_context)


def _joined(call: LiveCall, target: PhoneCall) -> None:
    """The target answered: the two are put together, elsewhere."""
    moving = call.connection.transfer
    told = call.connection.transfer_accepted()
    person = None if moving is None else call.bridge.take(moving.transferee)
    if person is None:
        target.end()
        return
    elsewhere = call.house.bridge()
    elsewhere.join(person)
    elsewhere.join(target)
    bridge = call.bridge
    call.tell(told)
    for leg in list(bridge.legs):
        leg.left(person.raw_id)
    if call.connection.state is State.DISCONNECTED:
        bridge.settle()


def send_dtmf(call: LiveCall, body: SendDtmf) -> Answer:
    raw = raw_id(body.target_participant)
    call.connection.require(raw)
    keys = [key_of(name) for name in body.tones]
    person = call.bridge.people.get(raw)
    if person is not None:
        for key in keys:
            person.hear_key(key)
    asked = Asked(raw, body.operation_context, body.operation_callback_uri)
    call.tell([call.connection.about(asked, "SendDtmfTonesCompleted", OK)])
    return context_of(body.operation_context)


def watch_keys(call: LiveCall, body: One) -> Answer:
    raw = raw_id(body.target_participant)
    call.connection.require(raw)
    call.keys.watched[raw] = Asked(raw, body.operation_context, body.operation_callback_uri)
    return None


def unwatch_keys(call: LiveCall, body: One) -> Answer:
    raw = raw_id(body.target_participant)
    call.connection.require(raw)
    asked = Asked(raw, body.operation_context, body.operation_callback_uri)
    if call.keys.watched.pop(raw, None) is not None:
        call.tell([call.connection.about(asked, "ContinuousDtmfRecognitionStopped", OK)])
    return None


def start_media(call: LiveCall, body: Nothing) -> Answer:
    call.connection.require_connected()
    if call.media is None:
        raise bad("The call has no media streaming options.")
    call.start_media(Asked("", body.operation_context, body.operation_callback_uri))
    return None


def stop_media(call: LiveCall, body: Nothing) -> Answer:
    call.connection.require_connected()
    call.stop_media(Asked("", body.operation_context, body.operation_callback_uri))
    return None


def owned(numbers: frozenset[str], target: str, number: str | None) -> str:
    """The caller id to ring `target` with. Raises `AcsRefused`."""
    if number is not None and number not in numbers:
        raise bad("The source caller id number is not one of the resource's.")
    if number is not None:
        return of_number(number)
    if number_of(target) is not None:
        raise bad("A telephone number is rung with a source caller id number.")
    return of_number(min(numbers))


def headers_of(calling: Calling | None) -> dict[str, str]:
    """What goes with a ring."""
    if calling is None:
        return {}
    return {**(calling.sip_headers or {}), **(calling.voip_headers or {})}


def context_of(context: str | None) -> dict[str, object]:
    return {} if context is None else {"operationContext": context}
