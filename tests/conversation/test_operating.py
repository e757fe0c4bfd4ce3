"""An operator takes a call over, and a wish for a human rings in the console: scenes."""

import dataclasses
import json

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.gate import Passage
from switchboard.conversation.rules import Human, Rules
from tests.conversation.scene import RULES, Scene, of, requests

OPERATOR = Human("operator", "console", rings_s=60, nobody="Nobody is free. Shall we ring you?")
SUPPORT = Human("support", "+442079460123")
WITH_HUMANS = dataclasses.replace(
    RULES,
    bring_in_tool="bring_in_human",
    humans={"operator": OPERATOR, "support": SUPPORT},
)
IN_THE_BROWSER = dataclasses.replace(WITH_HUMANS, humans={"operator": OPERATOR})
ANNOUNCED = dataclasses.replace(RULES, taken_over="A colleague has taken over.")
WANTED = json.dumps({"human": "operator", "reason": "A refund of 40 pounds."})


def begun(rules: Rules = RULES) -> Scene:
    scene = Scene(rules)
    scene.connect()
    return scene


def codes(commands: list[c.Command]) -> list[str]:
    return [note.code for note in of(commands, c.NoteNotice)]


def test_the_agent_falls_silent_at_once_and_only_what_was_heard_of_it_exists() -> None:
    scene = begun()
    scene.says("r1", "i1", 3_000)
    scene.wait(1)
    out = scene.do(e.TakenOver("Ada"))
    assert c.CancelReply("r1") in out
    assert of(out, c.StopPlayout)
    assert of(out, c.HoldReplies) == [c.HoldReplies(True)]
    assert scene.audio("r1", "i1", 100) is Passage.REFUSED
    scene.do(e.Heard("i1", 900))
    assert c.TruncateItem("i1", 900) in scene.wait(0.5)
    assert scene.call.mouth_open


def test_no_reply_is_asked_for_or_let_through_while_the_operator_speaks() -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"))
    out = scene.speaks("u1", "My card was stolen.")
    out += scene.do(e.CallerTyped("t1", "Are you there?"), e.Whispered("Note the name."))
    out += scene.wait(60)
    assert not requests(out)
    assert scene.call.floor is c.Floor.NOBODY
    out = scene.do(e.ReplyStarted("r1"))
    assert c.CancelReply("r1") in out
    assert scene.audio("r1", "i1", 100) is Passage.REFUSED


def test_the_caller_is_still_written_down() -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"))
    lines = of(scene.speaks("u1", "My card was stolen."), c.NoteLine)
    assert lines[-1].text == "My card was stolen."


def test_a_word_to_the_operator_is_no_consent() -> None:
    scene = begun()
    scene.asks_for("block_card", '{"card": "1"}', "c1", "r1")
    scene.says("r2", "i2", 500, tag=requests(scene.log)[-1].tag)
    out = scene.do(e.TakenOver("Ada"))
    assert [note.state for note in of(out, c.NoteTool)] == [c.ToolState.ABANDONED]
    scene.done("r2", e.ReplyStatus.CANCELLED)
    scene.speaks("u1", "Yes.")
    scene.do(e.HandedBack())
    out = scene.asks_for("block_card", '{"card": "1"}', "c2", "r3")
    assert not of(out, c.RunTool)


def test_a_tool_that_runs_finishes_and_is_spoken_of_afterwards() -> None:
    scene = begun()
    scene.asks_for("get_balance", "{}", "c1", "r1")
    scene.do(e.TakenOver("Ada"))
    out = scene.do(e.ToolAnswered("c1", '{"balance": 5}', e.ToolOutcome.OK, 10))
    assert of(out, c.AddToolOutput)
    assert not requests(out + scene.wait(30))
    [first] = requests(scene.do(e.HandedBack()))
    scene.says("r2", "i2", 100, tag=first.tag)
    assert requests(scene.done("r2"))  # of what the tool has found


def test_at_hand_back_the_agent_is_told_what_happened_and_goes_on() -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"))
    scene.wait(34)
    out = scene.do(e.HandedBack("We agreed on a refund."))
    [note] = of(out, c.AddNote)
    assert "Ada" in note.text
    assert "34 seconds" in note.text
    assert "We agreed on a refund." in note.text
    assert of(out, c.HoldReplies) == [c.HoldReplies(False)]
    [asked] = requests(out)
    assert "handed the call back" in (asked.instructions or "")
    assert not scene.call.mouth_open


def test_an_operator_whose_line_is_lost_may_come_back_within_seconds() -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"), e.OperatorAway())
    scene.wait(3)
    scene.do(e.TakenOver("Ada"))
    assert not requests(scene.wait(20))
    assert scene.call.taken


def test_an_operator_who_stays_away_is_apologised_for_once() -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"), e.OperatorAway())
    [asked] = requests(scene.wait(6))
    assert "sorry" in (asked.instructions or "")
    assert not scene.call.taken


def test_the_caller_is_told_first_where_the_profile_says_so() -> None:
    scene = begun(ANNOUNCED)
    [told] = requests(scene.do(e.TakenOver("Ada")))
    assert "A colleague has taken over." in (told.instructions or "")
    assert not scene.call.mouth_open
    scene.says("r1", "i1", 1_000, tag=told.tag)
    scene.done("r1")
    scene.wait(1)
    scene.do(e.Heard("i1", 1_000))
    assert scene.call.mouth_open
    assert scene.call.floor is c.Floor.NOBODY


