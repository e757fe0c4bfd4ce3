"""Recordings, as far as they are known to the application: their states. No sound is kept."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from switchboard_local.acs.bodies import Record
from switchboard_local.acs.connection import State
from switchboard_local.acs.frames import stamp
from switchboard_local.acs.live import LiveCall, fresh_id
from switchboard_local.acs.refusals import AcsRefused, bad, gone

MAX_RECORDINGS: Final = 1000


@dataclass(slots=True)
class Recording:
    """One. It ends with its call."""

    id: str
    call: LiveCall
    callback: str | None
    active: bool
    began: str

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
        if self.callback is None:
            return
        more: dict[str, object] = {
            "recordingId": self.id,
            "state": "active" if self.running else "inactive",
            "startDateTime": self.began,
            "recordingKind": "azureCommunicationServices",
        }
        told = self.call.connection.told("RecordingStateChanged", to=self.callback)
        self.call.postman.put([replace(told, data={**told.data, **more})])


@dataclass(slots=True)
class Recordings:
    """Of all calls, by their ids."""

    calls: Mapping[str, LiveCall]
    log: deque[str] = field(default_factory=lambda: deque[str](maxlen=MAX_RECORDINGS))
    """What was done, in order: `started`, `paused`, `resumed`, `stopped`."""
    _known: dict[str, Recording] = field(default_factory=dict[str, Recording])

    def start(self, body: Record) -> Recording:
        """Raises `AcsRefused`."""
        call = self._call(body)
        call.connection.require_connected()
        for known in list(self._known.values()):
            if known.call.connection.state is State.DISCONNECTED:
                del self._known[known.id]
        if len(self._known) >= MAX_RECORDINGS:
            raise AcsRefused(429, "TooManyRequests", "Too many recordings.")
        began = stamp(datetime.now(UTC))
        callback = body.recording_state_callback_uri
        recording = Recording(fresh_id(), call, callback, not body.pause_on_start, began)
        self._known[recording.id] = recording
        self.log.append("started")
        recording.tell()
        return recording

    def find(self, recording_id: str) -> Recording:
        """Raises `AcsRefused`."""
        recording = self._known.get(recording_id)
        if recording is None or recording.call.connection.state is State.DISCONNECTED:
            self._known.pop(recording_id, None)
            raise gone("The recording")
        return recording

    def switch(self, recording_id: str, *, active: bool) -> None:
        """Pause it, or go on. Raises `AcsRefused`."""
        recording = self.find(recording_id)
        if recording.active is not active:
            recording.active = active
            self.log.append("resumed" if active else "paused")
            recording.tell()

    def stop(self, recording_id: str) -> None:
        """Raises `AcsRefused`."""
        recording = self.find(recording_id)
        recording.active = False
        self.log.append("stopped")
        recording.tell()
        del self._known[recording_id]

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
