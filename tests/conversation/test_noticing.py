"""A call is recorded once its caller has heard that it is, and has agreed where that is asked."""

import dataclasses

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.noticing import RECORDING
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


def states(scene: Scene) -> list[c.Recorded]:
    return [note.state for note in of(scene.log, c.NoteRecording)]


def test_the_page_is_told_how_it_stands_from_the_first_word_on() -> None:
    scene = Scene(ASKED)
    scene.connect()
    assert states(scene) == [c.Recorded.ASKED]
    [note] = of(scene.log, c.NoteRecording)
    assert note.notice == QUESTION.notice
    scene.do(e.CallerDecided(RECORDING, agreed=True))
    for state in (e.RecordingState.RUNNING, e.RecordingState.PAUSED, e.RecordingState.RUNNING):
        scene.do(e.RecordingChanged(state))
    running, paused = c.Recorded.RUNNING, c.Recorded.PAUSED
    assert states(scene) == [c.Recorded.ASKED, running, paused, running]


@pytest.mark.parametrize("agreed", [True, False])
def test_a_button_answers_what_is_written_beside_it(agreed: bool) -> None:
    scene = Scene(ASKED)
    scene.connect()
    out = scene.do(e.CallerDecided(RECORDING, agreed=agreed))
    assert (of(out, c.Record) == [ON]) is agreed
    assert of(out, c.AddCallerText), "the agent learns of it"
    assert not of(scene.do(e.CallerDecided(RECORDING, agreed=True)), c.Record), "once"


def test_a_button_agrees_to_nothing_that_was_not_asked() -> None:
    scene = Scene(TOLD)
    scene.connect()
    out = scene.do(e.CallerDecided(RECORDING, agreed=True))
    assert out == []


def test_a_typed_yes_is_one() -> None:
    scene = Scene(ASKED)
    question(scene)
    assert of(scene.do(e.CallerTyped("t1", "Yes, please.")), c.Record) == [ON]


@pytest.mark.parametrize("ends", [True, False])
def test_without_consent_the_call_ends_or_goes_on_as_the_profile_says(ends: bool) -> None:
    asked = dataclasses.replace(QUESTION, ends_without_consent=ends)
    scene = Scene(dataclasses.replace(ASKED, recording=asked))
    question(scene)
    scene.speaks("u1", "No.")
    assert not of(scene.log, c.Record)
    assert states(scene) == [c.Recorded.ASKED, c.Recorded.OFF]
    scene.wait(21)
    assert scene.call.ended is ends
    if ends:
        assert of(scene.log, c.EndCall)[0].reason == "no_consent"
