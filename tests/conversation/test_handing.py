"""A caller is handed to a human: scenes."""

import dataclasses
import json

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.rules import Human, Recording, ToolRule
from tests.conversation.scene import RULES, Scene, of, requests

SUPPORT = Human("support", "+442079460123")
BY_TELEPHONE = dataclasses.replace(
    RULES,
    transfer_tool="transfer_to_human",
    bring_in_tool="bring_in_human",
    humans={"support": SUPPORT},
)
WANTED = json.dumps({"human": "support", "reason": "A refund."})
KEYS = "take_private_keys"
GONE = (c.TransferCall, c.RingHuman)


def on_the_telephone() -> Scene:
    scene = Scene(BY_TELEPHONE)
    scene.connect()
    return scene


def asks(scene: Scene, tool: str, call: str = "c1", *, says: bool = True) -> list[c.Command]:
    """A reply that says so, if it does, and asks for a human. It is done, and not yet heard."""
    scene.do(e.ReplyStarted("r1"))
    if says:
        scene.do(e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE))
        scene.audio("r1", "i1", 1_000)
    out = scene.do(e.ToolRequested("r1", f"f_{call}", call, tool, WANTED))
    return out + scene.done("r1")


def heard(scene: Scene, item: str, ms: float = 1_000) -> list[c.Command]:
    scene.wait(ms / 1_000)
    return scene.do(e.Heard(item, ms))


def outputs(commands: list[c.Command]) -> list[str]:
    return [json.loads(each.output)["status"] for each in of(commands, c.AddToolOutput)]


def test_a_transfer_waits_until_it_was_heard_and_ends_the_call() -> None:
    scene = on_the_telephone()
    out = asks(scene, "transfer_to_human")
    assert not any(isinstance(each, GONE) for each in out)

    assert c.TransferCall("c1", SUPPORT) in heard(scene, "i1")
    out = scene.do(e.LineTold("c1", e.LineOutcome.DONE))
    assert outputs(out) == ["done"]
    assert of(out, c.EndCall) == [c.EndCall("transferred")]


def test_an_agent_who_did_not_say_so_is_asked_to() -> None:
    scene = on_the_telephone()
    [told] = requests(asks(scene, "bring_in_human", says=False))
    assert "colleague" in (told.instructions or "")
    scene.says("r2", "i2", 500, tag=told.tag)
    scene.done("r2")
    assert c.RingHuman("c1", SUPPORT) in heard(scene, "i2", 500)


def test_nobody_speaks_to_a_caller_who_is_gone() -> None:
    scene = on_the_telephone()
    asks(scene, "bring_in_human")
    heard(scene, "i1")
    assert scene.call.gate.deaf
    out = scene.do(e.ReplyStarted("r2"))
    assert c.CancelReply("r2") in out
    scene.done("r2", e.ReplyStatus.CANCELLED)
    assert not requests(scene.do(e.Whispered("Be quick.")) + scene.wait(60))


def test_who_cannot_be_had_gives_the_agent_the_floor_again() -> None:
    scene = on_the_telephone()
    asks(scene, "bring_in_human")
    heard(scene, "i1")
    out = scene.do(e.LineTold("c1", e.LineOutcome.BUSY))
    assert outputs(out) == ["busy"]
    assert len(requests(out)) == 1
    assert not scene.call.gate.deaf
    assert not outputs(scene.do(e.LineTold("c1", e.LineOutcome.DONE)))  # it is told once


def test_a_human_is_briefed_before_the_two_are_left_alone() -> None:
    scene = on_the_telephone()
    asks(scene, "bring_in_human")
    heard(scene, "i1")
    [told] = requests(scene.do(e.LineTold("c1", e.LineOutcome.DONE, apart=True)))
    assert "A refund" in (told.instructions or "")
    scene.says("r2", "i2", 2_000, tag=told.tag)
    scene.done("r2")
    assert of(heard(scene, "i2", 2_000), c.HandOver) == [c.HandOver("c1")]
    out = scene.do(e.LineTold("c1", e.LineOutcome.DONE))
    assert of(out, c.EndCall) == [c.EndCall("handed_over")]


