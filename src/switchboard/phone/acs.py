"""ACS as the carrier: the only file that knows its SDK (Call Automation).

The SDK is imported when the carrier is opened, off the event loop: it takes most of a second.
"""

# pyright: reportUnknownMemberType=false
# The SDK's keyword arguments have no types.

import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import anyio
from anyio import to_thread

from switchboard.errors import CarrierUnavailable
from switchboard.importing import load
from switchboard.phone.carrier import (
    AcsUser,
    Callee,
    Connection,
    Person,
    Refusal,
    Route,
    Standing,
)
from switchboard.phone.permits import Permit

if TYPE_CHECKING:
    from azure.communication.callautomation import (
        CallConnectionProperties,
        CommunicationIdentifier,
        MediaStreamingOptions,
        PhoneNumberIdentifier,
    )
    from azure.communication.callautomation.aio import CallAutomationClient, CallConnectionClient
    from azure.core.credentials_async import AsyncTokenCredential

logger = logging.getLogger(__name__)

SDK: Final = "azure.communication.callautomation"
OPERATION_S: Final = 15.0
"""Retries included."""
RETRIES: Final = 2
CLOSE_S: Final = 2.0
GONE: Final = frozenset({404, 410})
_NAMESPACE: Final = uuid.UUID("5a0f6b0e-5f0c-4c57-9c39-3d7fb8b0c1de")
_TONES: Final[Mapping[str, str]] = {
    **dict(
        zip(
            "0123456789",
            ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            strict=True,
        )
    ),
    "*": "asterisk",
    "#": "pound",
}


@dataclass(frozen=True, slots=True)
class AcsConfig:
    """Where the ACS resource is, and who we are to those we call."""

    endpoint: str
    """`https://<resource>.communication.azure.com`."""
    number: str | None = None
    """Ours, E.164: calls are placed from it."""
    ca_file: str | None = None
    """Whom to trust besides the machine's own authorities: the local cloud's certificate."""


