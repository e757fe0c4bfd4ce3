"""The rules of a call, one scene each."""

import dataclasses

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.gate import Passage
from switchboard.conversation.history import Called, Said
from switchboard.conversation.rules import Price, Rules, ToolRule
from tests.conversation.scene import RULES, Scene, of, requests

# -- one reply at a time ------------------------------------------------------------------------


def test_the_agent_greets_once_both_sides_are_there() -> None:
    scene = Scene(dataclasses.replace(RULES, greeting="Welcome to Contoso."))

    assert not requests(scene.do(e.CallerJoined()))
    [greeting] = requests(scene.do(e.ModelReady("s1")))

    assert greeting.instructions is not None
    assert "Welcome to Contoso." in greeting.instructions
    assert not greeting.allow_tools


def test_a_caller_who_is_faster_than_the_model_is_answered_instead_of_greeted() -> None:
    scene = Scene(dataclasses.replace(RULES, greeting="Welcome to Contoso."))
    scene.do(e.CallerJoined(), e.CallerTyped("t1", "What is my balance?"))

    [asked] = requests(scene.do(e.ModelReady("s1")))

    assert asked.instructions is None


def test_a_typed_turn_waits_behind_the_reply_that_runs() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.ReplyStarted("r1"))

    out = scene.do(e.CallerTyped("t1", "Hello?"))
    assert c.AddCallerText("t1", "Hello?") in out
    assert c.CancelReply("r1") in out
    assert not requests(out)

    assert len(requests(scene.done("r1", e.ReplyStatus.CANCELLED))) == 1


def test_who_types_is_answered_though_the_microphone_went_dead_in_mid_speech() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.SpeechStarted("u1", 0))
    assert not scene.wait(2)

    assert requests(scene.do(e.CallerTyped("t1", "Can you hear me?")))


def test_a_refused_request_is_queued_once_more_behind_the_services_own_reply() -> None:
    scene = Scene()
    scene.connect()
    [asked] = requests(scene.do(e.CallerTyped("t1", "Hello?")))
    active = "conversation_already_has_active_response"

    out = scene.do(e.ReplyStarted("r1"), e.ModelRefused(active, "busy", asked.tag))
    assert not requests(out)
    [again] = requests(scene.done("r1"))
    assert again.tag != asked.tag


def test_queued_work_waits_while_the_caller_speaks() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("get_balance", "{}", "c1", "r1")
    scene.do(e.SpeechStarted("u1", 0))

    out = scene.do(e.ToolAnswered("c1", '{"balance": 5}', e.ToolOutcome.OK, 10))

    assert c.AddToolOutput("c1", '{"balance": 5}') in out
    assert not requests(out)


def test_a_result_that_the_services_own_reply_already_knows_is_not_spoken_twice() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("get_balance", "{}", "c1", "r1")
    scene.do(e.SpeechStarted("u1", 0))
    scene.do(e.ToolAnswered("c1", "{}", e.ToolOutcome.OK, 10))
    scene.do(e.SpeechStopped("u1", 0), e.TurnCommitted("u1"))

    scene.do(e.ReplyStarted("r2"))

    assert not requests(scene.done("r2"))


def test_two_tools_of_one_reply_are_answered_before_the_model_speaks_of_either() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.ReplyStarted("r1"))
    scene.do(e.ToolRequested("r1", "i1", "c1", "get_balance", "{}"))
    scene.do(e.ToolRequested("r1", "i2", "c2", "get_balance", "{}"))
    scene.done("r1")

    assert not requests(scene.do(e.ToolAnswered("c1", "1", e.ToolOutcome.OK, 5)))
    assert len(requests(scene.do(e.ToolAnswered("c2", "2", e.ToolOutcome.OK, 5)))) == 1


def test_a_reply_of_ours_that_comes_while_the_caller_speaks_is_cancelled() -> None:
    scene = Scene()
    scene.connect()
    [asked] = requests(scene.do(e.CallerTyped("t1", "Hello?")))
    scene.do(e.SpeechStarted("u1", 0))

    out = scene.do(e.ReplyStarted("r1", asked.tag))

    assert c.CancelReply("r1") in out
    assert scene.audio("r1", "i1", 20) is Passage.REFUSED


