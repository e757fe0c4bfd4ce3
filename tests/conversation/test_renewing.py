"""Sessions are renewed, calls are not dropped."""

import dataclasses

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation import wording
from switchboard.conversation.earshot import KEPT_MS, LATELY_MS, PADDING_MS
from switchboard.conversation.renewing import MAX_LOSSES
from switchboard.conversation.replay import MAX_COMMANDS
from switchboard.model.config import ModelConfig
from tests.conversation.scene import RULES, Scene, of, requests

MESSAGE = e.ItemKind.MESSAGE
RETOLD = c.AddCallerText | c.AddAgentText | c.AddToolCall | c.AddToolOutput | c.AddNote


def retold(commands: list[c.Command]) -> list[c.Command]:
    """What a new session was told of the past, in order."""
    return [command for command in commands if isinstance(command, RETOLD)]


def talk(scene: Scene) -> None:
    """A question, a tool call and a spoken answer, all heard."""
    scene.connect()
    scene.speaks("u1", "What is my balance?")
    scene.asks_for("get_balance", "{}", "c1", "r1")
    [asked] = requests(scene.do(e.ToolAnswered("c1", '{"eur": 12}', e.ToolOutcome.OK, 5)))
    scene.says("r2", "i2", 1_000, "You have twelve euros.", asked.tag)
    scene.do(e.ReplyWords("r2", "i2", "You have twelve euros.", final=True))
    scene.done("r2")
    scene.wait(1)
    scene.do(e.Heard("i2", 1_000))


def test_a_new_session_is_told_everything_in_order() -> None:
    scene = Scene()
    talk(scene)

    assert c.DialModel() in scene.loses_the_model()
    out = scene.renews()

    assert retold(out) == [
        c.AddCallerText("u1", "What is my balance?"),
        c.AddToolCall("i_c1", "c1", "get_balance", "{}"),
        c.AddToolOutput("c1", '{"eur": 12}'),
        c.AddAgentText("i2", "You have twelve euros."),
    ]
    assert not requests(out), "everything had been answered"


def test_a_reply_that_broke_off_is_finished_with_one_apology() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "Tell me a story.")
    scene.says("r1", "i1", 800, "Once upon a")

    lost = scene.loses_the_model()
    [asked] = requests(scene.renews())

    assert asked.instructions == wording.RENEWED
    [line] = of(lost, c.NoteLine)
    assert (line.text, line.state) == ("Once upon a", c.LineState.FINAL)
    scene.says("r2", "i2", 500, "Sorry. A time", asked.tag)
    scene.do(e.ReplyWords("r2", "i2", "Sorry. A time.", final=True))
    assert not requests(scene.done("r2"))


def test_a_reply_that_was_lost_unheard_is_asked_for_again_without_a_word() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "What is my balance?")
    scene.do(e.ReplyStarted("r1"))

    scene.loses_the_model()
    [asked] = requests(scene.renews())

    assert asked.instructions is None


def test_a_request_that_nobody_took_is_made_again() -> None:
    scene = Scene(dataclasses.replace(RULES, greeting="Welcome."))
    [first] = requests(scene.connect())

    scene.loses_the_model()
    [again] = requests(scene.renews())

    assert again.instructions == first.instructions
    assert again.tag != first.tag


def test_a_caller_who_had_stopped_the_agent_is_not_told_of_the_loss() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 2_000)
    scene.do(e.CallerTyped("t1", "Stop."))
    scene.wait(0.3)

    scene.loses_the_model()
    [asked] = requests(scene.renews())

    assert asked.instructions is None


def test_what_was_not_heard_is_not_retold() -> None:
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 2_000, "one two three four five six seven eight")
    scene.wait(1)
    scene.do(e.Heard("i1", 1_000), e.SpeechStarted("u1", 0))
    scene.wait(0.3)
    scene.done("r1", e.ReplyStatus.CANCELLED)

    scene.loses_the_model()

    assert c.AddAgentText("i1", "one two three four") in scene.renews()


