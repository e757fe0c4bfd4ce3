"""Media over WebRTC, agreed upon with the local cloud, and with services that behave oddly."""

import json
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from switchboard.conversation.commands import AddCallerText, ClearPlayout, RequestReply
from switchboard.conversation.events import (
    ModelReady,
    ModelRefused,
    PlayoutCleared,
    PlayoutStarted,
    PlayoutStopped,
    ReplyDone,
)
from switchboard.conversation.session import Service
from switchboard.errors import ModelUnavailable, NotAllowed, OfferRefused
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Line
from switchboard.model.signalling import Secret, Signalling
from switchboard.model.steered import Steered
from tests.local.realtime.doubles import Cloud, local_cloud
from tests.local.webrtc.caller import Mouth, offered
from tests.model.peer import FixedToken, eventually, until
from tests.model.test_local_cloud import SPEC, of

SPOKEN = SPEC.tools[0].description
BODY = web.RequestKey("body", bytes)
ANSWER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"


def signalling_to(endpoint: str, token: FixedToken | None = None) -> Signalling:
    config, token = ModelConfig(endpoint=endpoint), token or FixedToken()
    return Signalling(config, token, Line(config, token))


@pytest.fixture
def cloud() -> Generator[Cloud]:
    with local_cloud() as cloud:
        yield cloud


@pytest.fixture
async def signalling(cloud: Cloud) -> AsyncGenerator[Signalling]:
    built = signalling_to(f"http://127.0.0.1:{cloud.port}", FixedToken(cloud.token))
    yield built
    await built.aclose()


@asynccontextmanager
async def page() -> AsyncGenerator[RTCPeerConnection]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(Mouth())
    connection.createDataChannel("oai-events")
    yield connection
    await connection.close()


async def test_a_page_is_answered_and_its_agent_steered_beside_the_media(
    signalling: Signalling,
) -> None:
    async with page() as connection:
        media = await signalling.negotiate(SPEC, await offered(connection))
        await connection.setRemoteDescription(RTCSessionDescription(media.answer, "answer"))
        async with media.dial(SPEC) as leg:
            [ready] = of(ModelReady, await until(ModelReady, leg))
            assert not ready.resumed
            leg.command(AddCallerText("item_1", "good day"))
            leg.command(RequestReply("turn-1"))
            said = await until(PlayoutStopped, leg)
            [started], [stopped] = of(PlayoutStarted, said), of(PlayoutStopped, said)
            assert started.reply_id == stopped.reply_id == of(ReplyDone, said)[0].reply_id

            leg.command(AddCallerText("item_2", "tell me all"))
            leg.command(RequestReply("turn-2"))
            await until(PlayoutStarted, leg)
            leg.command(ClearPlayout())
            said = await until(PlayoutCleared, leg)
            assert not of(ModelRefused, said)
        await media.hang_up()
        await eventually(lambda: connection.connectionState == "closed")


async def test_who_comes_back_to_the_same_media_resumes_the_session(
    signalling: Signalling,
) -> None:
    async with page() as connection:
        media = await signalling.negotiate(SPEC, await offered(connection))
        await connection.setRemoteDescription(RTCSessionDescription(media.answer, "answer"))
        await eventually(lambda: connection.connectionState == "connected")
        async with media.dial(SPEC):
            pass  # lost before the session was configured: nothing was told to it
        for resumed in (False, True, True):
            async with media.dial(SPEC) as leg:
                [ready] = of(ModelReady, await until(ModelReady, leg))
                assert ready.resumed is resumed
        await media.hang_up()
        await eventually(lambda: connection.connectionState == "closed")
        with pytest.raises(ModelUnavailable) as gone:
            async with media.dial(SPEC):
                pass
        assert gone.value.status == 404


async def test_hanging_up_twice_is_as_good_as_once(
    signalling: Signalling, caplog: pytest.LogCaptureFixture
) -> None:
    async with page() as connection:
        media = await signalling.negotiate(SPEC, await offered(connection))
        await media.hang_up()
        await media.hang_up()
    assert "media not hung up" not in caplog.text