def test_a_failed_reply_is_tried_once_more_and_then_owned_up_to() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.ReplyStarted("r1"))
    [retry] = requests(scene.done("r1", e.ReplyStatus.FAILED))

    scene.do(e.ReplyStarted("r2", retry.tag))
    out = scene.done("r2", e.ReplyStatus.FAILED)

    assert not requests(out)
    assert [n.code for n in of(out, c.NoteNotice)] == ["reply_failed"]


# -- only what was heard exists -----------------------------------------------------------------


def test_barge_in_tells_the_model_only_what_was_heard() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 2_000, "One two three four five six seven eight.")
    scene.done("r1")
    scene.now += 0.8
    scene.do(e.Heard("i1", 500))

    out = scene.do(e.SpeechStarted("u1", 0))
    assert out[0] == c.StopPlayout()
    scene.do(e.Heard("i1", 620))
    out = scene.wait(0.3)

    assert c.TruncateItem("i1", 620) in out
    [line] = of(out, c.NoteLine)
    assert line.state is c.LineState.CUT
    assert line.heard_chars is not None
    assert line.text[: line.heard_chars] == "One two"


def test_a_reply_of_which_nothing_was_heard_is_deleted_once_it_is_done() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 400)
    scene.do(e.SpeechStarted("u1", 0))
    assert not of(scene.wait(0.3), c.DeleteItem)

    out = scene.done("r1", e.ReplyStatus.CANCELLED)

    assert of(out, c.DeleteItem) == [c.DeleteItem("i1")]
    assert not of(scene.log, c.TruncateItem)
    assert not [entry for entry in scene.call.history.entries() if isinstance(entry, Said)]


def test_late_audio_of_a_cancelled_reply_does_not_leave() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 400)
    scene.do(e.SpeechStarted("u1", 0))

    assert scene.audio("r1", "i1", 20) is Passage.REFUSED


def test_a_page_cannot_claim_to_have_heard_more_than_could_have_been_played() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 5_000)
    scene.now += 0.3
    scene.do(e.Heard("i1", 3_600_000))
    scene.do(e.SpeechStarted("u1", 0))

    [cut] = of(scene.wait(0.3), c.TruncateItem)

    assert cut.audio_end_ms == pytest.approx(300, abs=1)


def test_the_item_under_the_play_head_is_cut_and_later_ones_deleted_but_never_a_function_call() -> (
    None
):
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 300)
    scene.do(e.ReplyItemStarted("r1", "i2", e.ItemKind.MESSAGE))
    scene.audio("r1", "i2", 1_000)
    scene.do(e.ReplyItemStarted("r1", "i3", e.ItemKind.FUNCTION_CALL))
    scene.do(e.ToolRequested("r1", "i3", "c1", "get_balance", "{}"))
    scene.do(e.ReplyItemStarted("r1", "i4", e.ItemKind.MESSAGE))
    scene.audio("r1", "i4", 1_000)
    scene.done("r1")
    scene.now += 0.5
    scene.do(e.Heard("i1", 300), e.Heard("i2", 150), e.SpeechStarted("u1", 0))

    out = scene.wait(0.3)

    assert of(out, c.TruncateItem) == [c.TruncateItem("i2", 150)]
    assert of(out, c.DeleteItem) == [c.DeleteItem("i4")]


def test_speech_heard_to_its_end_is_left_alone() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 500)
    scene.done("r1")
    scene.now += 0.6
    scene.do(e.Heard("i1", 500))

    scene.do(e.SpeechStarted("u1", 0))
    out = scene.wait(0.5)

    assert not of(out, c.TruncateItem)
    assert not of(out, c.DeleteItem)


def test_two_interruptions_in_quick_succession_cut_an_item_once() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 3_000)
    scene.now += 1
    scene.do(e.Heard("i1", 1_000), e.SpeechStarted("u1", 0))
    scene.wait(0.1)
    scene.do(e.CallerTyped("t1", "Stop."))

    out = scene.wait(1)

    assert len(of(out, c.TruncateItem)) == 1
    assert len(of(out, c.NoteInterruption)) == 1


def test_what_a_barge_in_left_unplayed_delays_nothing_after_it() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 60_000)
    scene.speaks("u1")
    scene.done("r1", e.ReplyStatus.CANCELLED)
    scene.says("r2", "i2", 1_000)
    scene.done("r2")

    scene.wait(4)

    assert scene.call.floor is c.Floor.NOBODY


