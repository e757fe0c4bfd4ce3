"""A call is recorded once its caller has heard that it is, and has agreed where that is asked."""

import dataclasses

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.rules import Recording
from tests.conversation.scene import RULES, Scene, of, requests

NOTICE = Recording("This call is recorded.", storage="https://store.example/calls")
TOLD = dataclasses.replace(RULES, greeting="How can I help?", recording=NOTICE)
PLAIN = dataclasses.replace(TOLD, greeting=None)
QUESTION = dataclasses.replace(NOTICE, notice="May we record this call?", consent=True)
ASKED = dataclasses.replace(TOLD, recording=QUESTION)
ON = c.Record(on=True, storage=NOTICE.storage)


def says_next(scene: Scene, out: list[c.Command], number: int) -> list[c.Command]:
    """The reply that was just asked for is made; nobody has heard it yet."""
    [request] = requests(out)
    said = scene.says(f"r{number}", f"i{number}", 500, "Something.", tag=request.tag)
    return said + scene.done(f"r{number}")


def hears(scene: Scene, number: int, ms: float = 500) -> list[c.Command]:
    scene.wait(0.6)
    return scene.do(e.Heard(f"i{number}", ms))


def test_the_notice_comes_before_the_greeting_and_is_heard_before_anything_is_recorded() -> None:
    scene = Scene(TOLD)
    out = says_next(scene, scene.connect(), 1)
    [greeting] = requests(out)
    assert "How can I help?" in (greeting.instructions or "")
    assert not of(scene.log, c.Record)
    assert of(hears(scene, 1), c.Record) == [ON]


def test_a_notice_that_was_cut_is_said_again() -> None:
    scene = Scene(PLAIN)
    says_next(scene, scene.connect(), 1)
    scene.do(e.Heard("i1", 100), e.SpeechStarted("u1", 0))
    scene.do(e.Heard("i1", 200))
    scene.wait(0.3)
    scene.do(e.SpeechStopped("u1", 0), e.TurnCommitted("u1"), e.ReplyStarted("r9"))
    out = scene.done("r9")
    says_next(scene, out, 2)
    assert not of(scene.log, c.Record)
    assert of(hears(scene, 2), c.Record) == [ON]


def test_a_caller_who_will_not_hear_it_is_not_recorded() -> None:
    scene = Scene(PLAIN)
    out = scene.connect()
    for number in (1, 2, 3):
        says_next(scene, out, number)
        scene.do(e.SpeechStarted(f"u{number}", 0))
        scene.wait(0.3)
        scene.do(e.SpeechStopped(f"u{number}", 0), e.TurnCommitted(f"u{number}"))
        scene.do(e.ReplyStarted(f"s{number}"))
        out = scene.done(f"s{number}")
    assert not requests(out)
    assert [notice.code for notice in of(scene.log, c.NoteNotice)] == ["not_recorded"]
    assert not of(scene.log, c.Record)


def question(scene: Scene) -> None:
    says_next(scene, says_next(scene, scene.connect(), 1), 2)
    hears(scene, 1)
    hears(scene, 2)
    assert not of(scene.log, c.Record)


@pytest.mark.parametrize(
    ("words", "recorded"), [("Yes, please.", True), ("No.", False), ("What is my bill?", False)]
)
def test_where_it_is_a_question_only_a_yes_records(words: str, recorded: bool) -> None:
    scene = Scene(ASKED)
    question(scene)
    out = scene.speaks("u1", words)
    assert (of(out, c.Record) == [ON]) is recorded


@pytest.mark.parametrize(("key", "recorded"), [("1", True), ("2", False)])
def test_a_key_answers_it_and_the_model_learns_that(key: str, recorded: bool) -> None:
    scene = Scene(ASKED)
    question(scene)
    out = scene.do(e.CallerPressed(key))
    assert (of(out, c.Record) == [ON]) is recorded
    assert of(out, c.AddCallerText)


def test_a_yes_that_was_begun_before_the_question_does_not_count() -> None:
    scene = Scene(ASKED)
    scene.connect()
    scene.do(e.SpeechStarted("u1", 0), e.SpeechStopped("u1", 0), e.TurnCommitted("u1"))
    assert not of(scene.do(e.CallerWords("u1", "Yes.", final=True)), c.Record)


def test_two_unclear_answers_are_none() -> None:
    scene = Scene(ASKED)
    question(scene)
    scene.speaks("u1", "What is my bill?")
    scene.speaks("u2", "And my plan?")
    assert not of(scene.speaks("u3", "Yes."), c.Record)


@pytest.mark.parametrize("required", [True, False])
def test_a_recording_that_fails_ends_the_call_where_it_is_required(required: bool) -> None:
    held = dataclasses.replace(TOLD, recording=dataclasses.replace(NOTICE, required=required))
    scene = Scene(held)
    says_next(scene, says_next(scene, scene.connect(), 1), 2)
    hears(scene, 1)
    hears(scene, 2)
    out = scene.do(e.RecordingChanged(e.RecordingState.FAILED))
    assert [notice.code for notice in of(out, c.NoteNotice)] == ["not_recorded"]
    assert bool(requests(out)) is required
    scene.wait(21)
    assert scene.call.ended is required


def test_a_notice_whose_reply_fails_is_asked_for_again() -> None:
    scene = Scene(PLAIN)
    [request] = requests(scene.connect())
    scene.do(e.ReplyStarted("r1", request.tag))
    out = scene.done("r1", e.ReplyStatus.FAILED)
    assert "recorded" in (requests(out)[0].instructions or "")
    assert not of(scene.log, c.Record)
