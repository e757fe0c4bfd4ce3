"""Calls over WebRTC, where the service plays to the ear itself and says what it has played."""

import dataclasses

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.gate import Passage
from tests.conversation.scene import RULES, Scene, of, requests

TEN_WORDS = "One two three four five six seven eight nine ten."
THEIRS = (c.TruncateItem, c.DeleteItem, c.StopPlayout)
"""What is for services that do not play: none of it may be said here."""


@pytest.fixture
def scene() -> Scene:
    """A connected call."""
    scene = Scene(dataclasses.replace(RULES, service_plays=True))
    scene.connect()
    return scene


def says(scene: Scene, reply: str, item: str, text: str = TEN_WORDS) -> None:
    """A reply is made to its end; none of it is heard yet."""
    scene.do(
        e.ReplyStarted(reply),
        e.ReplyItemStarted(reply, item, e.ItemKind.MESSAGE),
        e.ReplyWords(reply, item, text, final=True),
    )
    scene.done(reply)


def lines(commands: list[c.Command], item: str) -> list[c.NoteLine]:
    return [line for line in of(commands, c.NoteLine) if line.item_id == item]


def test_the_agent_has_the_floor_from_the_first_sound_to_the_last(scene: Scene) -> None:
    says(scene, "r1", "i1")
    assert scene.call.floor is c.Floor.THINKING
    scene.do(e.PlayoutStarted("r1"))
    assert scene.call.floor is c.Floor.AGENT
    scene.wait(3)
    assert scene.call.floor is c.Floor.AGENT
    scene.do(e.PlayoutStopped("r1"))
    assert scene.call.floor is c.Floor.NOBODY


def test_audio_that_should_not_come_this_way_is_not_let_through(scene: Scene) -> None:
    scene.do(e.ReplyStarted("r1"))
    assert scene.audio("r1", "i1", 20) is Passage.REFUSED


def test_first_audio_is_when_the_service_begins_to_play(scene: Scene) -> None:
    scene.speaks("u1", "Hello?")
    scene.wait(0.4)
    says(scene, "r1", "i1")
    scene.wait(0.2)

    [latency] = of(scene.do(e.PlayoutStarted("r1")), c.NoteLatency)

    assert latency == c.NoteLatency("r1", pytest.approx(600))  # pyright: ignore[reportArgumentType]


def test_at_a_barge_in_by_voice_the_service_acts_and_says_what_was_heard(scene: Scene) -> None:
    says(scene, "r1", "i1")
    scene.do(e.PlayoutStarted("r1"))
    scene.wait(1)

    out = scene.do(
        e.SpeechStarted("u1", 0), e.PlayoutCleared("r1"), e.ItemTruncated("i1", 900.0)
    ) + scene.wait(0.3)

    assert not of(out, c.ClearPlayout)
    assert not [command for command in scene.log if isinstance(command, THEIRS)]
    [interruption] = of(out, c.NoteInterruption)
    assert (interruption.item_id, interruption.heard_ms) == ("i1", 900.0)
    [line] = lines(out, "i1")
    assert line.state is c.LineState.CUT
    assert line.text[: line.heard_chars] == "One two three"


def test_a_cut_whose_place_the_service_does_not_say_is_told_from_the_clock(scene: Scene) -> None:
    says(scene, "r1", "i1")
    scene.do(e.PlayoutStarted("r1"))
    scene.wait(1)

    out = scene.do(e.PlayoutCleared("r1"), e.SpeechStarted("u1", 0)) + scene.wait(0.3)

    [interruption] = of(out, c.NoteInterruption)
    assert interruption.heard_ms == pytest.approx(1_000)


def test_of_several_items_the_one_under_the_play_head_is_cut(scene: Scene) -> None:
    scene.do(e.ReplyStarted("r1"))
    for item in ("i1", "i2", "i3"):
        scene.do(
            e.ReplyItemStarted("r1", item, e.ItemKind.MESSAGE),
            e.ReplyWords("r1", item, TEN_WORDS, final=True),
        )
    scene.done("r1")
    scene.do(e.PlayoutStarted("r1"), e.SpeechStarted("u1", 0))

    out = scene.do(e.ItemTruncated("i2", 500), e.ItemTruncated("i3", 0)) + scene.wait(0.3)

    assert [note.item_id for note in of(out, c.NoteInterruption)] == ["i2"]
    assert not lines(out, "i1")
    assert "i1" in scene.call.history
    assert "i2" in scene.call.history
    assert "i3" not in scene.call.history


