"""How an application comes into a call: it answers one, places one, or joins one that exists."""

from switchboard_local.acs.acs import Acs, Incoming
from switchboard_local.acs.bodies import Answer as AnswerBody
from switchboard_local.acs.bodies import Connect, Create, Redirect, Reject
from switchboard_local.acs.identifiers import number_of, raw_id
from switchboard_local.acs.live import About, LiveCall
from switchboard_local.acs.operations import Answer, owned
from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.people import PhoneCall, Ring
from switchboard_local.acs.refusals import AcsRefused, gone

_REFUSALS = {"none": Outcome.DECLINED, "busy": Outcome.BUSY, "forbidden": Outcome.DECLINED}


def answer(acs: Acs, body: AnswerBody) -> Answer:
    """Take an incoming call. Each can be taken once. Raises `AcsRefused`."""
    incoming = _incoming(acs, body.incoming_call_context)
    about = About(
        body.callback_uri,
        (incoming.callee,),
        incoming.caller,
        number_of(incoming.caller),
        answered_by=incoming.callee,
    )
    bridge = acs.bridge(incoming.server_call)
    try:
        call = acs.open_call(
            about,
            body.operation_context,
            bridge,
            body.media_streaming_options,
            incoming.correlation,
        )
    except AcsRefused:
        bridge.end()
        raise
    del acs.incoming[incoming.context]
    person = PhoneCall(incoming.caller, incoming.callee, int(acs.config.memory_s * 50))

    async def connect() -> None:
        if incoming.done.is_set():  # the caller has given up meanwhile
            call.tell(call.connection.fail(Outcome.CANCELED, "AnswerFailed"))
            bridge.end()
            return
        call.begin([person])
        incoming.take(person)

    call.spawn(connect)
    return call.wire()


def reject(acs: Acs, body: Reject) -> Answer:
    incoming = _incoming(acs, body.incoming_call_context)
    del acs.incoming[incoming.context]
    incoming.refuse(_REFUSALS[body.call_reject_reason])
    return None


def redirect(acs: Acs, body: Redirect) -> Answer:
    """Send an incoming call to somebody else; the application hears no more of it."""
    target = raw_id(body.target)
    incoming = _incoming(acs, body.incoming_call_context)
    del acs.incoming[incoming.context]
    ring = acs.ring(target, incoming.caller, {})

    async def wait() -> None:
        await ring.over.wait()
        if ring.call is None:
            incoming.refuse(ring.outcome or Outcome.NO_ANSWER)
        elif incoming.done.is_set():
            ring.call.end()
        else:
            bridge = acs.bridge()
            person = PhoneCall(incoming.caller, target, int(acs.config.memory_s * 50))
            bridge.join(person)
            bridge.join(ring.call)
            incoming.take(person)

    incoming.redirected = ring
    acs.tasks.start_soon(wait)
    return None


def create(acs: Acs, body: Create) -> Answer:
    """Ring somebody, or several: the call stands when the first of them answers."""
    targets = tuple(dict.fromkeys(raw_id(each) for each in body.targets))
    number = None if body.source_caller_id_number is None else body.source_caller_id_number.value
    callers = {target: owned(acs.config.numbers, target, number) for target in targets}
    about = About(
        body.callback_uri,
        targets,
        source_number=number,
        display_name=body.source_display_name,
    )
    bridge = acs.bridge()
    try:
        call = acs.open_call(about, body.operation_context, bridge, body.media_streaming_options)
    except AcsRefused:
        bridge.end()
        raise
    for target in targets:
        call.rings[target] = acs.ring(target, callers[target], {})
    for target, ring in list(call.rings.items()):
        call.spawn(lambda target=target, ring=ring: _wait(acs, call, target, ring))
    return call.wire()


async def _wait(acs: Acs, call: LiveCall, target: str, ring: Ring) -> None:
    came = await call.answered(ring, acs.config.ring_s)
    call.rings.pop(target, None)
    if not isinstance(came, PhoneCall):
        if not call.rings and not call.bridge.people:
            call.tell(call.connection.fail(came))
            call.bridge.end()
    elif call.connection.standing:
        call.bridge.join(came)
    else:
        call.begin([came])


def connect(acs: Acs, body: Connect) -> Answer:
    """Join a call that another connection is in."""
    bridge = acs.find_bridge(body.call_locator.server_call_id)
    if bridge is None or not bridge.people:
        raise gone("The call")
    about = About(body.callback_uri, tuple(bridge.people))
    call = acs.open_call(about, body.operation_context, bridge, body.media_streaming_options)

    async def enter() -> None:
        call.enter()

    call.spawn(enter)
    return call.wire()


def _incoming(acs: Acs, context: str) -> Incoming:
    incoming = acs.incoming.get(context)
    if incoming is None:
        raise gone("The incoming call")
    return incoming
