"""Private entries: what is keyed goes past the conversation, and what is said goes nowhere."""

import dataclasses

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.rules import Recording, ToolRule
from tests.conversation.scene import RULES, Scene, of, requests

TOOL = "take_private_keys"
HELD_BY = dataclasses.replace(RULES, tools={**RULES.tools, TOOL: ToolRule()}, private_tool=TOOL)
RECORDED = dataclasses.replace(HELD_BY, recording=Recording("We record this call."))


def asked(rules: c.Command | None = None, *, scene: Scene | None = None) -> Scene:
    """The agent says "Please key your PIN" and calls the tool in the same reply."""
    del rules
    scene = scene or Scene(HELD_BY)
    if not scene.call.ready:
        scene.connect()
    scene.says("r1", "i1", 1_000, "Please key your PIN.")
    scene.do(e.ToolRequested("r1", "f1", "c1", TOOL, "{}"))
    return scene


def heard(scene: Scene) -> list[c.Command]:
    out = scene.done("r1")
    scene.wait(1.2)
    return out + scene.do(e.Heard("i1", 1_000))


def answer(scene: Scene) -> list[c.Command]:
    return scene.do(e.ToolAnswered("c1", '{"token": "key-1"}', e.ToolOutcome.OK, 5_000))


def test_keys_are_hidden_at_the_request_and_the_voice_once_it_was_heard() -> None:
    scene = asked()
    assert of(scene.log, c.HideKeys)
    assert scene.call.private
    assert not of(scene.log, c.OpenKeypad)
    assert of(heard(scene), c.OpenKeypad)
    out = answer(scene)
    assert of(out, c.CloseKeypad)
    assert [o.output for o in of(out, c.AddToolOutput)] == ['{"token": "key-1"}']
    assert requests(out)
    assert not scene.call.private


def test_a_key_before_the_end_of_the_request_silences_it_and_opens_the_keypad() -> None:
    scene = asked()
    out = scene.do(e.CallerKeyed())
    assert of(out, c.StopPlayout)
    assert of(out, c.OpenKeypad)


def test_what_was_keyed_just_before_is_forgotten() -> None:
    scene = Scene(HELD_BY)
    scene.connect()
    scene.do(e.CallerPressed("4"), e.CallerPressed("4"))
    asked(scene=scene)
    scene.wait(3)
    assert not of(scene.log, c.AddCallerText)


def test_a_caller_who_speaks_instead_ends_it() -> None:
    scene = asked()
    out = scene.do(e.SpeechStarted("u1", 0))
    assert of(out, c.CloseKeypad)
    assert not of(out, c.OpenKeypad)
    scene.do(e.SpeechStopped("u1", 0), e.TurnCommitted("u1"), e.ReplyDone("r1", CANCELLED))
    assert scene.call.private  # until the tool has said so to the model
    answer(scene)
    assert not scene.call.private


def test_a_line_that_is_lost_ends_it() -> None:
    scene = asked()
    heard(scene)
    assert of(scene.do(e.CallerAway()), c.CloseKeypad)


def test_a_request_without_words_is_put_in_words() -> None:
    scene = Scene(HELD_BY)
    scene.connect()
    out = scene.asks_for(TOOL, "{}", "c1", "r1")
    [request] = requests(out)
    assert "hash key" in (request.instructions or "")
    scene.says("r2", "i2", 800, "Please key it now.", tag=request.tag)
    scene.done("r2")
    scene.wait(1)
    assert of(scene.do(e.Heard("i2", 800)), c.OpenKeypad)
    assert not requests(scene.wait(5))


def test_nobody_is_told_that_it_takes_a_moment_while_the_caller_keys() -> None:
    scene = asked()
    heard(scene)
    assert not requests(scene.wait(30))


def test_one_that_is_never_heard_comes_to_nothing() -> None:
    scene = asked()
    assert of(scene.wait(31), c.CloseKeypad)


def test_a_second_one_meanwhile_changes_nothing() -> None:
    scene = asked()
    heard(scene)
    scene.do(e.ToolRequested("r1", "f2", "c2", TOOL, "{}"))
    out = scene.do(e.ToolAnswered("c2", '{"error": "one at a time"}', e.ToolOutcome.FAILED, 1))
    assert not of(out, c.CloseKeypad)
    assert scene.call.private


def test_a_new_session_is_told_the_result_and_nothing_of_the_meantime() -> None:
    scene = asked()
    heard(scene)
    scene.loses_the_model()
    scene.do(e.CallerKeyed(), e.CallerKeyed())
    scene.wait(1)
    scene.renews()
    out = answer(scene)
    [note] = of(out, c.AddNote)
    assert "key-1" in note.text
    assert of(out, c.CloseKeypad)


class TestRecorded:
    def scene(self) -> Scene:
        scene = Scene(RECORDED)
        [request] = requests(scene.connect())
        scene.says("r0", "i0", 500, "We record this call.", tag=request.tag)
        scene.done("r0")
        scene.wait(0.6)
        out = scene.do(e.Heard("i0", 500))
        assert of(out, c.Record) == [c.Record(on=True)]
        scene.do(e.RecordingChanged(e.RecordingState.RUNNING))
        return asked(scene=scene)

    def test_the_keypad_opens_only_once_the_recording_pauses(self) -> None:
        scene = self.scene()
        assert of(scene.log, c.Record)[-1] == c.Record(on=False)
        assert not of(heard(scene), c.OpenKeypad)
        assert not of(scene.do(e.CallerKeyed()), c.OpenKeypad)
        assert of(scene.do(e.RecordingChanged(e.RecordingState.PAUSED)), c.OpenKeypad)
        assert of(answer(scene), c.Record) == [c.Record(on=True)]

    def test_where_it_does_not_pause_nothing_is_collected(self) -> None:
        scene = self.scene()
        heard(scene)
        out = scene.wait(31)
        assert of(out, c.CloseKeypad)
        assert not of(out, c.OpenKeypad)

    @pytest.mark.parametrize("state", [e.RecordingState.FAILED])
    def test_one_that_had_to_be_stopped_does_not_go_on(self, state: e.RecordingState) -> None:
        scene = self.scene()
        heard(scene)
        assert of(scene.do(e.RecordingChanged(state)), c.OpenKeypad)
        assert not of(answer(scene), c.Record)


CANCELLED = e.ReplyStatus.CANCELLED