def test_a_retold_message_is_cut_by_telling_it_again() -> None:
    """The new session has it as text: there is no sound in it to truncate."""
    scene = Scene()
    scene.connect()
    scene.says("r1", "i1", 2_000, "one two three four five six seven eight")
    scene.done("r1")
    scene.loses_the_model()
    assert c.AddAgentText("i1", "one two three four five six seven eight") in scene.renews()

    scene.wait(1)
    scene.do(e.Heard("i1", 1_000))
    out = scene.do(e.SpeechStarted("u1", 0)) + scene.wait(0.3)

    assert not of(out, c.TruncateItem)
    assert [x for x in out if isinstance(x, c.DeleteItem | c.AddAgentText)] == [
        c.DeleteItem("i1"),
        c.AddAgentText("i1_heard", "one two three four"),
    ]


# -- tools --------------------------------------------------------------------------------------


def test_a_tool_goes_on_running_and_its_result_comes_as_a_message() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "What is my balance?")
    scene.asks_for("get_balance", "{}", "c1", "r1")

    scene.loses_the_model()
    out = scene.renews()
    assert c.AddToolOutput("c1", wording.STILL_RUNNING) in out
    assert not requests(out)
    out = scene.do(e.ToolAnswered("c1", '{"eur": 12}', e.ToolOutcome.OK, 5))

    [note] = of(out, c.AddNote)
    assert '{"eur": 12}' in note.text
    assert not of(out, c.AddToolOutput)
    assert requests(out), "it is spoken of"


def test_a_result_that_comes_while_there_is_no_model_is_told_as_a_pair() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "What is my balance?")
    scene.asks_for("get_balance", "{}", "c1", "r1")
    scene.loses_the_model()

    assert not of(
        scene.do(e.ToolAnswered("c1", '{"eur": 12}', e.ToolOutcome.OK, 5)), c.AddToolOutput
    )
    out = scene.renews()

    at = out.index(c.AddToolCall("i_c1", "c1", "get_balance", "{}"))
    assert out[at + 1] == c.AddToolOutput("c1", '{"eur": 12}')
    assert len(requests(out)) == 1


def test_a_late_result_is_a_pair_again_for_the_session_after_next() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("get_balance", "{}", "c1", "r1")
    scene.loses_the_model()
    scene.renews()
    scene.do(e.ToolAnswered("c1", '{"eur": 12}', e.ToolOutcome.OK, 5))

    scene.loses_the_model()
    out = scene.renews()

    assert of(out, c.AddToolOutput) == [c.AddToolOutput("c1", '{"eur": 12}')]
    assert not of(out, c.AddNote)


def test_a_consent_asked_before_the_loss_may_be_given_after_it() -> None:
    scene = Scene()
    scene.connect()
    scene.asks_for("block_card", '{"card": "1"}', "c1", "r1")
    scene.says("r2", "i2", 500, tag=requests(scene.log)[-1].tag)
    scene.done("r2")
    scene.do(e.Heard("i2", 500))

    scene.loses_the_model()
    scene.renews()
    scene.speaks("u2", "Yes, go ahead.")

    assert of(scene.asks_for("block_card", '{"card": "1"}', "c2", "r3"), c.RunTool)


# -- the caller's own words ---------------------------------------------------------------------


def test_a_turn_cut_by_the_loss_is_heard_again_from_its_beginning() -> None:
    scene = Scene()
    scene.connect()
    scene.call.gate.caller(5_000)
    scene.do(e.SpeechStarted("u1", 4_000))
    scene.call.gate.caller(1_000)

    scene.loses_the_model()
    scene.call.gate.caller(500)
    [again] = of(scene.renews(), c.ResendAudio)

    assert again.from_ms == 4_000 - PADDING_MS


