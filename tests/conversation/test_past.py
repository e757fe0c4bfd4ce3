"""A call that another server carried goes on: told again, with one apology and no greeting."""

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation import wording
from switchboard.conversation.core import Conversation
from switchboard.conversation.past import Past
from switchboard.conversation.rules import Recording, Rules
from tests.conversation.scene import RULES, Scene

HELLO = c.NoteLine("i1", c.Speaker.AGENT, "Hello, this is Iris.", c.LineState.CUT, 0.0, 5)
ASKED = c.NoteLine("i2", c.Speaker.CALLER, "Is my card blocked?", c.LineState.FINAL, 2_000.0)
ANSWER = c.NoteLine("i3", c.Speaker.AGENT, "One mom", c.LineState.PARTIAL, 5_000.0)
FOUND = c.NoteTool("t1", "get_balance", "{}", c.ToolState.DONE, 3_000.0, '{"usd": 5}', 80.0)
RUNS = c.NoteTool("t2", "get_balance", "{}", c.ToolState.RUNNING, 4_000.0)
ASKS = c.NoteTool("t3", "block_card", '{"card": 1}', c.ToolState.ASKING, 4_500.0)
PAST = Past(60.0, [HELLO, ASKED, ANSWER], [FOUND, RUNS, ASKS], cost_usd=0.25)


def goes_on(past: Past = PAST, rules: Rules = RULES) -> Scene:
    scene = Scene(rules)
    scene.call = Conversation(rules, scene.now, past)
    return scene


def both(scene: Scene) -> list[c.Command]:
    return scene.do(e.CallerJoined(), e.ModelReady("s1"))


def test_the_model_is_told_what_was_heard_said_and_done_in_that_order() -> None:
    told = [each for each in both(goes_on()) if isinstance(each, c.MODEL_COMMANDS)]
    assert told[:3] == [
        c.AddAgentText("i1", "Hello"),
        c.AddCallerText("i2", "Is my card blocked?"),
        c.AddToolCall("tool_1", "t1", "get_balance", "{}"),
    ]
    outputs = [each.output for each in told if isinstance(each, c.AddToolOutput)]
    assert outputs == ['{"usd": 5}', wording.LOST_TOOL, wording.NOT_ASKED]
    assert c.AddAgentText("i3", "One mom") in told


def test_it_apologises_once_and_greets_nobody() -> None:
    scene = goes_on(rules=Rules(greeting="Welcome."))
    both(scene)
    asked = [each for each in scene.log if isinstance(each, c.RequestReply)]
    assert [each.instructions for each in asked] == [wording.CARRIED_ON]
    scene.do(e.ReplyStarted("r1", asked[0].tag), e.ReplyDone("r1", e.ReplyStatus.COMPLETED))
    scene.do(e.CallerAway(), e.CallerJoined())
    assert len([each for each in scene.log if isinstance(each, c.RequestReply)]) == 1


def test_nor_does_it_where_the_caller_speaks_first() -> None:
    scene = goes_on()
    scene.do(e.CallerJoined(), e.SpeechStarted("i9", 100), e.ModelReady("s1"))
    assert not [each for each in scene.log if isinstance(each, c.RequestReply)]


def test_what_was_left_open_is_said_to_have_ended_there() -> None:
    notes = both(goes_on())
    assert c.NoteLine("i3", c.Speaker.AGENT, "One mom", c.LineState.FINAL, 5_000.0) in notes
    tools = {each.call_id: each.state for each in notes if isinstance(each, c.NoteTool)}
    assert tools == {"t2": c.ToolState.ABANDONED, "t3": c.ToolState.ABANDONED}


def test_time_and_money_go_on_where_they_were() -> None:
    scene = goes_on(rules=Rules(max_call_s=100.0, warn_before_s=0.0))
    both(scene)
    assert scene.timers["limit"] == scene.now + 40.0
    assert scene.call.cost_usd == 0.25
    line = [
        each
        for each in scene.do(e.CallerTyped("typed_1", "Hello?"))
        if isinstance(each, c.NoteLine)
    ]
    assert line[0].began_ms == 60_000.0


def test_a_first_dial_that_fails_is_tried_again() -> None:
    scene = goes_on()
    scene.do(e.CallerJoined(), e.DialFailed("503", retryable=True))
    assert not scene.call.ended
    assert c.DialModel() in scene.wait(1.0)


def test_a_recording_that_goes_on_is_known_and_one_that_never_began_is_announced() -> None:
    rules = Rules(recording=Recording("This call is recorded."))
    going_on = goes_on(Past(5.0, recorded=True), rules)
    both(going_on)
    asked = [each for each in going_on.log if isinstance(each, c.RequestReply)]
    assert [each.instructions for each in asked] == [wording.CARRIED_ON]
    unknown = goes_on(Past(5.0, recorded=None), rules)
    both(unknown)
    [first] = [each for each in unknown.log if isinstance(each, c.RequestReply)]
    unknown.do(e.ReplyStarted("r1", first.tag), e.ReplyDone("r1", e.ReplyStatus.COMPLETED))
    assert "This call is recorded." in str(unknown.log)
