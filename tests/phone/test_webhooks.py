"""What Event Grid and ACS post, in both schemas, and hostile bodies."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.phone.webhooks import (
    MAX_BODY_BYTES,
    Incoming,
    Misposted,
    Told,
    Validation,
    What,
    callbacks,
    grid_events,
)

AT = "2026-11-26T10:00:00.1234567Z"
EPOCH = 1_795_687_200.123456
DATA: dict[str, Any] = {
    "to": {"kind": "phoneNumber", "rawId": "4:+4420", "phoneNumber": {"value": "+4420"}},
    "from": {"kind": "phoneNumber", "rawId": "4:+4477", "phoneNumber": {"value": "+4477"}},
    "serverCallId": "sc1",
    "callerDisplayName": "",
    "incomingCallContext": "ctx",
    "correlationId": "cor1",
    "customContext": {"sipHeaders": {"X-Agent": "bank", "From": "evil"}, "voipHeaders": {}},
}
TYPE = "Microsoft.Communication.IncomingCall"
GRID = {"id": "e1", "topic": "t", "subject": "s", "eventType": TYPE, "eventTime": AT, "data": DATA}
CLOUD = {"id": "e1", "source": "s", "type": TYPE, "time": AT, "specversion": "1.0", "data": DATA}


def body(said: object) -> bytes:
    return json.dumps(said).encode()


def told(what: str, **data: object) -> dict[str, object]:
    return {
        "id": "cb1",
        "source": "calling/callConnections/cc1",
        "type": f"Microsoft.Communication.{what}",
        "specversion": "1.0",
        "time": AT,
        "data": {"callConnectionId": "cc1", "serverCallId": "sc1", **data},
    }


@pytest.mark.parametrize("said", [[GRID], CLOUD, [CLOUD]])
def test_a_call_comes_in_either_schema(said: object) -> None:
    [call] = grid_events(body(said))
    assert isinstance(call, Incoming)
    assert (call.caller, call.called, call.context) == ("4:+4477", "4:+4420", "ctx")
    assert call.headers == {"x-agent": "bank"}
    assert call.at == pytest.approx(EPOCH, abs=0.001)
    assert "ctx" not in repr(call)


def test_a_second_delivery_is_known_by_the_call_not_by_the_event() -> None:
    [first] = grid_events(body([GRID]))
    [again] = grid_events(body([{**GRID, "id": "e2"}]))
    [other] = grid_events(body([{**GRID, "data": {**DATA, "correlationId": "cor2"}}]))
    assert isinstance(first, Incoming) and isinstance(again, Incoming)
    assert isinstance(other, Incoming)
    assert first.digest == again.digest != other.digest


@pytest.mark.parametrize(
    ("late_s", "stale"), [(0, False), (59, False), (61, True), (-90, False), (-130, True)]
)
def test_an_old_call_is_not_answered(late_s: float, stale: bool) -> None:
    [call] = grid_events(body([GRID]))
    assert isinstance(call, Incoming)
    assert call.is_stale(EPOCH + late_s) is stale


def test_event_grid_asks_whether_we_want_its_events() -> None:
    asks = {
        "id": "v1",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": AT,
        "data": {"validationCode": "512d38b6", "validationUrl": "https://rp.example:553/x"},
    }
    assert grid_events(body([asks])) == [Validation("512d38b6")]


def test_other_events_are_passed_over_by_name() -> None:
    assert grid_events(body([{**GRID, "eventType": "Microsoft.Storage.BlobCreated"}])) == []
    assert callbacks(body([told("RecognizeCompleted"), told("TranscriptionStarted")])) == []
    assert callbacks(body([{**told("CallConnected"), "type": "CallConnected"}])) == []


@pytest.mark.parametrize("what", What)
def test_callbacks_are_understood_in_order(what: What) -> None:
    said = told(
        what.value, operationContext="op", resultInformation={"code": 486, "subCode": 560486}
    )
    assert callbacks(body([told("PlayStarted"), said])) == [
        Told("cb1", what, "cc1", "sc1", "op", 486, 560486)
    ]


def test_a_callback_may_say_little() -> None:
    said = told("CallDisconnected", operationContext=None, resultInformation=None)
    [disconnected] = callbacks(body([said]))
    assert (disconnected.operation, disconnected.code) == ("", 0)


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b'"x"',
        b"[7]",
        b"{}",
        b"[{}]",
        body([{**GRID, "data": None}]),
        body([{**GRID, "data": {**DATA, "incomingCallContext": ""}}]),
        body([{**GRID, "data": {**DATA, "incomingCallContext": 7}}]),
        body([{**GRID, "data": {**DATA, "incomingCallContext": "x" * 70_000}}]),
        body([{**GRID, "data": {**DATA, "from": "4:+4477"}}]),
        body([{**GRID, "id": "x" * 600}]),
        body([{**GRID, "eventTime": None}]),
        body([{**GRID, "eventTime": "yesterday"}]),
        body([{**GRID, "eventTime": "2026-11-26T10:00:00"}]),  # of no zone
        body([GRID] * 65),
        body([{**GRID, "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"}]),
        b"[" * 5_000 + b"]" * 5_000,
        b" " * (MAX_BODY_BYTES + 1),
        b"\xff\xfe",
    ],
)
def test_what_is_none_of_theirs_is_refused_and_not_repeated(hostile: bytes) -> None:
    with pytest.raises(Misposted) as refusal:
        grid_events(hostile)
    assert len(str(refusal.value)) < 100


def test_a_callback_names_its_call() -> None:
    with pytest.raises(Misposted):
        callbacks(body([told("CallConnected", callConnectionId="")]))


@given(
    st.binary(max_size=300)
    | st.recursive(
        st.none() | st.text(max_size=9) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["id", "data", "type", "from", "to"]), inner, max_size=5
            )
        ),
        max_leaves=12,
    ).map(body)
)
def test_no_body_does_worse_than_be_refused(said: bytes) -> None:
    for read in (grid_events, callbacks):
        try:
            read(said)
        except Misposted:
            continue