def test_an_ear_that_plays_late_can_still_be_silenced() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 3_000)
    scene.done("r1")
    scene.wait(4)
    for ms in (500, 1_000, 1_500):
        scene.do(e.Heard("i1", ms))
        scene.wait(0.5)

    assert c.StopPlayout() in scene.do(e.SpeechStarted("u1", 0))


def test_the_end_of_an_interrupted_reply_is_not_silence_while_an_answer_is_owed() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 3_000)
    scene.speaks("u1")

    scene.done("r1", e.ReplyStatus.CANCELLED)

    assert scene.call.floor is c.Floor.THINKING


def test_where_the_service_plays_to_the_ear_itself_it_is_sent_no_truncate() -> None:
    scene = Scene(dataclasses.replace(RULES, service_plays=True))
    scene.connect()
    scene.says("r1", "i1", 500)
    scene.do(e.SpeechStarted("u1", 0))
    scene.wait(1)

    assert not of(scene.log, c.TruncateItem)


# -- tools never block the ear ------------------------------------------------------------------


def test_a_typed_turn_and_a_tools_result_are_answered_in_one() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.ReplyStarted("r1"), e.ToolRequested("r1", "f1", "c1", "get_balance", "{}"))
    scene.do(e.ToolAnswered("c1", "{}", e.ToolOutcome.OK, 1), e.CallerTyped("t1", "And?"))

    [asked] = requests(scene.done("r1", e.ReplyStatus.CANCELLED))
    scene.says("r2", "i2", 500, tag=asked.tag)

    assert not requests(scene.done("r2"))


def test_a_slow_tool_makes_the_agent_say_so_once_it_is_quiet() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("get_balance", "{}", "c1", "r1")

    [filler] = requests(scene.wait(1.6))

    assert not filler.allow_tools
    assert filler.instructions is not None
    assert "moment" in filler.instructions


def test_a_fast_tool_is_not_commented_on() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("get_balance", "{}", "c1", "r1")
    [answer] = requests(scene.do(e.ToolAnswered("c1", "{}", e.ToolOutcome.OK, 40)))

    scene.says("r2", "i2", 3_000, tag=answer.tag)

    assert answer.instructions is None
    assert not requests(scene.wait(1.6))


def test_while_a_tool_runs_the_agent_is_seen_to_think() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.ReplyStarted("r1"), e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE))
    scene.audio("r1", "i1", 200)
    scene.do(e.ToolRequested("r1", "f1", "c1", "get_balance", "{}"))
    scene.done("r1")
    scene.now += 0.3
    scene.do(e.Heard("i1", 200))

    assert scene.call.floor is c.Floor.THINKING
    assert c.NoteFloor(c.Floor.NOBODY) not in scene.log


def test_a_second_answer_to_the_same_call_goes_nowhere() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("get_balance", "{}", "c1", "r1")
    answer = e.ToolAnswered("c1", "{}", e.ToolOutcome.OK, 1)

    scene.do(answer)

    assert not of(scene.do(answer), c.AddToolOutput)


def test_tools_still_running_when_the_call_ends_are_recorded_as_abandoned() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("get_balance", "{}", "c1", "r1")

    out = scene.do(e.CallerLeft("hung_up"))

    assert [n.state for n in of(out, c.NoteTool)] == [c.ToolState.ABANDONED]
    assert out[-1] == c.EndCall("hung_up")


# -- consent ------------------------------------------------------------------------------------

CARD = '{"card": "4711"}'


def _question(scene: Scene) -> None:
    """The model wants to block the card; the question is spoken and heard."""
    scene.connect()
    out = scene.asks_for("block_card", CARD, "c1", "r1")
    [answer] = of(out, c.AddToolOutput)
    assert '"confirm"' in answer.output
    assert "Block the card ending in 4711?" in answer.output
    assert not of(out, c.RunTool)
    [asked] = requests(out)
    scene.says("r2", "i2", 500, "Block the card ending in 4711?", tag=asked.tag)
    scene.done("r2")
    scene.now += 1
    scene.do(e.Heard("i2", 500))