def test_a_turn_heard_twice_is_one_line() -> None:
    scene = Scene()
    scene.connect()
    scene.call.gate.caller(5_000)
    scene.do(e.SpeechStarted("u1", 4_000), e.CallerWords("u1", "What is", final=False))
    scene.loses_the_model()
    scene.renews()

    scene.do(e.SpeechStarted("x9", 100), e.SpeechStopped("x9", 900), e.TurnCommitted("x9"))
    out = scene.do(e.CallerWords("x9", "What is my balance?", final=True))

    [line] = of(out, c.NoteLine)
    assert (line.item_id, line.text) == ("u1", "What is my balance?")
    assert {note.item_id for note in of(scene.log, c.NoteLine)} == {"u1"}


def test_a_turn_whose_words_are_known_is_not_heard_twice() -> None:
    scene = Scene()
    scene.connect()
    scene.call.gate.caller(5_000)
    scene.do(e.SpeechStarted("u1", 1_000))
    scene.do(e.SpeechStopped("u1", 4_900), e.TurnCommitted("u1"))
    scene.do(e.CallerWords("u1", "What is my balance?", final=True))

    scene.loses_the_model()
    out = scene.renews()

    assert of(out, c.ResendAudio) == [c.ResendAudio(4_900)]
    assert of(out, c.AddCallerText) == [c.AddCallerText("u1", "What is my balance?")]
    assert len(requests(out)) == 1, "the service owed an answer"


def test_speech_that_may_just_have_begun_is_heard_again() -> None:
    scene = Scene()
    scene.connect()
    scene.call.gate.caller(60_000)

    scene.loses_the_model()

    assert of(scene.renews(), c.ResendAudio) == [c.ResendAudio(60_000 - LATELY_MS)]


def test_an_answered_turn_without_words_is_replayed_from_its_sound() -> None:
    scene = Scene()
    scene.connect()
    scene.call.gate.caller(3_000)
    scene.do(e.SpeechStarted("u1", 1_000), e.SpeechStopped("u1", 2_500), e.TurnCommitted("u1"))
    scene.says("r1", "i1", 500)
    scene.done("r1")

    scene.loses_the_model()
    [turn] = of(scene.renews(), c.ReplayTurn)

    assert turn == c.ReplayTurn("u1", 1_000 - PADDING_MS, 2_500)


def test_a_turn_too_long_ago_for_its_sound_leaves_a_mark() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.SpeechStarted("u1", 0), e.SpeechStopped("u1", 900), e.TurnCommitted("u1"))
    scene.says("r1", "i1", 500)
    scene.done("r1")
    scene.call.gate.caller(2 * KEPT_MS)
    scene.do(e.SpeechStarted("u2", 2 * KEPT_MS))

    scene.loses_the_model()

    assert c.AddCallerText("u1", wording.UNKNOWN_WORDS) in scene.renews()


def test_latency_is_measured_on_the_new_sessions_own_clock() -> None:
    scene = Scene()
    scene.connect()
    scene.call.gate.caller(60_000)
    scene.loses_the_model()
    scene.renews()  # hears the last 600 ms

    scene.call.gate.caller(2_000)
    scene.do(e.SpeechStarted("u1", 500), e.SpeechStopped("u1", 2_400), e.ReplyStarted("r1"))
    scene.wait(0.3)
    scene.audio("r1", "i1", 100)

    [latency] = of(scene.log, c.NoteLatency)
    assert latency.first_audio_ms == pytest.approx(500)


# -- the rest of the call -----------------------------------------------------------------------


def test_what_is_typed_while_there_is_no_model_is_answered_by_the_next() -> None:
    scene = Scene()
    talk(scene)
    scene.loses_the_model()

    assert not of(scene.do(e.CallerTyped("t1", "Hello?")), c.AddCallerText)
    out = scene.renews()

    assert retold(out)[-1] == c.AddCallerText("t1", "Hello?")
    assert len(requests(out)) == 1


def test_a_session_that_only_lost_sight_of_us_is_told_no_more_than_it_missed() -> None:
    scene = Scene()
    talk(scene)
    scene.says("r3", "i3", 500)
    scene.loses_the_model()
    scene.do(e.CallerTyped("t1", "Hello?"))

    out = scene.renews(resumed=True) + scene.wait(0.3)

    assert retold(out) == [c.AddCallerText("t1", "Hello?")]
    assert not of(out, c.ResendAudio)
    assert [asked.instructions for asked in requests(out)] == [None]