def a_recorded_call() -> Scene:
    """Its caller has heard so."""
    notice = Recording("We record this.")
    scene = Scene(dataclasses.replace(BY_TELEPHONE, recording=notice))
    [request] = requests(scene.connect())
    scene.says("r0", "i0", 500, "We record this.", tag=request.tag)
    scene.done("r0")
    assert of(heard(scene, "i0", 500), c.Record)
    scene.do(e.RecordingChanged(e.RecordingState.RUNNING))
    return scene


@pytest.mark.parametrize("apart", [True, False])
def test_a_human_hears_that_the_call_is_recorded_before_they_are_joined(*, apart: bool) -> None:
    scene = a_recorded_call()
    asks(scene, "bring_in_human")
    heard(scene, "i1")
    out = scene.do(e.LineTold("c1", e.LineOutcome.DONE, apart=apart))
    assert not of(out, c.HandOver)
    [told] = requests(out)
    assert "recorded" in (told.instructions or "")
    assert ("A refund" in (told.instructions or "")) is apart  # the caller may hear it
    scene.says("r2", "i2", 2_000, tag=told.tag)
    scene.done("r2")
    assert of(heard(scene, "i2", 2_000), c.HandOver) == [c.HandOver("c1")]


def test_a_recording_that_failed_is_not_spoken_of() -> None:
    scene = a_recorded_call()
    scene.do(e.RecordingChanged(e.RecordingState.FAILED))
    asks(scene, "bring_in_human")
    heard(scene, "i1")
    [told] = requests(scene.do(e.LineTold("c1", e.LineOutcome.DONE, apart=True)))
    assert "recorded" not in (told.instructions or "")


def test_what_the_caller_would_hear_too_is_not_said() -> None:
    scene = on_the_telephone()
    asks(scene, "bring_in_human")
    heard(scene, "i1")
    out = scene.do(e.LineTold("c1", e.LineOutcome.DONE, apart=False))
    assert not requests(out)
    assert of(out, c.HandOver) == [c.HandOver("c1")]


def test_a_human_who_hung_up_meanwhile_leaves_the_caller_with_the_agent() -> None:
    scene = on_the_telephone()
    asks(scene, "bring_in_human")
    heard(scene, "i1")
    scene.do(e.LineTold("c1", e.LineOutcome.DONE, apart=False))
    out = scene.do(e.LineTold("c1", e.LineOutcome.NO_ANSWER))
    assert outputs(out) == ["no_answer"]
    assert not of(out, c.EndCall)


def test_who_speaks_before_it_has_begun_is_not_sent_away() -> None:
    scene = on_the_telephone()
    asks(scene, "transfer_to_human")
    out = scene.speaks("u1", "No, wait.")
    assert outputs(out) == ["not_done"]
    assert not any(isinstance(each, GONE) for each in out + scene.wait(30))


def test_there_are_never_two_at_once() -> None:
    scene = on_the_telephone()
    asks(scene, "transfer_to_human")
    out = scene.do(e.ToolRequested("r1", "f_c2", "c2", "bring_in_human", WANTED))
    assert outputs(out) == ["not_done"]
    assert len([each for each in heard(scene, "i1") if isinstance(each, GONE)]) == 1


def test_the_model_chooses_by_name_and_only_whom_there_is() -> None:
    scene = on_the_telephone()
    scene.do(e.ReplyStarted("r1"))
    number = json.dumps({"human": "+15550199", "reason": ""})
    out = scene.do(e.ToolRequested("r1", "f1", "c1", "transfer_to_human", number))
    assert outputs(out) == ["not_done"]


def test_words_that_never_come_hold_nobody_up() -> None:
    scene = on_the_telephone()
    asks(scene, "transfer_to_human", says=False)  # what is asked for then is never said
    assert c.TransferCall("c1", SUPPORT) in scene.wait(30)


