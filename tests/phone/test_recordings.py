"""What becomes of a recording when the carrier does not do what it is asked."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import anyio
import anyio.lowlevel
import pytest

from switchboard.conversation.events import RecordingState
from switchboard.errors import CarrierUnavailable
from switchboard.phone.recording import Recordings
from switchboard.phone.webhooks import Filed, Misposted, Told, What, callbacks, grid_events
from switchboard.records.recordings import RecordingTable
from switchboard.records.store import Store
from tests.e2e.town import until
from tests.phone.house import ScriptedCarrier

RUNNING, PAUSED, FAILED = RecordingState.RUNNING, RecordingState.PAUSED, RecordingState.FAILED


@dataclass
class Desk(ScriptedCarrier):
    """A carrier that refuses some things, and takes down the others."""

    refuses: set[str] = field(default_factory=set[str])
    done: list[str] = field(default_factory=list[str])
    stopped: list[str] = field(default_factory=list[str])

    def _do(self, what: str) -> None:
        if what in self.refuses:
            raise CarrierUnavailable("No.", retryable=False, status=500)
        self.done.append(what)

    async def record(self, connection_id: str, callback_url: str, storage_url: str | None) -> str:
        self._do("record")
        return "r1"

    async def pause_recording(self, recording_id: str) -> None:
        self._do("pause")

    async def resume_recording(self, recording_id: str) -> None:
        self._do("resume")

    async def stop_recording(self, recording_id: str) -> None:
        self._do("stop")
        self.stopped.append(recording_id)


@dataclass
class Room:
    desk: Desk
    recordings: Recordings
    table: RecordingTable
    told: list[RecordingState]

    def want(self, *, on: bool) -> None:
        self.recordings.want("c1", "cc1", "https://talk.example/e", on=on, storage=None)

    async def hears(self, *states: RecordingState) -> None:
        await until(lambda: self.told == [*states], 5)

    async def state(self) -> str | None:
        kept = await self.table.of("c1")
        return kept and kept.state


@asynccontextmanager
async def room(store: Store, *refuses: str) -> AsyncGenerator[Room]:
    desk, told = Desk(refuses=set(refuses)), list[RecordingState]()
    table = RecordingTable(store)
    recordings = Recordings(desk, table, lambda _, state: told.append(state))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recordings.run)
        await anyio.lowlevel.checkpoint()
        yield Room(desk, recordings, table, told)
        tasks.cancel_scope.cancel()


async def test_it_does_what_is_wanted_one_thing_after_another(store: Store) -> None:
    async with room(store) as here:
        here.want(on=True)
        await here.hears(RUNNING)
        here.want(on=False)
        await here.hears(RUNNING, PAUSED)
        here.want(on=True)
        await here.hears(RUNNING, PAUSED, RUNNING)
        await here.recordings.over("c1")
        await here.recordings.over("c1")
        assert here.desk.done == ["record", "pause", "resume", "stop"]
        assert await here.state() == "stopped"


async def test_one_that_cannot_begin_is_told(store: Store) -> None:
    async with room(store, "record") as here:
        here.want(on=True)
        await here.hears(FAILED)
        assert await here.state() == "failed"
        await here.recordings.over("c1")
        assert here.desk.done == []


async def test_one_that_does_not_pause_is_stopped_for_good(store: Store) -> None:
    async with room(store, "pause") as here:
        here.want(on=True)
        await here.hears(RUNNING)
        here.want(on=False)
        await here.hears(RUNNING, FAILED)
        assert here.desk.done == ["record", "stop"]
        assert await here.state() == "failed"


async def test_one_that_nobody_can_stop_is_never_called_paused(store: Store) -> None:
    async with room(store, "pause", "stop") as here:
        here.want(on=True)
        await here.hears(RUNNING)
        here.want(on=False)
        with anyio.move_on_after(0.1):
            await until(lambda: len(here.told) > 1)
        assert here.told == [RUNNING]


async def test_nothing_that_runs_is_paused_at_once(store: Store) -> None:
    async with room(store) as here:
        here.want(on=False)
        await here.hears(PAUSED)
        assert here.desk.done == []


async def test_a_start_that_fails_later_is_told(store: Store) -> None:
    async with room(store) as here:
        here.want(on=True)
        await here.hears(RUNNING)
        await here.recordings.told("c1", Told("e1", What.NOT_RECORDED, "cc1", "", "", 500, 0))
        await until(lambda: FAILED in here.told)
        assert await here.state() == "failed"


async def test_a_file_is_put_where_its_recording_is(store: Store) -> None:
    async with room(store) as here:
        here.want(on=True)
        await here.hears(RUNNING)
        await here.recordings.filed(Filed("r1", ("https://store.example/1",), 900.0))
        await here.recordings.filed(Filed("other", (), None))
        kept = await here.table.of("c1")
        assert kept is not None
        assert (list(kept.where), kept.duration_ms) == (["https://store.example/1"], 900.0)


FILE = """[{"id":"e1","topic":"t","subject":"/recording/call/cc1/serverCallId/sc1/recordingId/r1",
 "eventType":"Microsoft.Communication.RecordingFileStatusUpdated","dataVersion":"1.0",
 "eventTime":"2026-11-26T10:00:00Z","data":{"recordingStorageInfo":{"recordingChunks":[
 {"documentId":"d","index":0,"endReason":"SessionEnded","metadataLocation":"https://s/m",
 "contentLocation":"https://s/1","deleteLocation":"https://s/x"}]},
 "recordingStartTime":"2026-11-26T09:59:00Z","recordingDurationMs":60000,
 "sessionEndReason":"SessionEnded"}}]"""


def test_event_grid_tells_where_a_recording_lies() -> None:
    assert grid_events(FILE.encode()) == [Filed("r1", ("https://s/1",), 60_000.0)]
    with pytest.raises(Misposted):
        grid_events(FILE.replace("recordingId/r1", "recordingId/../etc").encode())


def test_a_callback_tells_the_state_of_a_recording() -> None:
    [told] = callbacks(
        b'[{"id":"1","type":"Microsoft.Communication.RecordingStateChanged","data":'
        b'{"callConnectionId":"cc1","recordingId":"r1","state":"inactive"}}]'
    )
    assert (told.what, told.recording_state) == (What.RECORDING, "inactive")


async def test_more_places_than_there_is_room_for_are_read_as_far_as_they_go(
    store: Store,
) -> None:
    table = RecordingTable(store)
    await table.put("c1", "stopped", 1.0, recording_id="r1")
    parts = [f"https://files.example/{number}/{'x' * 1_000}" for number in range(200)]
    assert await table.filed("r1", parts, 1_000.0)
    kept = await table.of("c1")
    assert kept is not None
    assert list(kept.where) == parts[: len(kept.where)]
    assert kept.where


async def test_one_that_began_although_the_carrier_s_answer_was_lost_is_stopped(
    store: Store,
) -> None:
    async with room(store, "record") as here:
        here.want(on=True)
        await here.hears(FAILED)
        body = b"""[{"id": "1", "type": "Microsoft.Communication.RecordingStateChanged", "data":
            {"callConnectionId": "cc1", "recordingId": "r9", "state": "active"}}]"""
        [event] = callbacks(body)
        await here.recordings.told("c1", event)
        assert here.desk.stopped == ["r9"]
        assert await here.state() == "failed"


async def test_one_that_runs_as_it_should_is_not_stopped_by_the_news_of_it(store: Store) -> None:
    async with room(store) as here:
        here.want(on=True)
        news = Told("e", What.RECORDING, "cc1", "", "", 200, 0, recording_state="active")
        await here.recordings.told("c1", replace(news, recording_id="r1"))
        await here.hears(RUNNING)
        await here.recordings.told("c1", replace(news, recording_id="r1"))
        assert here.desk.stopped == []