def test_what_was_on_the_line_when_it_was_lost_is_told_again() -> None:
    scene = Scene()
    talk(scene)
    [asked] = requests(scene.do(e.CallerTyped("t1", "Hello?")))

    scene.loses_the_model()
    [again] = requests(out := scene.renews(resumed=True))
    assert retold(out) == [c.AddCallerText("t1", "Hello?")]
    assert again.tag != asked.tag

    scene.loses_the_model()
    assert retold(scene.renews(resumed=True)) == [c.AddCallerText("t1", "Hello?")]


def test_what_a_session_has_answered_is_not_told_again() -> None:
    scene = Scene()
    talk(scene)
    [asked] = requests(scene.do(e.CallerTyped("t1", "Hello?")))
    scene.says("r3", "i3", 500, tag=asked.tag)
    scene.do(e.Whispered("Be kind."))

    scene.loses_the_model()
    [note] = retold(scene.renews(resumed=True))

    assert isinstance(note, c.AddNote)
    assert note.text == "Be kind."


def test_a_goodbye_that_broke_off_still_ends_the_call() -> None:
    scene = Scene()
    scene.connect()
    [asked] = requests(scene.do(e.EndRequested("operator", politely=True)))
    scene.says("r1", "i1", 500, "Good", asked.tag)

    scene.loses_the_model()
    scene.renews()
    scene.wait(0.6)
    scene.do(e.Heard("i1", 500))

    assert of(scene.log, c.EndCall) == [c.EndCall("operator")]


def test_a_long_past_is_told_in_short_and_its_end_in_full() -> None:
    scene = Scene(dataclasses.replace(RULES, replay_chars=200))
    scene.connect()
    for n in range(20):
        scene.do(e.CallerTyped(f"t{n}", f"Question {n}: " + "x" * 30))

    scene.loses_the_model()
    out = retold(scene.renews())

    assert isinstance(out[0], c.AddNote)
    assert "Question 0" in out[0].text
    assert [x.item_id for x in out[1:] if isinstance(x, c.AddCallerText)] == ["t18", "t19"]


# -- giving up ----------------------------------------------------------------------------------


def test_failed_dials_are_tried_again_for_a_while_and_not_for_ever() -> None:
    scene = Scene()
    scene.connect()
    scene.loses_the_model()

    dials = 1
    while not scene.call.ended:
        scene.do(e.DialFailed("out of quota", retryable=True))
        dials += len(of(scene.wait(2), c.DialModel))

    assert 8 <= dials <= 14
    assert of(scene.log, c.EndCall) == [c.EndCall("model_lost:out of quota")]


def test_a_refusal_for_good_ends_the_call_at_once() -> None:
    scene = Scene()
    scene.connect()

    assert c.EndCall("model_lost:1008") in scene.do(e.ModelLost("1008", retryable=False))


def test_the_first_dial_that_fails_ends_the_call() -> None:
    scene = Scene()
    scene.do(e.CallerJoined())

    out = scene.do(e.DialFailed("no such deployment", retryable=False))

    assert out[-1] == c.EndCall("model_lost:no such deployment")


def test_sessions_that_break_one_after_another_without_a_reply_end_the_call() -> None:
    scene = Scene()
    scene.connect()

    for _ in range(MAX_LOSSES):
        scene.loses_the_model()
        scene.renews()
    assert not scene.call.ended
    scene.loses_the_model()

    assert scene.call.ended


def test_a_reply_between_two_losses_starts_the_count_anew() -> None:
    scene = Scene()
    scene.connect()

    for n in range(3 * MAX_LOSSES):
        scene.loses_the_model()
        scene.renews()
        scene.says(f"r{n}", f"i{n}", 100)
        scene.done(f"r{n}")

    assert not scene.call.ended


# -- a session that is about to end -------------------------------------------------------------


