"""An event is acted upon once by all servers together, until it is forgotten."""

from collections.abc import Callable

import pytest

from switchboard.errors import RecordsUnavailable
from switchboard.records import telephone
from switchboard.records.recordings import RecordingTable
from switchboard.records.store import Store
from switchboard.records.telephone import MediaTicketTable, SeenEvents


async def test_an_event_is_new_once_until_it_is_forgotten(store: Store) -> None:
    here, there = SeenEvents(store), SeenEvents(store)
    assert await here.first("e1", 100.0, for_s=60)
    assert not await there.first("e1", 110.0, for_s=60)
    assert await there.first("e2", 110.0, for_s=60)
    assert not await here.first("e1", 159.0, for_s=60)
    assert await here.first("e1", 160.0, for_s=60)


async def test_what_this_process_marked_or_found_once_is_not_asked_for_again(
    store: Store, stores_go: Callable[[], None]
) -> None:
    here, there = SeenEvents(store), SeenEvents(store)
    assert await here.first("e1", 100.0, for_s=60)
    assert await there.has("e1", 110.0)
    assert not await here.has("e2", 110.0)
    stores_go()
    for replica in (here, there):
        assert await replica.has("e1", 159.0)
        for digest, now in (("e1", 160.0), ("e2", 110.0)):  # no more, and never seen
            with pytest.raises(RecordsUnavailable):
                await replica.has(digest, now)


async def test_a_mark_that_another_made_is_not_taken_for_ours(
    store: Store, stores_go: Callable[[], None]
) -> None:
    here, there = SeenEvents(store), SeenEvents(store)
    assert await there.first("e1", 100.0, for_s=60)
    assert not await here.first("e1", 110.0, for_s=3_600)
    assert not await here.has("e1", 160.0)
    assert await there.has("e1", 159.0)
    stores_go()
    with pytest.raises(RecordsUnavailable):
        await here.has("e1", 159.0)


async def test_what_is_forgotten_was_never_seen(store: Store) -> None:
    seen = SeenEvents(store)
    assert await seen.first("e1", 100.0, for_s=60)
    await seen.forget("e1")
    assert not await seen.has("e1", 110.0)
    assert await seen.first("e1", 110.0, for_s=60)


async def test_of_many_events_the_latest_are_remembered(
    store: Store, stores_go: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telephone, "MOST_REMEMBERED", 2)
    seen = SeenEvents(store)
    for digest in ("e1", "e2", "e3"):
        await seen.first(digest, 100.0, for_s=60)
    stores_go()
    assert await seen.has("e2", 110.0) and await seen.has("e3", 110.0)
    with pytest.raises(RecordsUnavailable):
        await seen.has("e1", 110.0)


async def test_a_media_ticket_is_its_first_connections_until_it_ends(store: Store) -> None:
    table = MediaTicketTable(store)
    await table.put("d1", "c1", facts="who=me", expires_at=100)
    assert not await table.bind("d1", "c2", "acs-1", now=50)
    assert await table.bind("d1", "c1", "acs-1", now=50)
    assert await table.bind("d1", "c1", "acs-1", now=60)
    assert not await table.bind("d1", "c1", "acs-2", now=60)
    assert not await table.bind("d1", "c1", "acs-1", now=100)
    assert await table.connection_of("c1") == "acs-1"
    assert await table.knows("c1") and await table.carries("acs-1")
    await table.sweep(100)
    assert not await table.knows("c1")


async def test_a_recording_is_followed_from_its_beginning_to_where_it_lies(store: Store) -> None:
    table = RecordingTable(store)
    assert await table.of("c1") is None
    assert not await table.filed("r1", ["https://a/1.wav"], None)
    await table.put("c1", "running", 10.0, recording_id="r1")
    await table.put("c1", "paused", 20.0)
    await table.put("c1", "stopped", 30.0)
    kept = await table.of("c1")
    assert kept is not None
    assert (kept.recording_id, kept.state, kept.began_at, kept.ended_at) == (
        "r1",
        "stopped",
        10.0,
        30.0,
    )
    assert await table.filed("r1", ["https://a/1.wav", "https://a/2.wav"], 5_000.0)
    kept = await table.of("c1")
    assert kept is not None
    assert (kept.state, kept.where, kept.duration_ms) == (
        "filed",
        ["https://a/1.wav", "https://a/2.wav"],
        5_000.0,
    )
