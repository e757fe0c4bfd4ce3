"""The line, unchanged, with the local cloud at its other end."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest

from switchboard.conversation.commands import (
    AddCallerText,
    AddToolOutput,
    CancelReply,
    DeleteItem,
    RequestReply,
    TruncateItem,
)
from switchboard.conversation.events import (
    CallerWords,
    ItemTruncated,
    ModelLost,
    ModelReady,
    ModelRefused,
    ReplyDone,
    ReplyStarted,
    ReplyStatus,
    ReplyWords,
    SpeechStarted,
    SpeechStopped,
    ToolRequested,
    TurnCommitted,
)
from switchboard.conversation.legs import ModelLeg, ReplyAudio
from switchboard.conversation.session import SessionSpec, ToolSpec
from switchboard.errors import ModelUnavailable
from switchboard.model.config import AI_SCOPE, ModelConfig
from switchboard.model.connection import Line
from switchboard.model.credentials import TokenSource, managed_identity
from switchboard_local.entra.issuer import BadToken, Issuer
from switchboard_local.faults.kinds import Drop, Refuse
from tests.local.realtime.doubles import Cloud, local_cloud, silence, tone
from tests.local.tokens import AUDIENCE
from tests.model.peer import last_word, until

SPEC = SessionSpec(
    model="gpt-realtime",
    instructions="Be brief.",
    voice="marin",
    turn_detection={
        "type": "server_vad",
        "silence_duration_ms": 300,
        "create_response": True,
        "interrupt_response": True,
    },
    tools=[ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {}})],
    transcription={"model": "whisper", "language": "en"},
)
HEADER = "local-header"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with local_cloud(identity_header=HEADER) as cloud:
        yield cloud


@pytest.fixture
async def line(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    async with lines(cloud, monkeypatch) as (line, _):
        yield line


@asynccontextmanager
async def lines(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[Line, TokenSource]]:
    """A line as the product has it: its token comes from the machine's identity endpoint."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)
    source = TokenSource(managed_identity, AI_SCOPE)
    async with asyncio.TaskGroup() as tasks:
        refresher = tasks.create_task(source.refresh())
        yield Line(ModelConfig(endpoint=f"http://127.0.0.1:{cloud.port}"), source), source
        refresher.cancel()


def speak(leg: ModelLeg, *parts: bytes) -> None:
    pcm = b"".join(parts)
    for at in range(0, len(pcm), 960):
        leg.hear(base64.b64encode(pcm[at : at + 960]).decode())


def of[T](kind: type[T], said: Sequence[object]) -> list[T]:
    return [fact for fact in said if isinstance(fact, kind)]


