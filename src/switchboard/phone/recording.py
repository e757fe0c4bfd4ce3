"""Recordings of telephone calls: each brought to what is wanted of it, one operation at a time.

    (nothing) ──want──▶ running ◀──▶ paused          a pause that fails stops it for good
                           └──────────┴──▶ stopped, and `failed` where it could not begin

`want` never waits; one task for each recording does the rest, and tells the call what became of it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio.abc import TaskGroup

from switchboard.conversation.events import RecordingState
from switchboard.errors import CarrierUnavailable
from switchboard.phone.carrier import Carrier
from switchboard.phone.webhooks import Filed, Told, What
from switchboard.records.recordings import RecordingTable

logger = logging.getLogger(__name__)

STOP_S: Final = 3.0
"""For stopping it before the telephone is hung up, which ends it as well."""


@dataclass(slots=True)
class _Recording:
    """That of one call."""

    connection_id: str
    callback_url: str
    storage: str | None
    wanted: bool = True
    id: str | None = None
    state: RecordingState | None = None
    """What the call was told last."""
    over: bool = False
    changed: anyio.Event = field(default_factory=anyio.Event)

    def stir(self) -> None:
        self.changed.set()


class Recordings:
    """Those of this server's calls. `tell` passes on to a call what became of its own."""

    def __init__(
        self,
        carrier: Carrier,
        table: RecordingTable,
        tell: Callable[[str, RecordingState], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._carrier = carrier
        self._table = table
        self._tell = tell
        self._clock = clock
        self._all: dict[str, _Recording] = {}
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Own what is under way, until cancelled."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            await anyio.sleep_forever()

    def want(
        self, call_id: str, connection_id: str, callback_url: str, *, on: bool, storage: str | None
    ) -> None:
        """Have this call recorded, or not for now."""
        recording = self._all.get(call_id)
        if recording is None:
            if not on or self._tasks is None:
                self._tell(call_id, RecordingState.FAILED if on else RecordingState.PAUSED)
                return
            recording = self._all[call_id] = _Recording(connection_id, callback_url, storage)
            self._tasks.start_soon(self._keep_up, call_id, recording)
        recording.wanted = on
        recording.stir()

    def rejoined(self, call_id: str) -> None:
        """The call has a new socket: what was told on the lost one may be lost too."""
        recording = self._all.get(call_id)
        if recording is not None and recording.state is not None:
            self._tell(call_id, recording.state)

    async def taken_over(self, call_id: str, connection_id: str, callback_url: str) -> None:
        """The call was another server's: a recording that goes on is ours to pause and end."""
        kept = await self._table.of(call_id)
        if kept is None or kept.recording_id is None or kept.state not in ("running", "paused"):
            return
        if self._tasks is None or call_id in self._all:
            return
        recording = _Recording(connection_id, callback_url, None)
        recording.id, recording.state = kept.recording_id, RecordingState(kept.state)
        self._all[call_id] = recording
        self._tasks.start_soon(self._keep_up, call_id, recording)

    def let_go(self, call_id: str) -> None:
        """The call is another server's, and so is its recording."""
        if (recording := self._all.pop(call_id, None)) is not None:
            recording.over = True
            recording.stir()

    async def told(self, call_id: str, event: Told) -> None:
        """A callback about it. Pauses are our own doing; only a failure is news."""
        logger.info("recording told", extra={"call": call_id, "state": event.recording_state})
        recording = self._all.get(call_id)
        if recording is None:
            return
        if event.what is What.NOT_RECORDED:
            await self._failed(call_id, recording)
        elif recording.state is RecordingState.FAILED and event.recording_state == "active":
            # It began, and the carrier's answer was lost: nobody would pause it for private keys.
            recording.id = recording.id or event.recording_id
            if not await self._stopped(recording):
                logger.warning("a recording may run on", extra={"call": call_id})

    async def filed(self, file: Filed) -> None:
        """Event Grid tells where a recording lies."""
        known = await self._table.filed(file.recording_id, file.where, file.duration_ms)
        logger.info("recording filed", extra={"known": known, "parts": len(file.where)})

    async def over(self, call_id: str) -> None:
        """The call is over, and so is its recording. Bounded in time."""
        recording = self._all.pop(call_id, None)
        if recording is None:
            return
        recording.over = True
        recording.stir()
        if recording.id is None or recording.state is RecordingState.FAILED:
            return
        with anyio.move_on_after(STOP_S):
            await self._stopped(recording)
        await self._table.put(call_id, "stopped", self._clock())

    # -- within ---------------------------------------------------------------------------------

    async def _keep_up(self, call_id: str, recording: _Recording) -> None:
        """Bring it to what is wanted, again and again."""
        while not recording.over and recording.state is not RecordingState.FAILED:
            recording.changed = anyio.Event()
            if recording.wanted is not (recording.state is RecordingState.RUNNING):
                try:
                    await self._step(call_id, recording)
                except Exception:
                    # A fault with one recording must not end the others, which share this group.
                    logger.exception("recording failed", extra={"call": call_id})
                    await self._failed(call_id, recording)
            else:
                self._tell(call_id, recording.state or RecordingState.PAUSED)
                await recording.changed.wait()

    async def _step(self, call_id: str, recording: _Recording) -> None:
        carrier, wanted = self._carrier, recording.wanted
        try:
            if recording.id is None and wanted:
                recording.id = await carrier.record(
                    recording.connection_id, recording.callback_url, recording.storage
                )
            elif recording.id is not None and wanted:
                await carrier.resume_recording(recording.id)
            elif recording.id is not None:
                await carrier.pause_recording(recording.id)
        except CarrierUnavailable:
            if recording.over:
                return
            if recording.id is None or await self._stopped(recording):
                await self._failed(call_id, recording)
            else:
                # It runs on, and nobody can stop it: the call must not believe that it does not.
                await recording.changed.wait()
            return
        state = RecordingState.RUNNING if wanted else RecordingState.PAUSED
        if recording.over:
            await self._stopped(recording)  # it began as the call ended
            return
        recording.state = state
        await self._table.put(call_id, state.value, self._clock(), recording_id=recording.id)

    async def _stopped(self, recording: _Recording) -> bool:
        """End it for good. Whether it is sure to have ended."""
        if recording.id is None:
            return True
        try:
            await self._carrier.stop_recording(recording.id)
        except CarrierUnavailable as refusal:
            return refusal.status in (404, 410)
        return True

    async def _failed(self, call_id: str, recording: _Recording) -> None:
        logger.warning("call is not recorded", extra={"call": call_id})
        recording.state = RecordingState.FAILED
        recording.stir()
        await self._table.put(call_id, "failed", self._clock(), recording_id=recording.id)
        self._tell(call_id, RecordingState.FAILED)