def test_a_dangerous_tool_runs_after_the_caller_said_yes() -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1", "Yes, please.")

    out = scene.asks_for("block_card", '{ "card":"4711" }', "c2", "r3")

    assert [run.call_id for run in of(out, c.RunTool)] == ["c2"]
    assert [n.state for n in of(out, c.NoteTool)] == [c.ToolState.RUNNING]


def test_nobody_is_asked_to_agree_to_arguments_the_tool_would_refuse() -> None:
    picky = ToolRule("Block the card ending in {card}?", accepts=lambda given: "card" in given)
    scene = Scene(dataclasses.replace(RULES, tools={"block_card": picky}))
    scene.connect()

    out = scene.asks_for("block_card", "{}", "c1", "r1")

    assert of(out, c.RunTool)
    assert not of(scene.asks_for("block_card", CARD, "c2", "r2"), c.RunTool)


def test_consent_is_used_up_by_the_run_it_allowed() -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1", "Yes.")
    scene.asks_for("block_card", CARD, "c2", "r3")
    scene.do(e.ToolAnswered("c2", "{}", e.ToolOutcome.OK, 5))

    assert not of(scene.asks_for("block_card", CARD, "c3", "r4"), c.RunTool)


@pytest.mark.parametrize(
    "words",
    [
        "No.",
        "Actually, wait.",
        "What would that cost?",
        "My name is Ana.",
        "",
        "Please",
        "That isn't correct.",
        "I wouldn't do that.",
        "I cannot confirm that.",
        "I refuse to confirm.",
        "Is that correct",
        "Can you confirm the card number",
        "Yes, the other card.",
        "Do it later.",
    ],
)
def test_anything_but_a_yes_is_no_consent(words: str) -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1", words)

    assert not of(scene.asks_for("block_card", CARD, "c2", "r3"), c.RunTool)


def test_consent_to_one_card_is_not_consent_to_another() -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1", "Yes.")

    assert not of(scene.asks_for("block_card", '{"card": "9999"}', "c2", "r3"), c.RunTool)


def test_a_yes_said_before_the_question_was_asked_counts_for_nothing() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.SpeechStarted("u0", 0))
    scene.asks_for("block_card", CARD, "c1", "r1")
    scene.do(e.SpeechStopped("u0", 0), e.TurnCommitted("u0"), e.CallerWords("u0", "Yes.", True))

    assert not of(scene.asks_for("block_card", CARD, "c2", "r3"), c.RunTool)


def test_a_request_ahead_of_the_transcript_is_held_until_the_words_are_known() -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1")
    out = scene.asks_for("block_card", CARD, "c2", "r3")
    assert not of(out, c.RunTool)
    assert not of(out, c.AddToolOutput)

    out = scene.do(e.CallerWords("u1", "Yes, go ahead.", final=True))

    assert [run.call_id for run in of(out, c.RunTool)] == ["c2"]


def test_no_transcript_is_no_consent() -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1")
    scene.asks_for("block_card", CARD, "c2", "r3")

    out = scene.wait(3.5)

    assert not of(scene.log, c.RunTool)
    assert '"confirm"' in of(out, c.AddToolOutput)[0].output


def test_the_pieces_of_a_failed_transcript_are_no_consent() -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1")
    scene.do(e.CallerWords("u1", "Yes", final=False), e.CallerWordsFailed("u1"))

    assert not of(scene.asks_for("block_card", CARD, "c2", "r3"), c.RunTool)


def test_a_yes_to_a_prompt_of_the_house_is_no_answer_to_the_question_behind_it() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.ReplyStarted("r1"), e.TimerFired("warn"))
    scene.do(e.ToolRequested("r1", "f1", "c1", "block_card", CARD))
    [warning] = requests(scene.done("r1"))
    scene.says("r2", "i2", 500, "About a minute is left.", tag=warning.tag)
    scene.speaks("u1", "Okay.")
    scene.done("r2", e.ReplyStatus.CANCELLED)

    assert not of(scene.asks_for("block_card", CARD, "c2", "r3"), c.RunTool)


@pytest.mark.parametrize(("second_thought", "runs"), [("No, stop!", False), ("Thank you.", True)])
def test_who_speaks_again_after_agreeing_is_heard_out_first(
    second_thought: str, runs: bool
) -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1", "Yes.")
    scene.do(e.ReplyStarted("r3"), e.SpeechStarted("u2", 0))
    out = scene.do(e.ToolRequested("r3", "f2", "c2", "block_card", CARD))
    assert not of(out, c.RunTool)

    out = scene.speaks("u2", second_thought)

    assert bool(of(out, c.RunTool)) is runs