async def test_a_typed_turn_is_answered_by_the_reply_we_tagged(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(AddCallerText("item_typed", "good day"))
        leg.command(RequestReply("turn-1"))
        said = await until(ReplyDone, leg)

    (started,) = of(ReplyStarted, said)
    (done,) = of(ReplyDone, said)
    assert started.tag == "turn-1"
    assert not started.out_of_band
    assert done.status is ReplyStatus.COMPLETED
    assert done.usage
    assert of(ReplyAudio, said)
    assert {audio.reply_id for audio in of(ReplyAudio, said)} == {started.reply_id}
    words = of(ReplyWords, said)
    assert [word.text for word in words if word.final] == ["You said: good day."]
    assert "".join(word.text for word in words if not word.final) == "You said: good day."


async def test_a_spoken_turn_is_heard_written_down_and_answered(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        speak(leg, silence(200), tone(600), silence(700))
        said = await until(ReplyDone, leg)

    (began,), (ended,) = of(SpeechStarted, said), of(SpeechStopped, said)
    assert began.at_ms < ended.at_ms
    assert [turn.item_id for turn in of(TurnCommitted, said)] == [began.item_id]
    assert [words.text for words in of(CallerWords, said) if words.final] == ["hello"]
    assert of(ReplyStarted, said)[0].tag is None
    assert of(ReplyAudio, said)


async def test_a_tool_is_requested_once_and_its_answer_spoken(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(AddCallerText("item_typed", "how is the weather"))
        leg.command(RequestReply("turn-1"))
        asked = await until(ReplyDone, leg)
        (request,) = of(ToolRequested, asked)
        assert (request.name, request.arguments) == ("weather", '{"city": "Oslo"}')

        leg.command(AddToolOutput(request.call_id, '{"sky": "clear"}'))
        leg.command(RequestReply("turn-2"))
        told = await until(ReplyDone, leg)

    assert of(ReplyWords, told)[-1].text == 'You said: result {"sky": "clear"}.'


async def test_speaking_over_a_reply_cancels_it_and_its_item_is_cut_to_what_was_heard(
    line: Line,
) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(RequestReply("greeting", "A long greeting that will be spoken over. " * 20))
        said = await until(ReplyAudio, leg)
        speak(leg, tone(400))
        said += await until(ReplyDone, leg)
        (done,) = of(ReplyDone, said)
        assert (done.status, done.reason) == (ReplyStatus.CANCELLED, "turn_detected")

        leg.command(TruncateItem(of(ReplyAudio, said)[0].item_id, 120))
        (cut,) = of(ItemTruncated, await until(ItemTruncated, leg))
        assert cut.audio_end_ms == 120


async def test_a_refusal_names_the_command_that_it_refuses(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        for command, event_id in (
            (DeleteItem("nowhere"), "delete_nowhere"),
            (CancelReply("nothing"), "cancel_nothing"),
        ):
            leg.command(command)
            (refusal,) = of(ModelRefused, await until(ModelRefused, leg))
            assert refusal.event_id == event_id


async def test_two_requests_at_once_are_told_apart_by_their_tags(line: Line) -> None:
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(RequestReply("first", "One. " * 20))
        leg.command(RequestReply("second"))
        said = await until(ModelRefused, leg)
        said += [] if of(ReplyDone, said) else await until(ReplyDone, leg)

    (refusal,) = of(ModelRefused, said)
    assert refusal.code == "conversation_already_has_active_response"
    assert refusal.event_id == "second"
    assert [started.tag for started in of(ReplyStarted, said)] == ["first"]


async def test_a_session_the_service_will_not_have_ends_the_leg_with_the_reason(line: Line) -> None:
    spec = SessionSpec(model="m", instructions="", voice="marin", turn_detection={"type": "odd"})
    async with line.dial(spec) as leg:
        said = await until(ModelLost, leg)

    (lost,) = of(ModelLost, said)
    assert not lost.retryable
    assert "refused" in lost.reason


async def test_a_token_that_expires_in_mid_call_does_not_end_it_and_the_next_has_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with local_cloud(identity_header=HEADER, local_token_seconds=7) as cloud:
        async with lines(cloud, monkeypatch) as (line, source):
            first = await source.token(5)
            async with line.dial(SPEC) as leg:
                await until(ModelReady, leg)
                assert cloud.issuer is not None
                while still_good(cloud.issuer, first):  # noqa: ASYNC110 - time has no event
                    await asyncio.sleep(0.1)
                leg.command(AddCallerText("item_typed", "still there"))
                leg.command(RequestReply("turn-1"))
                (done,) = of(ReplyDone, await until(ReplyDone, leg))
                assert done.status is ReplyStatus.COMPLETED
            async with line.dial(SPEC) as leg:
                await until(ModelReady, leg)
            assert await source.token(0) != first


def still_good(issuer: Issuer, token: str) -> bool:
    """Whether the token is still good."""
    try:
        return bool(issuer.read(token, [AUDIENCE]))
    except BadToken:
        return False


async def test_a_busy_service_is_unavailable_and_retryable(line: Line, cloud: Cloud) -> None:
    cloud.doubles.faults.arm(Refuse(status=429, times=None))
    with pytest.raises(ModelUnavailable, match="quota") as refusal:
        async with line.dial(SPEC):
            pass

    assert refusal.value.retryable


async def test_a_connection_that_breaks_in_mid_reply_is_the_last_word(
    line: Line, cloud: Cloud
) -> None:
    cloud.doubles.faults.arm(Drop(on="reply", after_ms=300))
    async with line.dial(SPEC) as leg:
        await until(ModelReady, leg)
        leg.command(RequestReply("greeting", "A long greeting. " * 20))
        assert (await last_word(leg)).retryable