class AcsCarrier:
    """One per process, opened once: `async with carrier.opened()`. Entra credentials only."""

    def __init__(
        self, config: AcsConfig, make_credential: "Callable[[], AsyncTokenCredential]"
    ) -> None:
        self._config = config
        self._make_credential = make_credential
        self._client_or_none: CallAutomationClient | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Self]:
        """Connections and credential are closed when the block ends."""
        # First what others are waiting for as well: nobody rings before the server is ready.
        credential = await to_thread.run_sync(self._make_credential)
        for module in (SDK, f"{SDK}.aio"):
            await to_thread.run_sync(load, module)
        from azure.communication.callautomation.aio import CallAutomationClient

        options: dict[str, Any] = {"retry_total": RETRIES, "connection_timeout": 5}
        if self._config.ca_file:
            options["connection_verify"] = self._config.ca_file
        client = CallAutomationClient(self._config.endpoint, credential, **options)
        await client.__aenter__()
        self._client_or_none = client
        try:
            yield self
        finally:
            self._client_or_none = None
            # Shielded: it is a cancelled task that ends this block, and connections would stay.
            with anyio.move_on_after(CLOSE_S, shield=True):
                await client.close()
                await credential.close()

    @property
    def is_open(self) -> bool:
        return self._client_or_none is not None

    # -- calls ------------------------------------------------------------------------------

    async def answer(self, incoming: str, route: Route) -> Connection:
        return _connection(
            await _done(
                "answer",
                self._client.answer_call(
                    incoming,
                    route.callback_url,
                    media_streaming=_media(route),
                    headers=_once(f"answer {route.operation}"),
                ),
            )
        )

    async def place(self, permit: Permit, route: Route) -> Connection:
        from azure.communication.callautomation import PhoneNumberIdentifier

        if permit.again or self._config.number is None:
            raise CarrierUnavailable("This call cannot be placed.", retryable=False)
        return _connection(
            await _done(
                "place",
                self._client.create_call(
                    PhoneNumberIdentifier(permit.target.number),
                    route.callback_url,
                    source_caller_id_number=PhoneNumberIdentifier(self._config.number),
                    media_streaming=_media(route),
                    headers=_once(f"place {route.operation}"),
                ),
            )
        )

    async def reject(self, incoming: str, reason: Refusal) -> None:
        await _done("reject", self._client.reject_call(incoming, call_reject_reason=reason))

    async def redirect(self, incoming: str, to: Callee) -> None:
        await _done("redirect", self._client.redirect_call(incoming, _identifier(to)))

    async def hang_up(self, connection_id: str) -> None:
        await _unless_gone(_done("hang up", self._on(connection_id).hang_up(is_for_everyone=True)))

    async def look(self, connection_id: str) -> Standing:
        try:
            known = await _done("look", self._on(connection_id).get_call_properties())
        except CarrierUnavailable as refusal:
            if refusal.status in GONE:
                return Standing(connected=False, streaming=False)
            raise
        media = known.media_streaming_subscription
        return Standing(
            connected=known.call_connection_state == "connected",
            streaming=media is not None and media.state == "active",
        )

    async def start_media(self, connection_id: str) -> None:
        await _done("start media", self._on(connection_id).start_media_streaming())

    async def stop_media(self, connection_id: str) -> None:
        await _done("stop media", self._on(connection_id).stop_media_streaming())

    async def leave(self, connection_id: str) -> None:
        await _done("leave", self._on(connection_id).hang_up(is_for_everyone=False))

    # -- people -----------------------------------------------------------------------------

    async def transfer(self, connection_id: str, to: Callee, *, operation: str) -> None:
        call = self._on(connection_id)
        await _done(
            "transfer",
            call.transfer_call_to_participant(
                _identifier(to),
                source_caller_id_number=self._caller_id(to),
                operation_context=operation,
                headers=_once(operation),
            ),
        )

    async def add(self, connection_id: str, who: Callee, *, ring_s: int, operation: str) -> str:
        call = self._on(connection_id)
        added = await _done(
            "add participant",
            call.add_participant(
                _identifier(who),
                invitation_timeout=ring_s,
                source_caller_id_number=self._caller_id(who),
                operation_context=operation,
                headers=_once(operation),
            ),
        )
        return added.invitation_id or ""

    async def cancel_add(self, connection_id: str, invitation_id: str) -> None:
        call = self._on(connection_id)
        cancelled = call.cancel_add_participant_operation(invitation_id)
        await _unless_gone(_done("cancel add participant", cancelled))

    async def remove(self, connection_id: str, who: Person) -> None:
        call = self._on(connection_id)
        await _done("remove participant", call.remove_participant(_somebody(who)))

    async def people(self, connection_id: str) -> frozenset[str]:
        call = self._on(connection_id)

        async def listed() -> frozenset[str]:
            people = [each.identifier async for each in call.list_participants()]
            return frozenset(each.raw_id for each in people if each is not None)

        return await _done("list participants", listed())

    async def hold(self, connection_id: str, who: Person) -> None:
        await _done("hold", self._on(connection_id).hold(_somebody(who)))

    async def unhold(self, connection_id: str, who: Person) -> None:
        await _done("unhold", self._on(connection_id).unhold(_somebody(who)))

    # -- sounds -----------------------------------------------------------------------------

    async def play(self, connection_id: str, url: str, *, loop: bool = False) -> None:
        from azure.communication.callautomation import FileSource

        call = self._on(connection_id)
        await _done("play", call.play_media(FileSource(url), play_to="all", loop=loop))

    async def stop_playing(self, connection_id: str) -> None:
        await _done("stop playing", self._on(connection_id).cancel_all_media_operations())

    async def send_keys(self, connection_id: str, keys: Sequence[str], to: Person) -> None:
        tones = [_TONES[key] for key in keys]
        await _done("send keys", self._on(connection_id).send_dtmf_tones(tones, _somebody(to)))

    # -- recordings -------------------------------------------------------------------------

    async def record(self, connection_id: str, callback_url: str, storage_url: str | None) -> str:
        from azure.communication.callautomation import AzureBlobContainerRecordingStorage

        options: dict[str, Any] = {}
        if storage_url is not None:
            options["recording_storage"] = AzureBlobContainerRecordingStorage(
                container_url=storage_url
            )
        recording = await _done(
            "record",
            self._client.start_recording(
                call_connection_id=connection_id,
                recording_state_callback_url=callback_url,
                recording_content_type="audio",
                recording_channel_type="unmixed",
                recording_format_type="wav",
                headers=_once(f"record {connection_id}"),
                **options,
            ),
        )
        return recording.recording_id or ""

    async def pause_recording(self, recording_id: str) -> None:
        await _done("pause recording", self._client.pause_recording(recording_id))

    async def resume_recording(self, recording_id: str) -> None:
        await _done("resume recording", self._client.resume_recording(recording_id))

    async def stop_recording(self, recording_id: str) -> None:
        await _done("stop recording", self._client.stop_recording(recording_id))

    # -- the SDK ----------------------------------------------------------------------------

    @property
    def _client(self) -> "CallAutomationClient":
        if self._client_or_none is None:
            raise CarrierUnavailable("The telephone is not open.", retryable=True)
        return self._client_or_none

    def _on(self, connection_id: str) -> "CallConnectionClient":
        return self._client.get_call_connection(connection_id)

    def _caller_id(self, to: Callee) -> "PhoneNumberIdentifier | None":
        from azure.communication.callautomation import PhoneNumberIdentifier

        if isinstance(to, AcsUser) or self._config.number is None:
            return None
        return PhoneNumberIdentifier(self._config.number)


