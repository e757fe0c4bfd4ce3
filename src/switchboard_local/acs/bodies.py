"""Requests of the REST interface (api-version 2026-03-12), checked as they are read.

Unknown fields pass, as they do at the service: newer SDKs send more.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from switchboard_local.acs.identifiers import Identifier, PhoneNumber, Short

type Url = Annotated[str, Meta(min_length=1, max_length=2048)]
type Context = Annotated[str, Meta(max_length=5000)]
type Many = Annotated[list[Identifier], Meta(min_length=1, max_length=100)]
type Seconds = Annotated[int, Meta(ge=0, le=180)]


class _Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    operation_context: Context | None = None
    operation_callback_uri: Url | None = None


class MediaStreaming(msgspec.Struct, frozen=True, rename="camel"):
    """How the call's audio goes to the application, and its own to the call."""

    transport_url: Url
    transport_type: Literal["websocket"] = "websocket"
    content_type: Literal["audio"] = "audio"
    audio_channel_type: Literal["mixed", "unmixed"] = "mixed"
    start_media_streaming: bool | None = None
    enable_bidirectional: bool | None = None
    audio_format: Literal["pcm16KMono", "pcm24KMono"] | None = None
    enable_dtmf_tones: bool | None = None


class Create(_Body, frozen=True):
    targets: Many
    callback_uri: Url
    source_caller_id_number: PhoneNumber | None = None
    source_display_name: Short | None = None
    media_streaming_options: MediaStreaming | None = None


class Answer(_Body, frozen=True):
    incoming_call_context: Context
    callback_uri: Url
    media_streaming_options: MediaStreaming | None = None


class Reject(_Body, frozen=True):
    incoming_call_context: Context
    call_reject_reason: Literal["none", "busy", "forbidden"] = "none"


class Redirect(_Body, frozen=True):
    incoming_call_context: Context
    target: Identifier


class Locator(msgspec.Struct, frozen=True, rename="camel"):
    server_call_id: Short | None = None


class Connect(_Body, frozen=True):
    call_locator: Locator
    callback_uri: Url
    media_streaming_options: MediaStreaming | None = None


class Nothing(_Body, frozen=True):
    """A request with a context at most."""


class Calling(msgspec.Struct, frozen=True, rename="camel"):
    """`customCallingContext`: headers that go with the ring."""

    sip_headers: dict[Short, Short] | None = None
    voip_headers: dict[Short, Short] | None = None


class Transfer(_Body, frozen=True):
    target_participant: Identifier
    transferee: Identifier | None = None
    source_caller_id_number: PhoneNumber | None = None
    custom_calling_context: Calling | None = None


class Add(_Body, frozen=True):
    participant_to_add: Identifier
    source_caller_id_number: PhoneNumber | None = None
    source_display_name: Short | None = None
    invitation_timeout_in_seconds: Seconds | None = None
    custom_calling_context: Calling | None = None


class CancelAdd(_Body, frozen=True):
    invitation_id: Short


class Remove(_Body, frozen=True):
    participant_to_remove: Identifier


class Mute(_Body, frozen=True):
    target_participants: Many


class Move(_Body, frozen=True):
    target_participants: Many
    from_call: Short


class One(_Body, frozen=True):
    """What concerns one participant: hold, unhold, continuous key recognition."""

    target_participant: Identifier


class SendDtmf(_Body, frozen=True):
    target_participant: Identifier
    tones: Annotated[list[Short], Meta(min_length=1, max_length=100)]


class FileSource(msgspec.Struct, frozen=True):
    uri: Url


class TextSource(msgspec.Struct, frozen=True):
    text: Context


class PlaySource(msgspec.Struct, frozen=True):
    kind: Literal["file", "text", "ssml"]
    file: FileSource | None = None
    text: TextSource | None = None


class PlayOptions(msgspec.Struct, frozen=True):
    loop: bool = False


class Play(_Body, frozen=True):
    play_sources: Annotated[list[PlaySource], Meta(min_length=1, max_length=10)]
    play_to: Annotated[list[Identifier], Meta(max_length=100)] = []
    interrupt_call_media_operation: bool = False
    play_options: PlayOptions = PlayOptions()


class Dtmf(msgspec.Struct, frozen=True, rename="camel"):
    inter_tone_timeout_in_seconds: Annotated[int, Meta(ge=1, le=60)] | None = None
    max_tones_to_collect: Annotated[int, Meta(ge=1, le=100)] | None = None
    stop_tones: Annotated[list[Short], Meta(max_length=20)] | None = None


class RecognizeOptions(msgspec.Struct, frozen=True, rename="camel"):
    target_participant: Identifier
    initial_silence_timeout_in_seconds: Annotated[int, Meta(ge=0, le=300)] | None = None
    dtmf_options: Dtmf | None = None


class Recognize(_Body, frozen=True):
    recognize_input_type: Literal["dtmf", "speech", "speechOrDtmf", "choices"]
    recognize_options: RecognizeOptions


class Storage(msgspec.Struct, frozen=True, rename="camel"):
    """Where a recording is to lie: a container of the application's own."""

    recording_destination_container_url: Url
    recording_storage_kind: Literal["azureBlobStorage"] = "azureBlobStorage"


class Record(_Body, frozen=True):
    call_connection_id: Short | None = None
    call_locator: Locator | None = None
    recording_state_callback_uri: Url | None = None
    pause_on_start: bool = False
    recording_content_type: Literal["audio", "audioVideo"] = "audioVideo"
    recording_channel_type: Literal["mixed", "unmixed"] = "mixed"
    recording_format_type: Literal["wav", "mp3", "mp4"] = "mp4"
    external_storage: Storage | None = None