@pytest.mark.parametrize("event", [e.TimerFired("limit"), e.EndRequested("server_stopping", True)])
def test_a_goodbye_waits_for_the_hand_back(event: e.Event) -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"))
    out = scene.do(event) + scene.wait(60)
    assert "put_off" in codes(out)
    assert not requests(out)
    [asked] = requests(scene.do(e.HandedBack()))
    assert "goodbye" in (asked.instructions or "")


def test_a_goodbye_that_was_being_said_is_said_after_the_hand_back() -> None:
    scene = begun()
    [asked] = requests(scene.do(e.TimerFired("limit")))
    scene.says("r1", "i1", 3_000, tag=asked.tag)
    scene.do(e.TakenOver("Ada"))
    scene.done("r1", e.ReplyStatus.CANCELLED)
    scene.wait(60)
    assert not scene.call.ended
    [asked] = requests(scene.do(e.HandedBack()))
    assert "goodbye" in (asked.instructions or "")


def test_the_operator_ends_the_call_without_the_agent() -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"))
    out = scene.do(e.EndRequested("operator", politely=True))
    assert of(out, c.EndCall) == [c.EndCall("operator")]


def test_a_session_that_is_renewed_meanwhile_is_held_as_well() -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"))
    scene.loses_the_model()
    assert of(scene.renews(), c.HoldReplies) == [c.HoldReplies(True)]
    assert not requests(scene.wait(60))


def test_caller_and_operator_talk_on_without_any_session() -> None:
    scene = begun()
    scene.do(e.TakenOver("Ada"))
    scene.loses_the_model()
    for _ in range(20):
        scene.do(e.DialFailed("503", retryable=True))
        scene.wait(6)
    assert not scene.call.ended
    scene.do(e.HandedBack())
    assert requests(scene.renews())


def test_the_operator_has_the_caller_transferred_without_the_agent() -> None:
    scene = begun(WITH_HUMANS)
    scene.do(e.TakenOver("Ada"))
    out = scene.do(e.HumanOrdered("support"))
    [rung] = of(out, c.RingHuman)
    assert rung.human is SUPPORT
    out = scene.do(e.LineTold(rung.call_id, e.LineOutcome.BUSY))
    assert "not_handed" in codes(out)
    assert scene.call.mouth_open
    assert not requests(out)


def test_an_operator_chooses_whom_the_agent_hands_the_caller_to() -> None:
    scene = begun(WITH_HUMANS)
    [told] = requests(scene.do(e.HumanOrdered("support")))
    assert "colleague" in (told.instructions or "")
    scene.says("r1", "i1", 500, tag=told.tag)
    scene.done("r1")
    scene.wait(0.5)
    [rung] = of(scene.do(e.Heard("i1", 500)), c.RingHuman)
    out = scene.do(e.LineTold(rung.call_id, e.LineOutcome.NO_ANSWER))
    assert "did not answer" in of(out, c.AddNote)[-1].text
    assert requests(out)


# -- a wish for a human --------------------------------------------------------------------------


def wishes(commands: list[c.Command]) -> list[c.WishState]:
    return [note.state for note in of(commands, c.NoteWish)]


def test_the_agents_tool_rings_in_the_console_and_the_agent_goes_on() -> None:
    scene = begun(IN_THE_BROWSER)
    out = scene.asks_for("bring_in_human", WANTED, "c1", "r1")
    assert of(out, c.NoteWish) == [
        c.NoteWish(c.WishState.RINGING, "operator", "A refund of 40 pounds.")
    ]
    assert of(out, c.RingConsole)
    assert not scene.call.gate.deaf
    assert requests(out)  # it says so, and goes on


def test_the_button_rings_and_a_second_press_does_not() -> None:
    scene = begun(IN_THE_BROWSER)
    assert wishes(scene.do(e.HumanWanted())) == [c.WishState.RINGING]
    assert not scene.do(e.HumanWanted())


def test_whoever_takes_the_call_over_answers_the_wish() -> None:
    scene = begun(IN_THE_BROWSER)
    scene.do(e.HumanWanted())
    assert wishes(scene.do(e.TakenOver("Ada"))) == [c.WishState.TAKEN]
    assert "nobody_came" not in codes(scene.wait(100))


@pytest.mark.parametrize("at_once", [True, False])
def test_the_caller_is_told_when_nobody_is_there(at_once: bool) -> None:
    scene = begun(IN_THE_BROWSER)
    out = scene.do(e.HumanWanted())
    scene.says("r1", "i1", 500, tag=requests(out)[0].tag)
    scene.done("r1")
    scene.wait(0.5)
    scene.do(e.Heard("i1", 500))
    out = scene.do(e.WishMissed()) if at_once else scene.wait(59.6)
    assert wishes(out) == [c.WishState.MISSED]
    assert "Nobody is free. Shall we ring you?" in (requests(out)[-1].instructions or "")


def test_a_wish_that_is_withdrawn_rings_no_more() -> None:
    scene = begun(IN_THE_BROWSER)
    scene.do(e.HumanWanted())
    assert wishes(scene.do(e.WishWithdrawn())) == [c.WishState.WITHDRAWN]
    assert not scene.do(e.WishWithdrawn(), e.WishMissed())