async def _done[T](what: str, operation: Awaitable[T]) -> T:
    """Its result; whatever goes wrong becomes `CarrierUnavailable`."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        with anyio.fail_after(OPERATION_S):
            return await operation
    except ClientAuthenticationError as reason:
        raise _unavailable(
            what,
            "The carrier does not accept this server's identity. Give it a role on the resource.",
            reason.status_code,
        ) from reason
    except HttpResponseError as reason:
        status = reason.status_code
        text = f"The carrier refused to {what} (HTTP {status})."
        raise _unavailable(what, text, status) from reason
    except (AzureError, TimeoutError) as reason:
        raise _unavailable(what, "The carrier could not be reached.", None) from reason


async def _unless_gone(operation: Awaitable[object]) -> None:
    """Of what is over already nothing more is asked."""
    try:
        await operation
    except CarrierUnavailable as refusal:
        if refusal.status not in GONE:
            raise


def _unavailable(what: str, text: str, status: int | None) -> CarrierUnavailable:
    retryable = status is None or status in (408, 429) or status >= 500
    logger.warning("carrier refused", extra={"operation": what, "status": status})
    return CarrierUnavailable(text, retryable=retryable, status=status)


def _once(operation: str) -> dict[str, str]:
    """ACS does a request of one id once, however often it comes."""
    return {"Repeatability-Request-ID": str(uuid.uuid5(_NAMESPACE, operation))}


def _media(route: Route) -> "MediaStreamingOptions":
    from azure.communication.callautomation import MediaStreamingOptions

    return MediaStreamingOptions(
        transport_url=route.media_url,
        transport_type="websocket",
        content_type="audio",
        audio_channel_type="mixed",
        start_media_streaming=True,
        enable_bidirectional=True,
        audio_format="pcm24KMono",
        enable_dtmf_tones=True,
    )


def _identifier(callee: Callee) -> "CommunicationIdentifier":
    """Raises `CarrierUnavailable` for a permit that was used before."""
    from azure.communication.callautomation import (
        CommunicationUserIdentifier,
        PhoneNumberIdentifier,
    )

    if isinstance(callee, AcsUser):
        return CommunicationUserIdentifier(callee.id)
    if callee.again:
        raise CarrierUnavailable("This number was rung already.", retryable=False)
    return PhoneNumberIdentifier(callee.target.number)


def _somebody(person: Person) -> "CommunicationIdentifier":
    from azure.communication.callautomation import (
        CommunicationUserIdentifier,
        PhoneNumberIdentifier,
        UnknownIdentifier,
    )

    raw_id = person.raw_id
    if raw_id.startswith("4:+"):
        return PhoneNumberIdentifier(raw_id.removeprefix("4:"))
    if raw_id.startswith("8:acs:"):
        return CommunicationUserIdentifier(raw_id)
    return UnknownIdentifier(raw_id)


def _connection(properties: "CallConnectionProperties") -> Connection:
    if not properties.call_connection_id:
        raise CarrierUnavailable("The carrier did not say which call this is.", retryable=False)
    return Connection(properties.call_connection_id, properties.server_call_id)