def test_a_session_about_to_end_is_replaced_at_the_next_pause() -> None:
    scene = Scene(dataclasses.replace(RULES, silence_s=10_000))
    talk(scene)
    scene.do(e.SessionEnds(scene.now + 1_000))
    scene.says("r3", "i3", 500)
    assert not of(scene.wait(945), c.DialModel), "the agent speaks"
    scene.do(e.Heard("i3", 500))

    assert c.DialModel() in scene.done("r3")
    out = scene.renews()

    assert of(out, c.AddAgentText)
    assert not requests(out)
    assert not [note for note in of(scene.log, c.NoteNotice) if note.code == "renewing"]


def test_without_a_pause_it_is_replaced_just_before_its_end() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.SessionEnds(scene.now + 100))
    scene.do(e.SpeechStarted("u1", 0))

    waited = 0
    while not of(scene.log, c.DialModel):
        scene.call.gate.caller(1_000)
        scene.wait(1)
        waited += 1

    assert 94 <= waited < 100


def test_a_replacement_that_could_not_be_had_is_tried_for_again_while_the_old_one_serves() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.SessionEnds(scene.now + 10))
    scene.wait(8.1)
    scene.do(e.DialFailed("out of quota", retryable=True))

    assert of(scene.wait(0.3), c.DialModel)
    assert scene.call.ready


def test_a_loss_while_a_replacement_is_dialled_waits_for_that_one() -> None:
    scene = Scene()
    scene.connect()
    scene.do(e.SessionEnds(scene.now + 10))
    assert of(scene.wait(8.1), c.DialModel)

    assert not of(scene.loses_the_model(), c.DialModel)
    scene.renews()

    assert scene.call.ready


# -- over WebRTC, where the voices go with the session -------------------------------------------

RTC = dataclasses.replace(RULES, service_plays=True)


def test_what_the_service_was_playing_when_its_media_broke_is_cut_and_finished() -> None:
    scene = Scene(RTC)
    scene.connect()
    scene.says("r1", "i1", 0, "one two three four five six seven eight nine ten")
    scene.do(e.PlayoutStarted("r1"))
    scene.done("r1")
    scene.wait(1)

    scene.loses_the_model()
    scene.wait(0.5)
    out = scene.renews()

    assert c.AddAgentText("i1", "one two three") in out
    assert [asked.instructions for asked in requests(out)] == [wording.RENEWED]


def test_a_caller_whose_words_went_with_the_media_is_asked_for_them_again() -> None:
    scene = Scene(RTC)
    scene.connect()
    scene.do(e.SpeechStarted("u1", 4_000))

    scene.loses_the_model()
    out = scene.renews()

    assert [asked.instructions for asked in requests(out)] == [wording.SAY_AGAIN]


def test_media_that_live_on_beside_a_lost_sideband_are_not_spoken_of() -> None:
    scene = Scene(RTC)
    scene.connect()
    scene.says("r1", "i1", 0, "one two three four five six seven eight nine ten")
    scene.do(e.PlayoutStarted("r1"))

    scene.loses_the_model()
    out = scene.renews(resumed=True)

    assert not requests(out)
    assert not retold(out)
    assert not of(scene.log, c.NoteNotice)


def test_a_caller_is_told_once_of_a_loss_that_the_voices_shared() -> None:
    scene = Scene(RTC)
    scene.connect()

    scene.loses_the_model()
    scene.do(e.DialFailed("out of quota", retryable=True))
    assert [note.code for note in of(scene.log, c.NoteNotice)] == ["renewing"]
    scene.wait(0.3)
    scene.renews()

    assert [note.code for note in of(scene.log, c.NoteNotice)] == ["renewing"]


# -- what a review found -------------------------------------------------------------------------

QUIET = dataclasses.replace(RULES, silence_s=10_000)


