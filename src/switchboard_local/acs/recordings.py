"""Recordings, as far as they are known to the application: their states, and where they would lie.
No sound is kept."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from switchboard_local.acs.bodies import Record
from switchboard_local.acs.connection import State
from switchboard_local.acs.frames import stamp
from switchboard_local.acs.grid import Happening
from switchboard_local.acs.live import LiveCall, fresh_id
from switchboard_local.acs.refusals import AcsRefused, bad, gone

MAX_RECORDINGS: Final = 1000
FILED: Final = "RecordingFileStatusUpdated"
STORE: Final = "https://recordings.invalid"
"""In place of the service's own store."""


@dataclass(slots=True)
class Recording:
    """One. It ends with its call."""

    id: str
    call: LiveCall
    asked: Record
    began: str
    active: bool = False
    _since: float = 0.0
    _recorded_s: float = 0.0

    def switch(self, *, active: bool) -> None:
        """Go on, or pause."""
        now = time.monotonic()
        if self.active:
            self._recorded_s += now - self._since
        self.active, self._since = active, now

    def filed(self, why: str) -> Happening:
        """Where it lies, now that it is over. The shape is that of Event Grid's documentation;
        the addresses are unverified against the live service."""
        names, asked = self.call.connection.names, self.asked
        container = asked.external_storage
        store = container.recording_destination_container_url if container else STORE
        place = f"{store}/{self.id}/0.{asked.recording_format_type}"
        part = {
            "documentId": f"{self.id}-0",
            "index": 0,
            "endReason": "SessionEnded",
            "contentLocation": place,
            "metadataLocation": f"{place}.json",
            "deleteLocation": place,
        }
        content = asked.recording_content_type
        data: dict[str, object] = {
            "recordingStorageInfo": {"recordingChunks": [part]},
            "recordingStartTime": self.began,
            "recordingDurationMs": round(self._recorded_s * 1_000),
            "sessionEndReason": why,
            "recordingContentType": content[0].upper() + content[1:],
            "recordingChannelType": asked.recording_channel_type.capitalize(),
            "recordingFormatType": asked.recording_format_type.capitalize(),
        }
        call = f"/recording/call/{names.connection}/serverCallId/{names.server_call}"
        return Happening(FILED, f"{call}/recordingId/{self.id}", data)

    def wire(self) -> dict[str, object]:
        return {
            "recordingId": self.id,
            "recordingState": "active" if self.running else "inactive",
            "recordingKind": "azureCommunicationServices",
        }

    @property
    def running(self) -> bool:
        return self.active and self.call.connection.state is not State.DISCONNECTED

    def tell(self) -> None:
        """Tell the application of its state, where it asked for that."""
        callback = self.asked.recording_state_callback_uri
        if callback is None:
            return
        more: dict[str, object] = {
            "recordingId": self.id,
            "state": "active" if self.running else "inactive",
            "startDateTime": self.began,
            "recordingKind": "azureCommunicationServices",
        }
        told = self.call.connection.told("RecordingStateChanged", to=callback)
        self.call.postman.put([replace(told, data={**told.data, **more})])


@dataclass(slots=True)
class Recordings:
    """Of all calls, by their ids."""

    calls: Mapping[str, LiveCall]
    happened: Callable[[Happening], None]
    """Told where each lies, once it is over."""
    log: deque[str] = field(default_factory=lambda: deque[str](maxlen=MAX_RECORDINGS))
    """What was done, in order: `started`, `paused`, `resumed`, `stopped`."""
    _known: dict[str, Recording] = field(default_factory=dict[str, Recording])

    def start(self, body: Record) -> Recording:
        """Raises `AcsRefused`."""
        call = self._call(body)
        call.connection.require_connected()
        if len(self._known) >= MAX_RECORDINGS:
            raise AcsRefused(429, "TooManyRequests", "Too many recordings.")
        began = stamp(datetime.now(UTC))
        recording = Recording(fresh_id(), call, body, began)
        recording.switch(active=not body.pause_on_start)
        self._known[recording.id] = recording
        self.log.append("started")
        recording.tell()
        return recording

    def find(self, recording_id: str) -> Recording:
        """Raises `AcsRefused`."""
        recording = self._known.get(recording_id)
        if recording is None or recording.call.connection.state is State.DISCONNECTED:
            raise gone("The recording")
        return recording

    def switch(self, recording_id: str, *, active: bool) -> None:
        """Pause it, or go on. Raises `AcsRefused`."""
        recording = self.find(recording_id)
        if recording.active is not active:
            recording.switch(active=active)
            self.log.append("resumed" if active else "paused")
            recording.tell()

    def stop(self, recording_id: str) -> None:
        """Raises `AcsRefused`."""
        recording = self.find(recording_id)
        recording.switch(active=False)
        self.log.append("stopped")
        recording.tell()
        del self._known[recording_id]
        self.happened(recording.filed("SessionEnded"))

    def over(self, call: LiveCall) -> None:
        """The call has ended, and so have its recordings."""
        for recording in [each for each in self._known.values() if each.call is call]:
            recording.switch(active=False)
            del self._known[recording.id]
            self.happened(recording.filed("CallEnded"))

    def _call(self, body: Record) -> LiveCall:
        if body.call_connection_id is not None:
            call = self.calls.get(body.call_connection_id)
        elif body.call_locator is not None:
            server_call = body.call_locator.server_call_id
            found = (
                each
                for each in self.calls.values()
                if each.connection.names.server_call == server_call
            )
            call = next(found, None)
        else:
            raise bad("Say which call: callConnectionId or callLocator.")
        if call is None:
            raise gone("The call")
        return call
