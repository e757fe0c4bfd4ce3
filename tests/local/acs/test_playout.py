"""The queue of the application's audio: what was played, what was not, to the byte."""

import hypothesis.strategies as st
from hypothesis import given

from switchboard_local.acs.playout import Ending, Playout

FRAME = 960

steps = st.lists(
    st.one_of(
        st.integers(0, 5000).map(lambda n: bytes([1, 0]) * n),
        st.just("take"),
        st.just("stop"),
    ),
    max_size=60,
)


@given(steps, st.integers(FRAME, 20_000).map(lambda n: n // 2 * 2))
def test_every_byte_is_played_dropped_or_waits(acts: list[bytes | str], limit: int) -> None:
    playout = Playout(FRAME, limit)
    offered = played = 0
    for now, act in enumerate(acts):
        if isinstance(act, bytes):
            offered += len(act)
            playout.put(act)
        elif act == "take":
            pcm = playout.take(now)
            assert pcm is None or len(pcm) == FRAME
            played += 0 if pcm is None else pcm.count(1) * 2
        else:
            playout.stop(now)
            assert playout.waiting_bytes == 0
        assert playout.waiting_bytes <= limit
        dropped = sum(each.dropped_bytes for each in playout.stops)
        accounted = playout.played_bytes + dropped + playout.overrun_bytes
        assert offered == accounted + playout.waiting_bytes
    assert playout.played_bytes == played
    assert sum(each.played_bytes for each in playout.stretches) == played
    assert all(each.ending is not None for each in list(playout.stretches)[:-1])


def test_a_gap_ends_a_stretch_and_sound_begins_another() -> None:
    playout = Playout(FRAME, 100_000)
    playout.put(bytes(FRAME + 100))
    playout.take(1.0)
    assert len(playout.take(1.02) or b"") == FRAME
    assert playout.take(1.04) is None
    playout.put(bytes(FRAME))
    playout.take(2.0)
    stop = playout.stop(2.01)
    assert [(each.began_s, each.played_bytes, each.ending) for each in playout.stretches] == [
        (1.0, FRAME + 100, Ending.DRY),
        (2.0, FRAME, Ending.STOPPED),
    ]
    assert (stop.played_bytes, stop.dropped_bytes) == (2 * FRAME + 100, 0)
