"""What waits for the link, and what is let go."""

import asyncio

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from switchboard.model.outbox import Outbox

FRAME = "AAAA" * 320
"""Base64 of 20 ms."""


def outbox(command_limit: int = 4, audio_limit_ms: int = 2_000) -> Outbox:
    return Outbox(command_limit=command_limit, audio_limit_ms=audio_limit_ms)


async def drained(box: Outbox) -> list[str]:
    """Everything that would be sent now: a command's text, or the audio of an append."""
    sent: list[str] = []
    while True:
        try:
            async with asyncio.timeout(0.01):
                frame = await box.next()
        except TimeoutError:
            return sent
        sent.append(
            msgspec.json.decode(frame)["audio"] if frame.startswith(b"{") else frame.decode()
        )


async def test_commands_overtake_audio_and_keep_their_order() -> None:
    box = outbox()
    box.want_audio()
    box.put_audio("AAAA")
    box.put_command(b"one")
    box.put_audio("BBBB")
    box.put_command(b"two")

    assert await drained(box) == ["one", "two", "AAAA", "BBBB"]


async def test_audio_waits_until_it_is_wanted_and_commands_do_not() -> None:
    box = outbox()
    box.put_audio("AAAA")
    box.put_command(b"one")

    assert await drained(box) == ["one"]
    box.want_audio()
    assert await drained(box) == ["AAAA"]


async def test_a_full_queue_of_commands_says_so_and_loses_none() -> None:
    box = outbox(command_limit=2)

    assert [box.put_command(b"%d" % number) for number in range(3)] == [True, True, False]
    assert await drained(box) == ["0", "1"]


async def test_about_two_seconds_of_audio_wait_and_the_oldest_falls_out() -> None:
    box = outbox()
    box.want_audio()
    for number in range(500):
        box.put_audio(f"{number:08d}" + FRAME[8:])
    kept = [int(audio[:8]) for audio in await drained(box)]

    assert kept == list(range(500 - len(kept), 500))
    assert 90 <= len(kept) <= 100
    assert box.dropped == 500 - len(kept)


async def test_a_flood_of_tiny_pieces_is_bounded_too() -> None:
    box = outbox()
    box.want_audio()
    for _ in range(50_000):
        box.put_audio("AAAA")

    assert len(await drained(box)) < 2_000


async def test_one_piece_larger_than_all_that_may_wait_is_let_go() -> None:
    box = outbox()
    box.want_audio()
    box.put_audio("A" * 1_000_000)
    box.put_audio("AAAA")

    assert await drained(box) == ["AAAA"]
    assert box.dropped == 1


async def test_what_is_no_base64_is_not_sent() -> None:
    box = outbox()
    box.want_audio()
    for audio in ("", "caf\u00e9", "\ud800"):
        box.put_audio(audio)

    assert await drained(box) == []


async def test_a_waiting_reader_wakes_for_each() -> None:
    box = outbox()
    waiting = asyncio.ensure_future(box.next())
    await asyncio.sleep(0)
    box.put_audio("AAAA")
    await asyncio.sleep(0)
    assert not waiting.done()
    box.put_command(b"one")
    assert await waiting == b"one"


@given(st.lists(st.integers(1, 4_000), max_size=200))
async def test_what_waits_never_exceeds_the_limit_and_is_always_the_newest(
    sizes: list[int],
) -> None:
    box = outbox(audio_limit_ms=100)
    pieces = [f"{number:04d}" + "A" * size for number, size in enumerate(sizes)]
    for piece in pieces:
        box.put_audio(piece)
    box.want_audio()
    kept: list[str] = []
    for _ in range(len(pieces) - box.dropped):
        kept.append(msgspec.json.decode(await box.next())["audio"])

    assert kept == pieces[len(pieces) - len(kept) :]
    assert sum(map(len, kept)) <= 6_400
