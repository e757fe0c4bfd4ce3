"""The output audio buffer: filled as fast as may be, emptied at the ear's pace."""

from collections.abc import Callable

from switchboard_local.realtime.effects import Send, Tape
from switchboard_local.realtime.playout import Playout
from tests.local.realtime.bench import Bench, kinds, only
from tests.local.realtime.doubles import silence, tone

SECOND = tone(1000)
SPEECH = silence(200) + tone(300)


def buffer() -> tuple[Playout, Callable[[], list[tuple[str, str]]]]:
    """An empty buffer, and a look at what it has told since the last look."""
    tape = Tape(lambda prefix: f"{prefix}_1")

    def told() -> list[tuple[str, str]]:
        events = [effect.event for effect in tape.take() if isinstance(effect, Send)]
        return [(event["type"].split(".")[1], event["response_id"]) for event in events]

    return Playout(tape), told


def test_a_response_is_heard_once_from_beginning_to_end() -> None:
    playout, told = buffer()
    playout.offer("r", "i", SECOND)
    assert told() == []  # it is not heard yet
    heard = playout.take()
    assert told() == [("started", "r")]
    heard += b"".join(playout.take() for _ in range(49))
    assert heard == SECOND
    assert told() == []  # more may come
    playout.complete("r")
    assert playout.take() == silence(20)
    assert told() == [("stopped", "r")]
    assert playout.take() == silence(20)
    assert told() == []


def test_a_gap_in_a_response_is_silence_and_no_end() -> None:
    playout, told = buffer()
    playout.offer("r", "i", tone(30))
    playout.take()
    assert playout.take() == tone(30)[960:] + silence(10)
    playout.offer("r", "i", tone(20))
    assert playout.take() == tone(20)
    assert told() == [("started", "r")]


def test_responses_made_together_are_heard_one_after_the_other() -> None:
    playout, told = buffer()
    playout.offer("a", "i", tone(20))
    playout.offer("b", "j", tone(20, 4000))
    playout.offer("a", "i", tone(20))
    playout.complete("b")
    playout.complete("a")
    heard = b"".join(playout.take() for _ in range(3))
    assert heard == tone(20) * 2 + tone(20, 4000)
    assert told() == [("started", "a"), ("stopped", "a"), ("started", "b"), ("stopped", "b")]


def test_what_was_not_heard_is_named_and_never_heard() -> None:
    playout, told = buffer()
    playout.offer("r", "first", tone(100))
    playout.offer("r", "second", tone(100))
    playout.offer("r", "third", tone(100))
    for _ in range(6):
        playout.take()
    told()
    assert playout.clear() == [("second", 20), ("third", 0)]
    assert told() == [("cleared", "r")]
    playout.offer("r", "third", tone(100))  # still being made
    assert playout.take() == silence(20)
    assert playout.ahead_ms == 0
    playout.complete("r")
    assert told() == []


def test_clearing_silence_is_nothing() -> None:
    playout, told = buffer()
    assert playout.clear() == []
    assert told() == []


# A whole session whose replies are played here


def speaking() -> Bench:
    """A session in the middle of a reply of two seconds, all made, 600 ms of it heard."""
    bench = Bench(played_here=True)
    bench.client("response.create")
    bench.say("One two three four five.", audio_ms=2000)
    bench.finish()
    bench.listen(600)
    return bench


def test_sound_is_played_and_not_sent() -> None:
    bench = speaking()
    assert "response.output_audio.delta" not in kinds(bench.events)
    assert len(bench.heard) == 600 * 48
    sent = bench.listen(1500)
    assert kinds(sent) == ["output_audio_buffer.stopped"]


def test_a_caller_who_cuts_in_is_told_what_was_heard_though_all_was_made() -> None:
    bench = speaking()
    sent = bench.hear(SPEECH)
    assert kinds(sent) == [
        "input_audio_buffer.speech_started",
        "output_audio_buffer.cleared",
        "conversation.item.truncated",
    ]
    cut = only(sent, "conversation.item.truncated")
    assert cut["audio_end_ms"] == 600
    shown = only(
        bench.client("conversation.item.retrieve", item_id=cut["item_id"]),
        "conversation.item.retrieved",
    )
    assert shown["item"]["content"][0]["transcript"] == "One two"
    quiet = bench.listen(100)
    assert kinds(quiet) == []
    assert bytes(bench.heard[600 * 48 :]) == silence(100)


def test_a_caller_who_cuts_in_stops_a_reply_in_the_making() -> None:
    bench = Bench(played_here=True)
    bench.client("response.create")
    bench.say("One two three four five.", audio_ms=2000)
    bench.listen(400)
    bench.hear(SPEECH)
    assert bench.stopping == bench.making
    bench.say("leaked", audio_ms=200)
    done = only(bench.finish(), "response.done")
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    assert done["response"]["output"][0]["content"][0]["transcript"] == "One"
    bench.listen(100)
    assert bytes(bench.heard[400 * 48 :]) == silence(100)


def test_a_caller_who_may_not_cut_in_does_not() -> None:
    bench = Bench(played_here=True)
    detection = {"type": "server_vad", "interrupt_response": False}
    bench.update(audio={"input": {"turn_detection": detection}})
    bench.client("response.create")
    bench.say("One two three four five.", audio_ms=2000)
    bench.finish()
    bench.listen(600)
    assert kinds(bench.hear(SPEECH)) == ["input_audio_buffer.speech_started"]
    assert kinds(bench.listen(1500)) == ["output_audio_buffer.stopped"]


def test_a_client_clears_the_buffer() -> None:
    bench = speaking()
    sent = bench.client("output_audio_buffer.clear")
    assert kinds(sent) == ["output_audio_buffer.cleared", "conversation.item.truncated"]
    assert bench.client("output_audio_buffer.clear") == []


def test_audio_of_another_format_is_refused() -> None:
    bench = Bench(played_here=True)
    for side in ("input", "output"):
        sent = bench.update(audio={side: {"format": {"type": "audio/pcmu"}}})
        assert only(sent, "error")["error"]["param"] == f"session.audio.{side}.format"
    audio = {"output": {"format": {"type": "audio/pcma"}}}
    sent = bench.client("response.create", response={"audio": audio})
    assert only(sent, "error")["error"]["param"] == "response.audio.output.format"


def test_silence_is_counted_from_the_end_of_what_is_heard() -> None:
    bench = Bench(played_here=True)
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    bench.update(audio={"input": {"turn_detection": detection}})
    bench.client("response.create")
    bench.say("One two three.", audio_ms=3000)
    bench.listen(1000)
    bench.finish()
    assert bench.tick(6.9) == []
    only(bench.tick(0.2), "input_audio_buffer.timeout_triggered")
