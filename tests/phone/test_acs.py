"""The carrier through ACS's own SDK, over TLS with a bearer token, to a peer that takes it down."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken

from switchboard.errors import CarrierUnavailable
from switchboard.phone.acs import AcsCarrier, AcsConfig
from switchboard.phone.carrier import AcsUser, Connection, Person, Route
from switchboard.phone.dialling import Target
from switchboard.phone.permits import Permit
from tests.model.tls import self_signed, server_tls

LONDON = Target("+442079460018", "GB")
HUMAN = AcsUser("8:acs:human")
OURS = "+442079460000"
ROUTE = Route("https://talk.example/api/phone/events/c1", "wss://talk.example/m?ticket=t", "c1")
NUMBER = {"rawId": "4:+442079460018", "phoneNumber": {"value": "+442079460018"}}
USER = {"rawId": "8:acs:human", "communicationUser": {"id": "8:acs:human"}}
MEDIA = {
    "transportType": "websocket",
    "transportUrl": ROUTE.media_url,
    "contentType": "audio",
    "audioChannelType": "mixed",
    "startMediaStreaming": True,
    "enableBidirectional": True,
    "audioFormat": "pcm24KMono",
    "enableDtmfTones": True,
}

MEDIA_PART: dict[str, object] = {"mediaStreamingOptions": MEDIA}


PERMIT = Permit("c1", LONDON, again=False)
CALLER = Person(f"4:{LONDON.number}")
SOMEBODY = Person(HUMAN.id)


class FixedToken:
    """An Entra credential that has a token at hand."""

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        return AccessToken("acs-token", int(time.time()) + 3_600)

    async def close(self) -> None: ...

    async def __aenter__(self) -> "FixedToken":
        return self

    async def __aexit__(self, *_: object) -> None: ...


type Taken = tuple[str, dict[str, Any]]
"""Method and path, and the body."""
BODY: dict[str, Any] = {
    "callConnectionId": "cc1",
    "serverCallId": "sc1",
    "recordingId": "r1",
    "value": [],
}


@dataclass
class Acs:
    """Answers every operation with what the SDK insists on, after `failures` of `status`."""

    taken: list[tuple[str, dict[str, Any]]] = field(
        default_factory=list[tuple[str, dict[str, Any]]]
    )
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    failures: int = 0
    status: int = 503
    body: dict[str, Any] = field(default_factory=lambda: BODY)

    async def answer(self, request: web.Request) -> web.Response:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        verb = f"{request.method} {request.path}"
        self.taken.append((verb, await request.json() if request.can_read_body else {}))
        if self.failures:
            self.failures -= 1
            return web.json_response({"error": {"code": "x", "message": "no"}}, status=self.status)
        if status := _empty(verb):
            return web.Response(status=status)
        return web.json_response(
            self.body, status=201 if verb.endswith("Connections") else _ok(verb)
        )


def _empty(verb: str) -> int | None:
    """The status of an answer without a body."""
    if verb.endswith((":hold", ":unhold")):
        return 200
    if verb.endswith((":reject", ":redirect", ":terminate")) or verb.startswith("DELETE"):
        return 204
    bare = (":play", ":cancelAllMediaOperations", ":pause", ":resume")
    return 202 if verb.endswith(bare) else None


def _ok(verb: str) -> int:
    later = (":cancelAddParticipant", ":transferToParticipant", ":add", ":remove", ":sendDtmfTones")
    if verb.endswith(later):
        return 202
    return 201 if verb.endswith("Connections") else 200


@asynccontextmanager
async def carrier_to(acs: Acs, folder: Path) -> AsyncGenerator[AcsCarrier]:
    certificate = self_signed(folder)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", acs.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls(certificate)).start()
        endpoint = f"https://127.0.0.1:{runner.addresses[0][1]}"
        config = AcsConfig(endpoint, OURS, ca_file=str(certificate))
        async with AcsCarrier(config, FixedToken).opened() as carrier:  # pyright: ignore[reportArgumentType]
            yield carrier
    finally:
        await runner.cleanup()


type Act = Callable[[AcsCarrier], Awaitable[object]]

OPERATIONS: dict[str, tuple[Act, str, dict[str, object]]] = {
    "answer": (
        lambda c: c.answer("context", ROUTE),
        "POST /calling/callConnections:answer",
        {"incomingCallContext": "context", "callbackUri": ROUTE.callback_url},
    ),
    "place": (
        lambda c: c.place(Permit("c1", LONDON, again=False), ROUTE),
        "POST /calling/callConnections",
        {
            "targets": [NUMBER],
            "sourceCallerIdNumber": {"value": OURS},
            "mediaStreamingOptions": MEDIA,
        },
    ),
    "reject": (
        lambda c: c.reject("context", "busy"),
        "POST /calling/callConnections:reject",
        {"incomingCallContext": "context", "callRejectReason": "busy"},
    ),
    "redirect": (
        lambda c: c.redirect("context", HUMAN),
        "POST /calling/callConnections:redirect",
        {"incomingCallContext": "context", "target": USER},
    ),
    "transfer to a telephone": (
        lambda c: c.transfer("cc1", PERMIT, operation="op1"),
        "POST /calling/callConnections/cc1:transferToParticipant",
        {
            "targetParticipant": NUMBER,
            "sourceCallerIdNumber": {"value": OURS},
            "operationContext": "op1",
        },
    ),
    "transfer to a user": (
        lambda c: c.transfer("cc1", HUMAN, operation="op1"),
        "POST /calling/callConnections/cc1:transferToParticipant",
        {"targetParticipant": USER},
    ),
    "add": (
        lambda c: c.add("cc1", PERMIT, ring_s=20, operation="op1"),
        "POST /calling/callConnections/cc1/participants:add",
        {
            "participantToAdd": NUMBER,
            "invitationTimeoutInSeconds": 20,
            "operationContext": "op1",
        },
    ),
    "remove": (
        lambda c: c.remove("cc1", SOMEBODY),
        "POST /calling/callConnections/cc1/participants:remove",
        {"participantToRemove": USER},
    ),
    "people": (
        lambda c: c.people("cc1"),
        "GET /calling/callConnections/cc1/participants",
        {},
    ),
    "cancel add": (
        lambda c: c.cancel_add("cc1", "i1"),
        "POST /calling/callConnections/cc1/participants:cancelAddParticipant",
        {"invitationId": "i1"},
    ),
    "hold": (
        lambda c: c.hold("cc1", CALLER),
        "POST /calling/callConnections/cc1:hold",
        {"targetParticipant": NUMBER},
    ),
    "unhold": (
        lambda c: c.unhold("cc1", CALLER),
        "POST /calling/callConnections/cc1:unhold",
        {"targetParticipant": NUMBER},
    ),
    "leave": (lambda c: c.leave("cc1"), "DELETE /calling/callConnections/cc1", {}),
    "play": (
        lambda c: c.play("cc1", "https://talk.example/hold.wav", loop=True),
        "POST /calling/callConnections/cc1:play",
        {
            "playSources": [{"kind": "file", "file": {"uri": "https://talk.example/hold.wav"}}],
            "playOptions": {"loop": True},
        },
    ),
    "stop playing": (
        lambda c: c.stop_playing("cc1"),
        "POST /calling/callConnections/cc1:cancelAllMediaOperations",
        {},
    ),
    "keys": (
        lambda c: c.send_keys("cc1", "19*#", CALLER),
        "POST /calling/callConnections/cc1:sendDtmfTones",
        {"tones": ["one", "nine", "asterisk", "pound"], "targetParticipant": NUMBER},
    ),
    "hang up": (
        lambda c: c.hang_up("cc1"),
        "POST /calling/callConnections/cc1:terminate",
        {},
    ),
    "record": (
        lambda c: c.record("cc1", ROUTE.callback_url, "https://store.example/calls"),
        "POST /calling/recordings",
        {
            "recordingContentType": "audio",
            "recordingChannelType": "unmixed",
            "recordingFormatType": "wav",
            "externalStorage": {
                "recordingStorageKind": "azureBlobStorage",
                "recordingDestinationContainerUrl": "https://store.example/calls",
            },
        },
    ),
    "pause": (lambda c: c.pause_recording("r1"), "POST /calling/recordings/r1:pause", {}),
    "resume": (lambda c: c.resume_recording("r1"), "POST /calling/recordings/r1:resume", {}),
    "stop": (lambda c: c.stop_recording("r1"), "DELETE /calling/recordings/r1", {}),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_every_operation_passes_through_the_sdk(name: str, tmp_path: Path) -> None:
    act, verb, said = OPERATIONS[name]
    acs = Acs()
    async with carrier_to(acs, tmp_path) as carrier:
        await act(carrier)
    [(taken, body)] = acs.taken
    assert taken == verb
    assert {key: body.get(key) for key in said} == said
    assert acs.headers[0]["authorization"] == "Bearer acs-token"


async def test_it_says_who_is_on_a_call(tmp_path: Path) -> None:
    acs = Acs(body={"value": [{"identifier": NUMBER}, {"identifier": USER}]})
    async with carrier_to(acs, tmp_path) as carrier:
        assert await carrier.people("cc1") == {"4:+442079460018", "8:acs:human"}


async def test_it_says_which_call_it_is(tmp_path: Path) -> None:
    async with carrier_to(Acs(), tmp_path) as carrier:
        assert await carrier.answer("context", ROUTE) == Connection("cc1", "sc1")
    async with carrier_to(Acs(body={}), tmp_path) as carrier:
        with pytest.raises(CarrierUnavailable):
            await carrier.answer("context", ROUTE)


async def test_what_is_tried_again_is_the_same_request(tmp_path: Path) -> None:
    acs = Acs(failures=1)
    async with carrier_to(acs, tmp_path) as carrier:
        await carrier.answer("context", ROUTE)
        await carrier.answer("context", ROUTE)  # and so is what another replica would ask
        await carrier.place(Permit("c1", LONDON, again=False), ROUTE)
    ids = [headers["repeatability-request-id"] for headers in acs.headers]
    assert ids[0] == ids[1] == ids[2] != ids[3]


async def test_a_number_is_not_rung_twice_on_one_permit(tmp_path: Path) -> None:
    acs, used = Acs(), Permit("c1", LONDON, again=True)
    async with carrier_to(acs, tmp_path) as carrier:
        with pytest.raises(CarrierUnavailable):
            await carrier.place(used, ROUTE)
        with pytest.raises(CarrierUnavailable):
            await carrier.transfer("cc1", used, operation="op1")
        with pytest.raises(CarrierUnavailable):
            await carrier.add("cc1", used, ring_s=20, operation="op1")
    assert acs.taken == []


async def test_a_call_that_is_over_is_hung_up_already(tmp_path: Path) -> None:
    async with carrier_to(Acs(failures=1, status=404), tmp_path) as carrier:
        await carrier.hang_up("cc1")


@pytest.mark.parametrize(
    ("status", "word"), [(400, "refused"), (401, "identity"), (403, "refused"), (409, "refused")]
)
async def test_a_refusal_is_told_in_words(
    tmp_path: Path, status: int, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with carrier_to(Acs(failures=9, status=status), tmp_path) as carrier:
        with pytest.raises(CarrierUnavailable, match=word) as refusal:
            await carrier.place(Permit("c1", LONDON, again=False), ROUTE)
    assert (refusal.value.retryable, refusal.value.status) == (False, status)
    ours = [record for record in caplog.records if record.name.startswith("switchboard")]
    assert LONDON.number not in f"{refusal.value} {[record.__dict__ for record in ours]}"


async def test_a_carrier_that_is_not_there_is_worth_another_try(tmp_path: Path) -> None:
    async with carrier_to(Acs(failures=9, status=503), tmp_path) as carrier:
        with pytest.raises(CarrierUnavailable) as refusal:
            await carrier.hang_up("cc1")
    assert refusal.value.retryable
    with pytest.raises(CarrierUnavailable, match="not open"):
        await carrier.hang_up("cc1")
