"""What was heard is known: the playout against an ear that really plays, at any ticks."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from switchboard.conversation.events import Heard
from switchboard.phone.cutter import FRAME_BYTES, FRAME_CHARS, Cutter
from switchboard.phone.playout import LEAD_MS, WAITING_MS, Playout
from tests.phone.ear import Ear

FRAME = base64.b64encode(bytes(FRAME_BYTES)).decode()


def sound(ms: float, fill: int = 7) -> str:
    """Base64 of so much sound."""
    return base64.b64encode(bytes([fill]) * (int(24 * ms) * 2)).decode()


@dataclass
class Scene:
    """A playout and its ear, on one clock."""

    playout: Playout = field(default_factory=Playout)
    ear: Ear = field(default_factory=Ear)
    heard: dict[str, float] = field(default_factory=dict[str, float])
    reports: list[Heard] = field(default_factory=list[Heard])

    @property
    def now(self) -> float:
        return self.ear.now_us / 1_000_000

    def say(self, item_id: str, ms: float) -> None:
        assert self.playout.put(item_id, sound(ms))
        self.tick()

    def tick(self) -> None:
        for frame in self.playout.due(self.now):
            self.ear.take(frame)
        self.take_down(self.playout.heard(self.now))

    def take_down(self, reports: Sequence[Heard]) -> None:
        self.reports += reports
        self.heard.update((report.item_id, report.ms) for report in reports)

    def wait(self, ms: int, *, tick_ms: int = 20) -> None:
        """Let time pass, with a tick now and then."""
        while ms > 0:
            step = min(tick_ms, ms)
            self.ear.wait(step * 1_000)
            self.tick()
            ms -= step

    def stop(self) -> None:
        self.ear.stop()
        self.take_down(self.playout.stop(self.now))


def test_no_more_than_the_lead_is_ever_ahead_of_the_ear() -> None:
    scene = Scene()
    scene.say("i1", 2_000)
    assert scene.ear.queued_us == LEAD_MS * 1_000
    scene.wait(1_000)
    assert scene.ear.queued_us == LEAD_MS * 1_000
    assert scene.ear.longest_queue_us == LEAD_MS * 1_000
    assert scene.heard == {"i1": pytest.approx(1_000)}


def test_a_reply_is_heard_to_its_last_millisecond() -> None:
    scene = Scene()
    scene.say("i1", 333)
    scene.wait(400)
    assert scene.heard == {"i1": pytest.approx(333)}
    assert scene.playout.has_played(scene.now)


def test_a_pause_of_the_model_does_not_count_as_heard() -> None:
    scene = Scene()
    scene.say("i1", 100)
    scene.wait(500)
    scene.say("i1", 100)
    scene.wait(40)
    assert scene.heard == {"i1": pytest.approx(140)}


def test_late_ticks_catch_up_by_count_and_cost_no_delay() -> None:
    scene = Scene()
    scene.say("i1", 3_000)
    for _ in range(8):
        scene.wait(180, tick_ms=180)
    # Never dry, so never late: after 1,440 ms, 1,440 ms were heard.
    assert scene.heard == {"i1": pytest.approx(1_440)}
    scene.wait(900, tick_ms=900)  # now the ear runs dry: 200 ms were there
    assert scene.heard == {"i1": pytest.approx(1_640)}
    assert scene.ear.queued_us == LEAD_MS * 1_000


def test_a_barge_in_silences_all_and_says_what_was_heard() -> None:
    scene = Scene()
    scene.say("i1", 300)
    scene.say("i2", 300)
    scene.wait(310)
    scene.stop()
    assert scene.heard == {"i1": pytest.approx(300), "i2": pytest.approx(10)}
    assert not scene.playout.due(scene.now)
    scene.wait(500)
    assert scene.playout.has_played(scene.now)


def test_a_barge_in_before_the_first_sound_says_that_nothing_was_heard() -> None:
    scene = Scene()
    scene.say("i1", 1_000)
    scene.playout.put("i2", sound(100))
    scene.stop()
    assert scene.heard == {"i1": 0.0, "i2": 0.0}


def test_after_a_barge_in_the_next_reply_begins_at_once() -> None:
    scene = Scene()
    scene.say("i1", 1_000)
    scene.wait(100)
    scene.stop()
    scene.say("i2", 1_000)
    scene.wait(60)
    assert scene.heard["i2"] == pytest.approx(60)


def test_on_hold_nothing_is_heard_and_nothing_is_lost() -> None:
    scene = Scene()
    scene.say("i1", 1_000)
    scene.wait(110)
    scene.playout.hold(scene.now)
    scene.ear.held = True
    scene.wait(5_000)
    assert scene.heard == {"i1": pytest.approx(110)}
    scene.playout.resume(scene.now)
    scene.ear.held = False
    scene.wait(900)
    assert scene.heard == {"i1": pytest.approx(1_000)}


def test_the_way_to_the_ear_takes_time() -> None:
    scene = Scene(Playout(latency_ms=80))
    scene.say("i1", 1_000)
    scene.wait(60)
    assert scene.heard == {}
    scene.wait(140)
    assert scene.heard == {"i1": pytest.approx(120)}
    scene.stop()
    assert scene.heard == {"i1": pytest.approx(120)}


def test_a_rest_waits_for_more_as_long_as_the_ear_can() -> None:
    scene = Scene()
    scene.say("i1", 90)
    assert scene.ear.queued_us == 80_000
    scene.playout.put("i1", sound(90))
    scene.tick()
    assert scene.ear.queued_us == 180_000
    assert all(frame.ms == 20 for frame in scene.ear.queue)


def test_what_waits_has_a_limit() -> None:
    playout = Playout()
    assert playout.put("i1", sound(WAITING_MS))
    assert not playout.put("i1", FRAME)
    playout.stop(0.0)
    assert playout.put("i1", FRAME)


@pytest.mark.parametrize("hostile", ["AAA", "not base64!", "AAAA", '"}', "é" * 4])
def test_what_is_no_audio_is_not_played(hostile: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        Playout().put("i1", hostile)


say = st.tuples(st.just("say"), st.integers(1, 900))
wait = st.tuples(st.just("wait"), st.integers(1, 400))
other = st.sampled_from([("stop", 0), ("hold", 0), ("resume", 0), ("next", 0)])


@given(st.lists(say | wait | other, max_size=40))
def test_whatever_happens_when_the_ear_heard_what_we_say_it_did(
    script: list[tuple[str, int]],
) -> None:
    scene, number, put_ms = Scene(), 0, dict[str, float]()
    for act, amount in script:
        item_id = f"i{number}"
        match act:
            case "say":
                put_ms[item_id] = put_ms.get(item_id, 0.0) + int(24 * amount) / 24
                scene.say(item_id, amount)
            case "wait":
                scene.wait(amount, tick_ms=amount % 70 + 1)
            case "stop":
                scene.stop()
                number += 1
            case "next":
                number += 1
            case _:
                held = scene.ear.held = act == "hold"
                (scene.playout.hold if held else scene.playout.resume)(scene.now)
                scene.tick()
        assert scene.ear.longest_queue_us <= LEAD_MS * 1_000
        for item, heard_ms in scene.heard.items():
            assert heard_ms == pytest.approx(scene.ear.heard_ms(item), abs=0.001)
            assert heard_ms <= put_ms[item] + 0.001
    last: dict[str, float] = {}
    for report in scene.reports:
        assert report.ms >= last.get(report.item_id, 0.0)
        last[report.item_id] = report.ms


@example([1, 1, 1, 1, 1, 1, 1673, 3000, 3000])
@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=12))
def test_cutting_neither_loses_nor_adds_nor_reorders(samples: list[int]) -> None:
    pieces = [bytes([n % 256, (n >> 8) % 256]) * n for n in samples]
    cutter, played = Cutter(), b""
    for piece in pieces:
        cutter.put("i1", base64.b64encode(piece).decode())
        while frame := cutter.take():
            assert len(frame.audio) == FRAME_CHARS
            played += base64.b64decode(frame.audio)
    if frame := cutter.take(rest=True):
        played += base64.b64decode(frame.audio)[: round(frame.ms * 48)]
    assert cutter.take(rest=True) is None
    assert cutter.waiting_ms == 0
    assert played == b"".join(pieces)