def test_a_long_call_of_short_turns_fits_into_the_queue_to_a_new_session() -> None:
    scene = Scene(dataclasses.replace(QUIET, max_call_s=36_000))
    scene.connect()
    for n in range(140):
        scene.do(e.CallerTyped(f"t{n}", f"A short question, number {n}."))
        tag = requests(scene.log)[-1].tag
        scene.do(e.ReplyStarted(f"r{n}", tag), e.ReplyItemStarted(f"r{n}", f"i{n}", MESSAGE))
        scene.do(e.ReplyWords(f"r{n}", f"i{n}", f"Answer {n}.", final=True, spoken=False))
        scene.done(f"r{n}")

    scene.loses_the_model()
    told = [x for x in scene.renews() if isinstance(x, c.MODEL_COMMANDS)]

    assert len(told) <= MAX_COMMANDS + 1 < ModelConfig("").command_limit // 2
    assert isinstance(told[0], c.AddNote)
    assert told[-1] == c.AddAgentText("i139", "Answer 139.")


def test_what_is_said_while_there_is_no_session_is_heard_by_the_next() -> None:
    scene = Scene()
    scene.connect()
    scene.call.gate.caller(60_000)
    scene.loses_the_model()
    scene.call.gate.caller(3_000)

    assert of(scene.renews(), c.ResendAudio) == [c.ResendAudio(60_000 - LATELY_MS)]


def test_a_turn_outlives_two_losses_in_a_row() -> None:
    scene = Scene()
    scene.connect()
    scene.call.gate.caller(5_000)
    scene.do(e.SpeechStarted("u1", 1_000), e.SpeechStopped("u1", 4_000), e.TurnCommitted("u1"))

    for _ in range(2):
        scene.loses_the_model()
        out = scene.renews()
        assert of(out, c.ResendAudio) == [c.ResendAudio(1_000 - PADDING_MS)]
        assert not of(out, c.AddCallerText)


def test_a_noise_that_nobody_answered_swallows_no_later_turn() -> None:
    scene = Scene(QUIET)
    scene.connect()
    scene.call.gate.caller(1_000)
    scene.do(e.SpeechStarted("u1", 500), e.SpeechStopped("u1", 900), e.TurnCommitted("u1"))
    scene.do(e.CallerWordsFailed("u1"))
    scene.wait(300)
    scene.call.gate.caller(300_000)
    scene.loses_the_model()
    scene.renews()

    out = scene.do(e.SpeechStarted("x1", 300), e.CallerWords("x1", "Block my card.", final=True))

    assert {line.item_id for line in of(out, c.NoteLine)} == {"x1"}


def test_words_of_a_reply_of_which_no_sound_came_were_never_said() -> None:
    scene = Scene()
    scene.connect()
    scene.speaks("u1", "What is my balance?")
    scene.do(e.ReplyStarted("r1"), e.ReplyItemStarted("r1", "i1", MESSAGE))
    scene.do(e.ReplyWords("r1", "i1", "Your balance is twelve", final=False))

    [line] = of(scene.loses_the_model(), c.NoteLine)[-1:]
    out = scene.renews()

    assert (line.state, line.heard_chars) == (c.LineState.CUT, 0)
    assert not of(out, c.AddAgentText)
    assert len(requests(out)) == 1


def test_a_reply_of_ours_that_goes_on_without_us_is_not_asked_for_twice() -> None:
    scene = Scene(dataclasses.replace(RTC, greeting="Welcome."))
    [asked] = requests(scene.connect())
    scene.do(e.ReplyStarted("r1", asked.tag), e.ReplyItemStarted("r1", "i1", MESSAGE))

    scene.loses_the_model()

    assert not requests(scene.renews(resumed=True))
    assert not requests(scene.wait(10)), "nor when its end was missed"


def test_a_request_that_was_lost_in_the_gap_is_made_again_after_a_while() -> None:
    scene = Scene(dataclasses.replace(RTC, greeting="Welcome."))
    [asked] = requests(scene.connect())

    scene.loses_the_model()
    assert not requests(scene.renews(resumed=True))

    [again] = requests(scene.wait(10))
    assert again.instructions == asked.instructions