def test_the_end_of_the_time_goes_before_a_transfer() -> None:
    scene = Scene(dataclasses.replace(BY_TELEPHONE, max_call_s=5, warn_before_s=0))
    scene.connect()
    scene.wait(4.5)
    asks(scene, "transfer_to_human")
    assert outputs(scene.wait(0.6)) == ["not_done"]


def test_a_wish_for_a_human_is_a_turn_of_the_caller_s() -> None:
    scene = on_the_telephone()
    out = scene.do(e.HumanWanted())
    [line] = of(out, c.NoteLine)
    assert (line.speaker, line.typed) == (c.Speaker.CALLER, True)
    assert requests(out)
    assert not of(out, c.AddNote)

    elsewhere = Scene()
    elsewhere.connect()
    assert of(elsewhere.do(e.HumanWanted()), c.AddNote)  # nobody can be brought in there


class TestWhileAKeyEntryIsOpen:
    """The agent fetches a human whom the caller wants more than to key a PIN."""

    def scene(self) -> Scene:
        keys = {**RULES.tools, KEYS: ToolRule()}
        scene = Scene(dataclasses.replace(BY_TELEPHONE, tools=keys, private_tool=KEYS))
        scene.connect()
        scene.says("r0", "i0", 500, "Please key your PIN.")
        scene.do(e.ToolRequested("r0", "f0", "k1", KEYS, "{}"))
        scene.done("r0")
        assert of(heard(scene, "i0", 500), c.OpenKeypad)
        return scene

    def test_nothing_is_collected_of_a_caller_on_the_way_to_a_human(self) -> None:
        scene = self.scene()
        asks(scene, "bring_in_human")
        out = heard(scene, "i1")
        assert of(out, c.CloseKeypad)
        assert of(out, c.RingHuman)

    def test_each_tool_is_answered_once_and_the_caller_is_heard_again(self) -> None:
        scene = self.scene()
        asks(scene, "bring_in_human")
        heard(scene, "i1")
        out = scene.do(e.ToolAnswered("k1", '{"status": "interrupted"}', e.ToolOutcome.OK, 1_000))
        assert outputs(out) == ["interrupted"]
        assert not requests(out)  # nobody hears an answer now
        assert scene.call.gate.deaf
        out = scene.do(e.LineTold("c1", e.LineOutcome.BUSY))
        assert outputs(out) == ["busy"]
        assert requests(out)
        assert not scene.call.gate.deaf
        assert not scene.call.private
        assert not of(scene.do(e.ToolAnswered("k1", "{}", e.ToolOutcome.OK, 1)), c.AddToolOutput)

    def test_an_answer_that_comes_after_the_caller_is_back_opens_nothing(self) -> None:
        scene = self.scene()
        asks(scene, "bring_in_human")
        heard(scene, "i1")
        scene.do(e.LineTold("c1", e.LineOutcome.BUSY))
        assert scene.call.private  # until its tool has answered
        scene.do(e.CallerKeyed())
        out = scene.do(e.ToolAnswered("k1", '{"status": "interrupted"}', e.ToolOutcome.OK, 1_000))
        assert outputs(out) == ["interrupted"]
        assert not scene.call.private
        assert len(of(scene.log, c.OpenKeypad)) == 1

    def test_one_that_is_asked_for_meanwhile_is_given_up_at_once(self) -> None:
        scene = Scene(dataclasses.replace(BY_TELEPHONE, private_tool="get_balance"))
        scene.connect()
        asks(scene, "bring_in_human")
        heard(scene, "i1")
        out = scene.do(e.ToolRequested("r1", "f2", "k1", "get_balance", "{}"))
        assert of(out, c.CloseKeypad)
        assert not of(out, c.OpenKeypad)

    def test_who_keys_on_is_not_sent_away(self) -> None:
        scene = self.scene()
        asks(scene, "bring_in_human")
        out = scene.do(e.CallerKeyed())
        assert outputs(out) == ["not_done"]
        assert not any(isinstance(each, GONE) for each in scene.log)
        assert not of(scene.log, c.CloseKeypad)