def test_who_types_has_the_reply_cancelled_and_the_buffer_cleared(scene: Scene) -> None:
    scene.do(
        e.ReplyStarted("r1"),
        e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE),
        e.ReplyWords("r1", "i1", TEN_WORDS, final=False),
        e.PlayoutStarted("r1"),
    )
    out = scene.do(e.CallerTyped("t1", "Stop."))

    told = [command for command in out if isinstance(command, c.CancelReply | c.ClearPlayout)]
    assert told == [c.CancelReply("r1"), c.ClearPlayout()]
    assert requests(scene.done("r1", e.ReplyStatus.CANCELLED))  # at once: nothing is waited for


def test_what_is_made_but_not_heard_yet_is_cleared_too(scene: Scene) -> None:
    says(scene, "r1", "i1")

    out = scene.do(e.CallerTyped("t1", "Stop.")) + scene.wait(0.3)

    assert c.ClearPlayout() in out
    assert not of(out, c.NoteInterruption)
    assert "i1" not in scene.call.history
    assert lines(out, "i1")[-1].heard_chars == 0


def test_a_late_reply_to_a_caller_who_speaks_again_is_not_heard(scene: Scene) -> None:
    scene.do(e.SpeechStarted("u1", 0))
    out = scene.do(e.ReplyStarted("r1"))
    told = [command for command in out if isinstance(command, c.CancelReply | c.ClearPlayout)]
    assert told == [c.CancelReply("r1"), c.ClearPlayout()]


def test_the_line_stays_open_until_the_goodbye_was_heard(scene: Scene) -> None:
    scene.do(
        e.ReplyStarted("r1"),
        e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE),
        e.ReplyWords("r1", "i1", "Goodbye!", final=True),
        e.ToolRequested("r1", "f1", "c1", "end_call", "{}"),
    )
    scene.done("r1")
    out = scene.do(e.PlayoutStarted("r1")) + scene.wait(1)
    assert not of(out, c.EndCall)
    assert not requests(out)

    assert of(scene.do(e.PlayoutStopped("r1")), c.EndCall) == [c.EndCall("agent_ended")]


def test_a_question_heard_long_after_it_was_made_can_be_agreed_to(scene: Scene) -> None:
    scene.asks_for("block_card", '{"card": "1"}', "c1", "r1")
    says(scene, "r2", "i2", "Block the card ending in 1?")
    scene.do(e.PlayoutStarted("r2"), e.PlayoutStopped("r2"))
    scene.speaks("u1", "Yes.")

    out = scene.asks_for("block_card", '{"card": "1"}', "c2", "r3")

    assert of(out, c.RunTool) == [c.RunTool("c2", "block_card", '{"card": "1"}')]


def test_an_end_that_the_service_forgot_to_say_holds_nobody_up(scene: Scene) -> None:
    says(scene, "r1", "i1", "Yes.")
    scene.do(e.PlayoutStarted("r1"))
    scene.wait(5)
    assert scene.call.floor is c.Floor.AGENT
    scene.wait(5)
    assert scene.call.floor is c.Floor.NOBODY


def test_a_caller_may_speak_for_long_though_no_voice_passes_here(scene: Scene) -> None:
    scene.do(e.SpeechStarted("u1", 0))
    scene.wait(20)
    assert scene.call.floor is c.Floor.CALLER


def test_what_was_not_heard_by_the_end_of_the_call_never_was(scene: Scene) -> None:
    says(scene, "r1", "i1")
    scene.do(e.PlayoutStarted("r1"))
    scene.wait(1)

    out = scene.do(e.CallerLeft("goodbye"))

    assert lines(out, "i1")[-1].state is c.LineState.CUT
    assert isinstance(out[-1], c.EndCall)