def test_two_turns_ahead_of_their_transcripts_are_both_awaited() -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1")
    scene.speaks("u2")
    scene.asks_for("block_card", CARD, "c2", "r3")

    assert not of(scene.do(e.CallerWords("u1", "Yes.", final=True)), c.RunTool)
    assert not of(scene.do(e.CallerWords("u2", "No, wait.", final=True)), c.RunTool)


def test_consent_lapses_after_its_window() -> None:
    scene = Scene()
    _question(scene)
    scene.speaks("u1", "Yes.")
    scene.wait(61)

    assert not of(scene.asks_for("block_card", CARD, "c2", "r3"), c.RunTool)


def test_the_pages_button_agrees_and_the_model_is_told_as_by_the_caller() -> None:
    scene = Scene()
    _question(scene)

    out = scene.do(e.CallerDecided("c1", agreed=True))
    assert of(out, c.AddCallerText)
    [asked] = requests(out)
    scene.do(e.ReplyStarted("r3", asked.tag))
    out = scene.do(e.ToolRequested("r3", "i3", "c2", "block_card", CARD))

    assert of(out, c.RunTool)


def test_the_button_pressed_twice_is_one_yes() -> None:
    scene = Scene()
    _question(scene)
    scene.do(e.CallerDecided("c1", agreed=True))

    assert not scene.do(e.CallerDecided("c1", agreed=True))


def test_a_question_can_always_be_sent_whatever_its_arguments() -> None:
    scene = Scene()
    scene.connect()

    out = scene.asks_for("block_card", r'{"card": "\ud800"}', "c1", "r1")

    assert [(n.question or "").encode() for n in of(out, c.NoteTool)]


def test_key_one_agrees_and_key_two_declines() -> None:
    scene = Scene()
    _question(scene)
    scene.do(e.CallerPressed("1"))
    assert of(scene.asks_for("block_card", CARD, "c2", "r3"), c.RunTool)

    scene = Scene()
    _question(scene)
    out = scene.do(e.CallerPressed("2"))
    assert [n.state for n in of(out, c.NoteTool)] == [c.ToolState.DECLINED]


def test_keys_are_read_to_the_model_as_one_turn() -> None:
    scene = Scene()
    scene.connect()
    for key in "42#":
        scene.do(e.CallerPressed(key))

    [text] = of(scene.wait(2), c.AddCallerText)

    assert "4 2 #" in text.text


# -- leaving, silence, time and money -----------------------------------------------------------


def test_the_agent_hangs_up_only_when_its_goodbye_was_heard() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 1_000, "Goodbye!")
    scene.do(e.ToolRequested("r1", "i2", "c1", "end_call", "{}"))
    scene.done("r1")
    assert not of(scene.log, c.EndCall)

    scene.now += 1.1
    assert c.EndCall("agent_ended") in scene.do(e.Heard("i1", 1_000))


def test_hanging_up_without_a_goodbye_makes_the_agent_say_one() -> None:
    scene = Scene()
    scene.connect()
    [goodbye] = requests(scene.asks_for("end_call", "{}", "c1", "r1"))
    scene.says("r2", "i2", 700, "Goodbye!", tag=goodbye.tag)
    scene.done("r2")
    scene.now += 0.8

    assert c.EndCall("agent_ended") in scene.do(e.Heard("i2", 700))


def test_a_goodbye_that_is_written_and_not_spoken_is_one() -> None:
    scene = Scene()
    scene.connect()
    scene.do(
        e.ReplyStarted("r1"),
        e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE),
        e.ReplyWords("r1", "i1", "Goodbye!", final=True, spoken=False),
        e.ToolRequested("r1", "i2", "c1", "end_call", "{}"),
    )

    assert c.EndCall("agent_ended") in scene.done("r1")
    assert not requests(scene.log)


def _told_to_stop() -> tuple[Scene, str]:
    """The server stops, and has asked for the goodbye: its tag."""
    scene = Scene()
    scene.connect()
    [asked] = requests(scene.do(e.EndRequested("server_stopping", politely=True)))
    return scene, asked.tag