def test_a_reply_that_went_on_can_still_be_silenced() -> None:
    scene = Scene(RTC)
    scene.connect()
    scene.says("r1", "i1", 0, "one two three four")
    scene.do(e.PlayoutStarted("r1"))
    scene.loses_the_model()
    scene.renews(resumed=True)

    assert c.CancelReply("r1") in scene.do(e.CallerTyped("t1", "Stop."))


def test_a_held_call_has_not_finished_but_is_asked_about_again() -> None:
    scene = Scene(QUIET)
    scene.connect()
    scene.asks_for("block_card", '{"card": "1"}', "c1", "r1")
    scene.says("r2", "i2", 500, tag=requests(scene.log)[-1].tag)
    scene.done("r2")
    scene.do(e.Heard("i2", 500))
    scene.do(e.SpeechStarted("u2", 0), e.SpeechStopped("u2", 400), e.TurnCommitted("u2"))
    scene.asks_for("block_card", '{"card": "1"}', "c2", "r3")  # held: the words are not known

    scene.loses_the_model()
    [output] = [x for x in of(scene.renews(), c.AddToolOutput) if x.call_id == "c2"]

    assert '"confirm"' in output.output
    assert not of(scene.wait(4), c.AddNote)
    assert not of(scene.log, c.RunTool)


def test_a_session_whose_end_is_in_the_past_is_left_alone() -> None:
    scene = Scene(QUIET)
    scene.connect()
    scene.do(e.SessionEnds(scene.now - 30))

    assert not of(scene.wait(60), c.DialModel)


def test_a_replacement_that_is_tried_for_again_waits_for_a_pause_too() -> None:
    scene = Scene(QUIET)
    scene.connect()
    scene.do(e.SessionEnds(scene.now + 300))
    assert of(scene.wait(241), c.DialModel)
    scene.says("r1", "i1", 1_000)
    scene.do(e.DialFailed("out of quota", retryable=True))

    assert not of(scene.wait(1), c.DialModel)
    assert not scene.call.may_switch


def test_a_dial_that_hangs_keeps_nobody_waiting_for_ever() -> None:
    scene = Scene(QUIET)
    scene.connect()
    scene.loses_the_model()

    scene.wait(QUIET.renew_s + 1)

    assert scene.call.ended


def test_one_apology_is_enough_when_both_sides_were_lost() -> None:
    scene = Scene(QUIET)
    scene.connect()
    scene.says("r1", "i1", 2_000, "one two three four five")
    scene.loses_the_model()
    scene.do(e.CallerAway())
    scene.wait(0.5)
    scene.renews()
    [asked] = requests(scene.do(e.CallerJoined()))
    scene.says("r2", "i2", 500, "Sorry, I am here again.", asked.tag)

    assert not requests(scene.done("r2"))


def test_results_that_are_to_be_spoken_of_are_told_whole_however_long() -> None:
    scene = Scene(QUIET)
    scene.connect()
    scene.speaks("u1", "Compare my accounts.")
    for call in ("c1", "c2"):
        scene.do(e.ToolRequested("r1", f"f_{call}", call, "get_balance", f'{{"a": "{call}"}}'))
    scene.loses_the_model()
    for call in ("c1", "c2"):
        scene.do(e.ToolAnswered(call, '"' + "x" * 13_000 + '"', e.ToolOutcome.OK, 5))

    out = scene.renews()

    assert {output.call_id for output in of(out, c.AddToolOutput)} == {"c1", "c2"}


def test_a_line_that_nobody_hears_again_is_finished() -> None:
    scene = Scene(QUIET)
    scene.connect()
    scene.call.gate.caller(5_000)
    scene.do(e.SpeechStarted("u1", 4_000), e.CallerWords("u1", "What is", final=False))
    scene.loses_the_model()
    scene.renews()
    scene.call.gate.caller(20_000)

    scene.do(e.SpeechStarted("x9", 19_000))

    [last] = [line for line in of(scene.log, c.NoteLine) if line.item_id == "u1"][-1:]
    assert (last.text, last.state) == ("What is", c.LineState.FINAL)