async def test_what_is_no_offer_is_refused_and_nothing_secret_is_logged(
    signalling: Signalling, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(OfferRefused):
        await signalling.negotiate(SPEC, "v=0\r\nm=video 9 x\r\n")
    assert not [word for word in ("ek_", SPEC.instructions, SPOKEN) if word in caplog.text]


async def test_a_model_of_voice_live_has_no_webrtc(signalling: Signalling) -> None:
    with pytest.raises(NotAllowed):
        await signalling.negotiate(replace(SPEC, service=Service.VOICE_LIVE), "v=0\r\n")


def test_a_secret_does_not_show_itself() -> None:
    assert "ek_" not in repr(Secret("ek_1"))


# Services that behave oddly


type Handler = Callable[[web.Request], web.StreamResponse]


@asynccontextmanager
async def odd_service(
    secrets: Handler, calls: Handler | None = None
) -> AsyncGenerator[tuple[Signalling, list[bytes]]]:
    """A service that answers as told, and the bodies it was sent."""
    bodies: list[bytes] = []

    def seen(handler: Handler) -> Callable[[web.Request], object]:
        async def handle(request: web.Request) -> web.StreamResponse:
            request[BODY] = await request.read()
            bodies.append(request[BODY])
            return handler(request)

        return handle

    app = web.Application()
    app.router.add_post("/openai/v1/realtime/client_secrets", seen(secrets))  # pyright: ignore[reportArgumentType]
    app.router.add_post("/openai/v1/realtime/calls", seen(calls or answers()))  # pyright: ignore[reportArgumentType]
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    signalling = signalling_to(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield signalling, bodies
    finally:
        await signalling.aclose()
        await runner.cleanup()


def gives(value: object = "ek_secret") -> Handler:
    return lambda _: web.json_response({"value": value, "expires_at": 2_000_000_000})


def answers(
    text: str = ANSWER, location: str = "/openai/v1/realtime/calls/rtc_1", status: int = 201
) -> Handler:
    return lambda _: web.Response(text=text, status=status, headers={"Location": location})


async def test_the_offer_goes_with_the_secret_as_it_came() -> None:
    asked: list[web.Request] = []

    def calls(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return answers()(request)

    async with odd_service(gives(), calls) as (signalling, bodies):
        media = await signalling.negotiate(SPEC, "v=0\r\nmine")
    assert media.answer == ANSWER
    assert asked[0].headers["Authorization"] == "Bearer ek_secret"
    assert asked[0].headers["Content-Type"] == "application/sdp"
    assert asked[0].query_string == "webrtcfilter=on"
    assert bodies[1] == b"v=0\r\nmine"
    session = json.loads(bodies[0])["session"]
    assert (session["type"], session["model"]) == ("realtime", SPEC.model)
    assert session["instructions"] == SPEC.instructions
    assert "format" not in session["audio"]["input"] | session["audio"]["output"]
    assert json.loads(bodies[0])["expires_after"] == {"anchor": "created_at", "seconds": 60}


async def test_a_service_that_takes_no_lifetime_is_not_asked_for_one_again() -> None:
    refused = 0

    def secrets(request: web.Request) -> web.StreamResponse:
        nonlocal refused
        if b"expires_after" in request[BODY]:
            refused += 1
            return web.json_response({"error": {"code": "unknown_parameter"}}, status=400)
        return gives()(request)

    async with odd_service(secrets) as (signalling, _):
        await signalling.negotiate(SPEC, "v=0\r\n")
        await signalling.negotiate(SPEC, "v=0\r\n")
    assert refused == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_no_secret_no_call(status: int) -> None:
    def secrets(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"code": "no_way"}}, status=status)

    async with odd_service(secrets) as (signalling, _):
        with pytest.raises(ModelUnavailable, match="no_way") as failure:
            await signalling.negotiate(SPEC, "v=0\r\n")
    assert failure.value.status == status
    assert failure.value.retryable is (status in (429, 500))


@pytest.mark.parametrize("value", ["", 7, None, "two words", "line\nbreak", "x" * 5000])
async def test_a_secret_that_cannot_be_one_is_not_used(value: object) -> None:
    async with odd_service(gives(value)) as (signalling, bodies):
        with pytest.raises(ModelUnavailable):
            await signalling.negotiate(SPEC, "v=0\r\n")
    assert len(bodies) == 1


@pytest.mark.parametrize(
    "calls",
    [
        answers(text="hello"),
        answers(location=""),
        answers(location="/calls/a b"),
        answers(text="v=0" + "x" * 70_000),
        answers(status=307, location="http://127.0.0.1:9/elsewhere/rtc_1"),
    ],
)
async def test_an_answer_of_unknown_form_is_none(calls: Handler) -> None:
    async with odd_service(gives(), calls) as (signalling, _):
        with pytest.raises(ModelUnavailable):
            await signalling.negotiate(SPEC, "v=0\r\n")


async def test_a_service_that_is_not_there_is_said_to_be_out_of_reach() -> None:
    signalling = signalling_to("http://127.0.0.1:9")
    with pytest.raises(ModelUnavailable, match="cannot be reached") as failure:
        await signalling.negotiate(SPEC, "v=0\r\n")
    assert failure.value.retryable
    await signalling.media("rtc_1").hang_up()  # logged, never raised
    await signalling.aclose()


async def test_a_front_ends_own_call_id_must_look_like_one(signalling: Signalling) -> None:
    for call_id in ("", "../x", "a b", "x" * 129):
        with pytest.raises(NotAllowed):
            signalling.media(call_id)


async def test_a_call_has_one_session_that_steers_it_and_no_other_afterwards() -> None:
    async with odd_service(gives(), answers(location="/calls/rtc_ours")) as (signalling, _):
        ours = await signalling.negotiate(SPEC, "v=0\r\n")
        theirs = signalling.media("rtc_theirs")
        for left in (False, True):
            for call_id in ("rtc_ours", "rtc_theirs"):
                with pytest.raises(NotAllowed, match="steered by another session"):
                    signalling.media(call_id)
            if not left:
                await ours.hang_up()
                await theirs.hang_up()
        signalling.media("rtc_another")


def test_what_was_steered_is_forgotten_but_never_what_is() -> None:
    steered = Steered(remember=2)
    steered.claim("live")
    for call_id in ("one", "two", "three"):
        steered.claim(call_id)
        steered.leave(call_id)
        steered.leave(call_id)
    steered.claim("one")
    for call_id in ("live", "one", "two", "three"):
        with pytest.raises(NotAllowed):
            steered.claim(call_id)


async def test_a_front_end_may_begin_a_call_with_a_secret_of_ours(
    signalling: Signalling,
) -> None:
    secret = await signalling.mint(SPEC)
    async with page() as connection, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            signalling.calls_url,
            content=await offered(connection),
            headers={
                "Authorization": f"Bearer {secret.secret}",
                "Content-Type": "application/sdp",
            },
        )
        await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        media = signalling.media(answer.headers["location"].rpartition("/")[2])
        async with media.dial(SPEC) as leg:
            await until(ModelReady, leg)
        await media.hang_up()