def test_a_goodbye_that_came_while_the_caller_spoke_is_said_after() -> None:
    scene, tag = _told_to_stop()
    scene.do(e.SpeechStarted("u1", 0), e.ReplyStarted("r1", tag))
    scene.done("r1", e.ReplyStatus.CANCELLED)
    assert not scene.call.ended

    scene.do(e.SpeechStopped("u1", 0))
    [again] = requests(scene.wait(5))
    assert again.instructions is not None
    assert "goodbye" in again.instructions


def test_a_goodbye_cut_off_before_its_first_word_is_said_again() -> None:
    scene, tag = _told_to_stop()
    scene.do(e.ReplyStarted("r1", tag), e.SpeechStarted("u1", 0))

    scene.done("r1", e.ReplyStatus.CANCELLED)

    assert not scene.call.ended


def test_a_goodbye_that_failed_is_tried_once_more() -> None:
    scene, tag = _told_to_stop()
    scene.do(e.ReplyStarted("r1", tag))

    [again] = requests(scene.done("r1", e.ReplyStatus.FAILED))
    scene.do(e.ReplyStarted("r2", again.tag))

    assert c.EndCall("server_stopping") in scene.done("r2", e.ReplyStatus.FAILED)


def test_a_caller_who_speaks_into_the_goodbye_keeps_the_line() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 1_000, "Goodbye!")
    scene.do(e.ToolRequested("r1", "i2", "c1", "end_call", "{}"))
    scene.done("r1")
    scene.speaks("u1", "Wait, one more thing.")
    scene.wait(30)

    assert not of(scene.log, c.EndCall)


def test_silence_is_asked_about_twice_and_then_the_agent_says_goodbye() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r0", "i0", 100)
    scene.done("r0")
    ends: list[c.Command] = []
    for round_ in range(1, 4):
        scene.now += 1
        scene.do(e.Heard(f"i{round_ - 1}", 100))
        [asked] = requests(scene.wait(13))
        scene.says(f"r{round_}", f"i{round_}", 100, tag=asked.tag)
        ends = scene.done(f"r{round_}")
    scene.now += 1

    assert c.EndCall("silence") in ends + scene.do(e.Heard("i3", 100))


def _heard_out(scene: Scene) -> None:
    scene.says("r1", "i1", 1_000)
    scene.done("r1")
    scene.wait(1)
    scene.do(e.Heard("i1", 1_000))


def test_a_caller_who_never_speaks_to_an_agent_without_a_greeting_is_asked_too() -> None:
    scene = Scene()
    scene.connect()

    assert requests(scene.wait(13))


def test_a_key_is_a_sign_of_life() -> None:
    scene = Scene()
    scene.connect()
    _heard_out(scene)
    scene.wait(11.5)
    scene.do(e.CallerPressed("5"))

    assert not requests(scene.wait(1))


def test_who_types_is_given_longer() -> None:
    scene = Scene()
    scene.connect()
    [asked] = requests(scene.do(e.CallerTyped("t1", "Hello?")))
    scene.says("r1", "i1", 1_000, tag=asked.tag)
    scene.done("r1")
    for _ in range(2):
        scene.wait(0.5)
        scene.do(e.Heard("i1", (scene.now - 100) * 1_000))
    assert scene.call.floor is c.Floor.NOBODY

    assert not requests(scene.wait(30))
    assert requests(scene.wait(10))


def test_a_microphone_that_goes_dead_in_mid_speech_does_not_hold_the_floor() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.SpeechStarted("u1", 0))
    scene.call.gate.caller(2_000)
    scene.wait(4)
    assert scene.call.floor is c.Floor.CALLER

    scene.wait(4)

    assert scene.call.floor is c.Floor.NOBODY
    assert requests(scene.wait(13))


def test_a_refusal_for_a_reply_we_know_nothing_of_is_waited_out() -> None:
    scene = Scene()
    scene.connect()
    [asked] = requests(scene.do(e.CallerTyped("t1", "Hello?")))
    active = "conversation_already_has_active_response"

    assert not requests(scene.do(e.ModelRefused(active, "busy", asked.tag)))
    assert len(requests(scene.wait(5))) == 1


