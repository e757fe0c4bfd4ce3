"""An event is acted upon once by all servers together, until it is forgotten."""

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
