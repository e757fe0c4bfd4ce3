"""Every operation of the carrier that the official SDK has, against the local ACS over TLS."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# (the SDK leaves its keyword arguments untyped)

import io
import wave

import pytest
from azure.communication.callautomation import (
    AzureBlobContainerRecordingStorage,
    CommunicationUserIdentifier,
    DtmfTone,
    FileSource,
    PhoneNumberIdentifier,
    RecognizeInputType,
    TextSource,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from switchboard_local.acs.grid import Schema
from switchboard_local.acs.people import Manner, Phone
from switchboard_local.acs.sound import hum
from tests.local.acs.peers import AGENT, CALLER, COLLEAGUE, Town, eventually

HER = PhoneNumberIdentifier(CALLER)
HIM = PhoneNumberIdentifier(COLLEAGUE)
OURS = PhoneNumberIdentifier(AGENT)


async def test_what_a_call_is(quick: Town, caller: Phone) -> None:
    _, call_id = await quick.call_in(caller, media_streaming=quick.streaming())
    await quick.app.told("MediaStreamingStarted")
    state = await quick.sdk.get_call_connection(call_id).get_call_properties()
    assert state.call_connection_state == "connected"
    assert state.source is not None
    assert state.source.raw_id == f"4:{CALLER}"
    assert state.targets is not None
    assert [each.raw_id for each in state.targets] == [f"4:{AGENT}"]
    assert state.media_streaming_subscription is not None
    assert state.media_streaming_subscription.state == "active"
    assert state.correlation_id == quick.app.incoming[0]["data"]["correlationId"]


async def test_participants_come_and_go(quick: Town, caller: Phone, colleague: Phone) -> None:
    colleague.manner = Manner.ANSWERS
    _, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    added = await connection.add_participant(
        HIM, source_caller_id_number=OURS, invitation_timeout=10, operation_context="add"
    )
    assert added.invitation_id
    told = await quick.app.told("AddParticipantSucceeded")
    assert (told["participant"]["rawId"], told["operationContext"]) == (f"4:{COLLEAGUE}", "add")
    there = [each async for each in connection.list_participants()]
    assert {each.identifier.raw_id for each in there if each.identifier} == {
        f"4:{CALLER}",
        f"4:{COLLEAGUE}",
    }
    found = await connection.get_participant(HIM)
    assert found.is_muted is False
    await connection.mute_participant(HIM)
    assert (await connection.get_participant(HIM)).is_muted is True
    await connection.remove_participant(HIM, operation_context="remove")
    gone = await quick.app.told("RemoveParticipantSucceeded")
    assert gone["operationContext"] == "remove"
    assert colleague.calls[-1].ended.is_set()
    with pytest.raises(ResourceNotFoundError):
        await connection.get_participant(HIM)


@pytest.mark.parametrize(
    ("manner", "code"), [(Manner.BUSY, 486), (Manner.DECLINES, 603), (Manner.IGNORES, 480)]
)
async def test_somebody_added_does_not_come(
    quick: Town, caller: Phone, colleague: Phone, manner: Manner, code: int
) -> None:
    colleague.manner = manner
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.add_participant(HIM, source_caller_id_number=OURS, invitation_timeout=1)
    told = await quick.app.told("AddParticipantFailed")
    assert told["resultInformation"]["code"] == code
    assert not call.ended.is_set()


async def test_an_invitation_is_taken_back(quick: Town, caller: Phone, colleague: Phone) -> None:
    _, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    added = await connection.add_participant(HIM, source_caller_id_number=OURS)
    ring = await colleague.ringing()
    assert added.invitation_id is not None
    await connection.cancel_add_participant_operation(added.invitation_id)
    told = await quick.app.told("CancelAddParticipantSucceeded")
    assert told["invitationId"] == added.invitation_id
    await ring.over.wait()
    assert ring.call is None
    await connection.cancel_add_participant_operation(added.invitation_id)
    await quick.app.told("CancelAddParticipantFailed")
    assert "AddParticipantFailed" not in quick.app.types()


async def test_a_caller_is_transferred(quick: Town, caller: Phone, colleague: Phone) -> None:
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.transfer_call_to_participant(
        HIM, operation_context="away", sip_headers={"X-Reason": "billing"}
    )
    state = await connection.get_call_properties()
    assert state.call_connection_state == "transferring"
    ring = await colleague.ringing()
    assert (ring.caller, ring.headers) == (f"4:{CALLER}", {"X-Reason": "billing"})
    theirs = ring.answer()
    accepted = await quick.app.told("CallTransferAccepted")
    assert accepted["transferTarget"]["rawId"] == f"4:{COLLEAGUE}"
    await quick.app.told("CallDisconnected")
    await eventually(lambda: call_id not in quick.acs.calls)
    assert (call.other, theirs.other) == (theirs.raw_id, call.raw_id)
    call.say(hum(300))
    await theirs.hear_ms(250)
    theirs.hang_up()
    await call.ended.wait()


async def test_a_transfer_that_fails_leaves_the_call(
    quick: Town, caller: Phone, colleague: Phone
) -> None:
    colleague.manner = Manner.BUSY
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.transfer_call_to_participant(HIM)
    told = await quick.app.told("CallTransferFailed")
    assert told["resultInformation"]["code"] == 486
    assert (await connection.get_call_properties()).call_connection_state == "connected"
    assert not call.ended.is_set()


async def test_a_caller_who_leaves_cannot_be_transferred(
    quick: Town, caller: Phone, colleague: Phone
) -> None:
    call, call_id = await quick.call_in(caller)
    await quick.sdk.get_call_connection(call_id).transfer_call_to_participant(HIM)
    ring = await colleague.ringing()
    call.hang_up()
    await quick.app.told("CallDisconnected")
    assert quick.app.types().index("CallTransferFailed") < quick.app.types().index(
        "CallDisconnected"
    )
    assert ring.over.is_set()


async def test_one_of_three_is_transferred(quick: Town, caller: Phone, colleague: Phone) -> None:
    colleague.manner = Manner.ANSWERS
    third = quick.acs.phone("8:acs:local_third")
    third.manner = Manner.ANSWERS
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.add_participant(HIM, source_caller_id_number=OURS)
    await quick.app.told("AddParticipantSucceeded")
    with pytest.raises(HttpResponseError):
        await connection.transfer_call_to_participant(
            CommunicationUserIdentifier("8:acs:local_third")
        )
    await connection.transfer_call_to_participant(
        CommunicationUserIdentifier("8:acs:local_third"), transferee=HER
    )
    await quick.app.told("CallTransferAccepted")
    there = [each async for each in connection.list_participants()]
    assert [each.identifier.raw_id for each in there if each.identifier] == [f"4:{COLLEAGUE}"]
    call.say(hum(300))
    await third.calls[-1].hear_ms(250)
    assert colleague.calls[-1].heard_ms == 0


async def test_people_move_from_one_call_to_another(
    quick: Town, caller: Phone, colleague: Phone
) -> None:
    _, first = await quick.call_in(caller)
    _, second = await quick.call_in(colleague)
    moved = await quick.sdk.get_call_connection(first).move_participants([HIM], second)
    assert moved.from_call == second
    await quick.app.told("MoveParticipantSucceeded")
    await eventually(lambda: second not in quick.acs.calls)
    colleague.calls[-1].say(hum(300))
    await caller.calls[-1].hear_ms(250)


async def test_a_second_connection_joins_a_call(quick: Town, caller: Phone) -> None:
    call, call_id = await quick.call_in(caller)
    told = await quick.app.told("CallConnected")
    joined = await quick.sdk.connect_call(
        quick.callback_url, server_call_id=told["serverCallId"], operation_context="second"
    )
    assert joined.call_connection_id != call_id
    again = await quick.app.told("CallConnected", 2)
    assert again["operationContext"] == "second"
    await quick.sdk.get_call_connection(call_id).hang_up(is_for_everyone=False)
    await quick.app.told("CallDisconnected")
    assert not call.ended.is_set()


async def test_keys_go_both_ways(quick: Town, caller: Phone) -> None:
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.send_dtmf_tones([DtmfTone.ONE, DtmfTone.POUND], HER, operation_context="k")
    assert (await quick.app.told("SendDtmfTonesCompleted"))["operationContext"] == "k"
    assert await call.keys(2) == "1#"
    await connection.start_continuous_dtmf_recognition(HER)
    call.press("5*")
    told = [await quick.app.told("ContinuousDtmfRecognitionToneReceived", n) for n in (1, 2)]
    assert [(each["tone"], each["sequenceId"]) for each in told] == [("five", 1), ("asterisk", 2)]
    await connection.stop_continuous_dtmf_recognition(HER)
    await quick.app.told("ContinuousDtmfRecognitionStopped")


async def test_keys_are_collected(quick: Town, caller: Phone) -> None:
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.start_recognizing_media(
        RecognizeInputType.DTMF,
        HER,
        dtmf_max_tones_to_collect=3,
        initial_silence_timeout=100,
        dtmf_inter_tone_timeout=60,
    )
    call.press("123")
    told = await quick.app.told("RecognizeCompleted")
    assert told["dtmfResult"]["tones"] == ["one", "two", "three"]
    await connection.start_recognizing_media(
        RecognizeInputType.DTMF, HER, dtmf_max_tones_to_collect=3, initial_silence_timeout=1
    )
    assert (await quick.app.told("RecognizeFailed"))["resultInformation"]["subCode"] == 8510


async def test_texts_and_files_are_played(quick: Town, caller: Phone) -> None:
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.play_media(TextSource(text="A moment."), operation_context="text")
    await quick.app.told("PlayStarted")
    assert (await quick.app.told("PlayCompleted"))["operationContext"] == "text"
    heard_ms = call.heard_ms
    assert heard_ms == pytest.approx(540, abs=40)
    quick.app.sound = _wave(hum(400)[::3] + b"\0")
    url = f"http://127.0.0.1:{quick.app.port}/sound.wav"
    await connection.play_media(FileSource(url), play_to=[HER])
    await quick.app.told("PlayCompleted", 2)
    assert call.heard_ms - heard_ms >= 100
    await connection.play_media(FileSource("https://elsewhere.example/a.wav"))
    assert (await quick.app.told("PlayFailed"))["failedPlaySourceIndex"] == 0


async def test_what_loops_plays_until_it_is_canceled(quick: Town, caller: Phone) -> None:
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.play_media(TextSource(text="Wait."), loop=True)
    await call.hear_ms(900)
    await connection.cancel_all_media_operations()
    await quick.app.told("PlayCanceled")
    assert "PlayCompleted" not in quick.app.types()


async def test_media_is_stopped_and_started(quick: Town, caller: Phone) -> None:
    _, call_id = await quick.call_in(caller, media_streaming=quick.streaming())
    connection = quick.sdk.get_call_connection(call_id)
    first = await quick.app.dialled()
    await quick.app.told("MediaStreamingStarted")
    await connection.stop_media_streaming(operation_context="quiet")
    assert (await quick.app.told("MediaStreamingStopped"))["operationContext"] == "quiet"
    await first.closed.wait()
    await connection.start_media_streaming(operation_context="again")
    started = await quick.app.told("MediaStreamingStarted", 2)
    assert started["operationContext"] == "again"
    await (await quick.app.dialled(2)).until(lambda media: media.audio())


async def test_a_caller_is_put_on_hold(quick: Town, caller: Phone) -> None:
    call, call_id = await quick.call_in(caller)
    connection = quick.sdk.get_call_connection(call_id)
    await connection.hold(HER)
    assert (await connection.get_participant(HER)).is_on_hold is True
    await connection.play_media(TextSource(text="Nobody hears this."))
    await quick.app.told("PlayCompleted")
    assert call.heard_ms == 0
    await connection.unhold(HER)
    await connection.play_media(TextSource(text="But this."))
    await call.hear_ms(400)


async def test_a_call_is_recorded(quick: Town, caller: Phone) -> None:
    _, call_id = await quick.call_in(caller)
    server_call_id = (await quick.app.told("CallConnected"))["serverCallId"]
    url = quick.callback_url
    for begin in (
        quick.sdk.start_recording(call_connection_id=call_id, recording_state_callback_url=url),
        quick.sdk.start_recording(server_call_id=server_call_id, recording_state_callback_url=url),
    ):
        started = await begin
        assert started.recording_state == "active"
        assert started.recording_id is not None
        await quick.sdk.pause_recording(started.recording_id)
        state = await quick.sdk.get_recording_properties(started.recording_id)
        assert state.recording_state == "inactive"
        await quick.sdk.resume_recording(started.recording_id)
        await quick.sdk.stop_recording(started.recording_id)
        with pytest.raises(ResourceNotFoundError):
            await quick.sdk.get_recording_properties(started.recording_id)
    last = await quick.app.told("RecordingStateChanged", 8)
    states = [e["data"]["state"] for e in quick.app.events if "Recording" in e["type"]]
    assert states == ["active", "inactive", "active", "inactive"] * 2
    assert last["recordingId"]


@pytest.mark.parametrize("schema", ["eventgrid", "cloudevents"])
async def test_event_grid_tells_where_a_recording_lies(
    quick: Town, caller: Phone, schema: Schema
) -> None:
    await quick.subscribe(schema)
    _, call_id = await quick.call_in(caller)
    server_call_id = (await quick.app.told("CallConnected"))["serverCallId"]
    container = "https://store.example/calls"
    storage = AzureBlobContainerRecordingStorage(container_url=container)
    stopped = await quick.sdk.start_recording(
        call_connection_id=call_id,
        recording_content_type="audio",
        recording_channel_type="unmixed",
        recording_format_type="wav",
        recording_storage=storage,
    )
    assert stopped.recording_id is not None
    await quick.sdk.stop_recording(stopped.recording_id)
    data = await quick.app.called(2)
    event = quick.app.incoming[1]
    kind = event["eventType"] if schema == "eventgrid" else event["type"]
    assert kind == "Microsoft.Communication.RecordingFileStatusUpdated"
    about = f"/recording/call/{call_id}/serverCallId/{server_call_id}"
    assert event["subject"] == f"{about}/recordingId/{stopped.recording_id}"
    [part] = data["recordingStorageInfo"]["recordingChunks"]
    assert part["contentLocation"].startswith(f"{container}/")
    assert (part["index"], part["endReason"]) == (0, "SessionEnded")
    assert data["recordingDurationMs"] >= 0
    kinds = [data[f"recording{what}Type"] for what in ("Content", "Channel", "Format")]
    assert kinds == ["Audio", "Unmixed", "Wav"]


async def test_a_recording_that_nobody_stops_is_filed_when_its_call_ends(
    quick: Town, caller: Phone
) -> None:
    call, call_id = await quick.call_in(caller)
    started = await quick.sdk.start_recording(call_connection_id=call_id)
    call.hang_up()
    assert (await quick.app.called(2))["sessionEndReason"] == "CallEnded"
    assert quick.app.incoming[1]["subject"].endswith(f"/recordingId/{started.recording_id}")
    with pytest.raises(ResourceNotFoundError):
        await quick.sdk.get_recording_properties(started.recording_id or "")


def _wave(pcm: bytes) -> bytes:
    """At 8 kHz, as telephone systems keep their prompts."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(pcm[: len(pcm) // 2 * 2])
    return file.getvalue()