def test_the_end_of_the_time_is_announced_and_kept() -> None:
    scene = Scene(dataclasses.replace(RULES, max_call_s=120, warn_before_s=30, silence_s=1_000))
    scene.connect()
    [warning] = requests(scene.wait(91))
    assert warning.instructions is not None
    assert "minute" in warning.instructions
    scene.says("r1", "i1", 50, tag=warning.tag)
    scene.done("r1")

    scene.wait(29)
    assert c.EndCall("max_duration") in scene.wait(21)


def test_a_call_too_short_for_a_warning_has_none() -> None:
    scene = Scene(dataclasses.replace(RULES, max_call_s=60, warn_before_s=60, silence_s=100))
    scene.connect()

    assert not requests(scene.wait(59))


def test_the_budget_ends_a_call_politely() -> None:
    price = Price(0, 0, 0, 0, 0, output_audio=1_000_000)
    scene = Scene(dataclasses.replace(RULES, budget_usd=10, price=price))
    scene.connect()
    scene.do(e.ReplyStarted("r1"))
    out = scene.do(e.ReplyDone("r1", e.ReplyStatus.COMPLETED, usage=e.Usage(output_audio=10)))

    assert [n.cost_usd for n in of(out, c.NoteUsage)] == [10]
    [goodbye] = requests(out)
    scene.says("r2", "i2", 100, tag=goodbye.tag)
    scene.done("r2")
    assert c.EndCall("budget") in scene.wait(3)


def test_a_lost_caller_is_waited_for_and_told_that_the_agent_is_still_there() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 2_000)
    out = scene.do(e.CallerAway())
    assert c.CancelReply("r1") in out
    scene.done("r1", e.ReplyStatus.CANCELLED)
    scene.wait(5)

    assert len(requests(scene.do(e.CallerJoined()))) == 1
    assert "reattach" not in scene.timers


def test_the_clock_of_silence_runs_again_when_the_caller_is_back() -> None:
    scene = Scene()
    scene.connect()
    _heard_out(scene)
    scene.do(e.CallerAway())
    scene.wait(3)
    scene.do(e.CallerJoined())

    assert requests(scene.wait(13))


def test_an_answer_that_came_while_nobody_listened_is_given_on_return() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "What is my balance?")
    scene.do(e.CallerAway(), e.ReplyStarted("r1"))
    scene.done("r1", e.ReplyStatus.CANCELLED)

    assert requests(scene.do(e.CallerJoined()))


def test_who_is_lost_in_the_middle_of_a_sentence_is_not_taken_to_speak_on() -> None:
    scene = Scene()
    scene.connect()

    scene.do(e.SpeechStarted("u1", 0), e.CallerAway())

    assert scene.call.floor is c.Floor.NOBODY


def test_nobody_who_is_away_is_told_to_wait_for_a_tool() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("get_balance", "{}", "c1", "r1")
    scene.do(e.CallerAway())
    scene.wait(3)
    scene.do(e.ToolAnswered("c1", "{}", e.ToolOutcome.OK, 3_000))

    [asked] = requests(scene.do(e.CallerJoined()))

    assert asked.instructions is None


def test_a_caller_who_stays_away_too_long_has_left() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.CallerAway())

    assert c.EndCall("caller_lost") in scene.wait(10.1)


# -- everything is noted once -------------------------------------------------------------------


def test_lines_are_placed_by_when_speech_began_even_if_the_words_come_late() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1")
    scene.now += 1
    scene.says("r1", "i1", 200, "Sure.")
    out = scene.do(e.CallerWords("u1", "Can you help me?", final=True))

    [caller] = of(out, c.NoteLine)
    agent = [n for n in of(scene.log, c.NoteLine) if n.item_id == "i1"][-1]
    assert caller.began_ms < agent.began_ms


def test_a_prompt_after_a_noise_is_no_answer_and_has_no_latency() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "")
    [asked] = requests(scene.wait(20))

    scene.says("r1", "i1", 1_000, tag=asked.tag)

    assert not of(scene.log, c.NoteLatency)


def test_what_is_said_on_return_has_no_latency() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "What is my balance?")
    scene.do(e.CallerAway(), e.ReplyStarted("r1"))
    scene.done("r1", e.ReplyStatus.CANCELLED)
    scene.wait(5)
    [asked] = requests(scene.do(e.CallerJoined()))

    scene.says("r2", "i2", 1_000, tag=asked.tag)

    assert not of(scene.log, c.NoteLatency)


def test_a_page_cannot_put_words_into_the_agents_mouth() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 1_000, "Good morning.")

    out = scene.do(e.CallerTyped("i1", "I owe you a million."))

    [typed] = [line for line in of(out, c.NoteLine) if line.text == "I owe you a million."]
    assert typed.speaker is c.Speaker.CALLER
    assert typed.item_id != "i1"
    assert [text.item_id for text in of(out, c.AddCallerText)] == [typed.item_id]


def test_what_the_agent_had_not_said_when_the_call_ended_is_recorded_as_unheard() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 2_000, "One two three four.")
    scene.done("r1")
    scene.wait(1)
    scene.do(e.Heard("i1", 1_000))

    [line] = of(scene.do(e.CallerLeft("goodbye")), c.NoteLine)

    assert line.state is c.LineState.CUT
    assert line.text[: line.heard_chars] == "One two"


def test_an_answered_turn_has_its_latency_from_the_end_of_speech() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.SpeechStarted("u1", 100))
    scene.call.gate.caller(2_400)
    scene.do(e.SpeechStopped("u1", 2_000), e.TurnCommitted("u1"))
    scene.now += 0.2
    scene.do(e.ReplyStarted("r1"), e.ReplyItemStarted("r1", "i1", e.ItemKind.MESSAGE))
    scene.audio("r1", "i1", 500)

    [latency] = of(scene.log, c.NoteLatency)
    assert latency.first_audio_ms == pytest.approx(600)


def test_the_silence_that_ended_a_turn_counts_into_its_latency() -> None:
    scene = Scene(dataclasses.replace(RULES, turn_silence_s=0.5))
    scene.connect()
    scene.speaks("u1")
    scene.now += 0.2
    scene.says("r1", "i1", 500)

    assert of(scene.log, c.NoteLatency)[0].first_audio_ms == pytest.approx(700)


def test_history_can_be_replayed_with_calls_and_outputs_paired_and_only_what_was_heard() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "What do I have?")
    scene.asks_for("get_balance", "{}", "c1", "r1")
    scene.do(e.ToolAnswered("c1", '{"balance": 5}', e.ToolOutcome.OK, 10))
    scene.says("r2", "i2", 1_000, "You have five euros in all.")
    scene.done("r2")
    scene.now += 0.5
    scene.do(e.Heard("i2", 500), e.SpeechStarted("u2", 0))
    scene.wait(0.3)

    asked, called, said = scene.call.history.entries()
    assert isinstance(asked, Said)
    assert asked.text == "What do I have?"
    assert isinstance(called, Called)
    assert called.output == '{"balance": 5}'
    assert isinstance(said, Said)
    assert said.heard_text == "You have five"


def test_nothing_follows_once_the_call_has_ended() -> None:
    scene = Scene(Rules())
    scene.connect()
    scene.do(e.CallerLeft("hung_up"))

    assert scene.do(e.CallerTyped("t1", "Still there?")) == []


# -- words with their times ---------------------------------------------------------------------


def test_where_the_service_times_its_words_what_was_heard_is_known_to_the_word() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 2_000, "Wait a moment, please, it is coming.")
    for word, ends_ms in (("Wait", 900), ("a", 1_000), ("moment,", 1_300), ("please,", 1_900)):
        scene.do(e.WordTimed("i1", word, ends_ms))
    scene.wait(1)
    scene.do(e.Heard("i1", 1_000), e.SpeechStarted("u1", 0))

    scene.wait(0.3)

    [said] = [x for x in scene.call.history.entries() if isinstance(x, Said) and x.text]
    assert said.heard_text == "Wait a"
    assert of(scene.log, c.NoteLine)[-1].heard_chars == len("Wait a")


def test_a_word_that_is_written_otherwise_hides_nothing_after_it() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 2_000, "One two three four.")
    for word, ends_ms in (("One", 300), ("deux", 600), ("three", 900)):
        scene.do(e.WordTimed("i1", word, ends_ms))
    scene.wait(1)
    scene.do(e.Heard("i1", 1_000), e.SpeechStarted("u1", 0))

    scene.wait(0.3)

    assert of(scene.log, c.NoteLine)[-1].heard_chars == len("One two three")
