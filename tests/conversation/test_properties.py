"""Whatever the service, the caller and the clock do, in whatever order: these things hold."""

import dataclasses
import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.consent import judge
from switchboard.conversation.gate import Passage
from switchboard.conversation.history import Called, heard_chars
from switchboard.conversation.rules import Human, Recording
from switchboard.conversation.toolcalls import canonical, fill
from tests.conversation.scene import RULES, Scene

REPLIES = st.sampled_from(["r1", "r2", "r3", "r4"])
ITEMS = st.sampled_from(["i1", "i2", "i3", "i4", "i5"])
CALLS = st.sampled_from(["c1", "c2", "c3", "c4", "c5", "c6"])
TURNS = st.sampled_from(["u1", "u2", "u3"])
WORDS = st.sampled_from(["Yes.", "No.", "What?", "Tell me more.", ""])
ARGUMENTS = st.sampled_from(["{}", '{"card": "1"}', '{"card":"1"}', "not json"])
TOOLS = st.sampled_from(["get_balance", "block_card", "end_call", "no_such_tool"])
HUMANS = st.sampled_from(['{"human": "support", "reason": "a refund"}', '{"human": "mars"}', "{}"])


class AnyCall(RuleBasedStateMachine):
    """A hostile service, a hostile page and a hostile clock around one conversation."""

    held_by = RULES

    @initialize()
    def connect(self) -> None:
        self.scene = Scene(self.held_by, watch=self._take)
        self.unanswered: list[str] = []
        self.ours: set[str] = set()
        self.known: dict[str, str] = {}
        self.silenced: set[str] = set()
        self.received: Counter[str] = Counter()
        self.claimed: dict[str, float] = {}
        self.requested: set[str] = set()
        self.outputs: Counter[str] = Counter()
        self.abandoned: set[str] = set()
        self.over = False
        self.cards: dict[str, str] = {}
        self.running = ""
        self.dialled = False
        self.scene.connect()

    # -- what may happen ------------------------------------------------------------------------

    @rule(reply=REPLIES, ours=st.booleans(), out_of_band=st.booleans())
    def reply_starts(self, reply: str, ours: bool, out_of_band: bool) -> None:
        if reply in self.known:
            return  # ids are unique on every service
        tag = self.unanswered.pop(0) if ours and self.unanswered else None
        self.known[reply] = tag or ""
        if not self.over:
            self._do(e.ReplyStarted(reply, tag, out_of_band and tag is None))

    @rule(reply=REPLIES, item=ITEMS, kind=st.sampled_from(e.ItemKind))
    def item_starts(self, reply: str, item: str, kind: e.ItemKind) -> None:
        self._do(e.ReplyItemStarted(reply, item, kind))

    @rule(reply=REPLIES, item=ITEMS, ms=st.integers(1, 3_000))
    def audio(self, reply: str, item: str, ms: int) -> None:
        passage = self.scene.audio(reply, item, ms)
        if passage is not Passage.REFUSED:
            assert reply not in self.silenced, "audio of a cancelled reply left"
            self.received[item] += ms

    @rule(reply=REPLIES, item=ITEMS, text=st.text(max_size=20), final=st.booleans())
    def words(self, reply: str, item: str, text: str, final: bool) -> None:
        self._do(e.ReplyWords(reply, item, text, final))

    @rule(reply=REPLIES, status=st.sampled_from(e.ReplyStatus))
    def reply_ends(self, reply: str, status: e.ReplyStatus) -> None:
        self.ours.discard(self.known.get(reply) or "-")
        self._do(e.ReplyDone(reply, status))

    @rule(code=st.sampled_from(["conversation_already_has_active_response", "other"]))
    def request_refused(self, code: str) -> None:
        if self.unanswered:
            tag = self.unanswered.pop(0)
            self.ours.discard(tag)
            self._do(e.ModelRefused(code, "no", tag))

    @rule(reply=REPLIES, call=CALLS, name=TOOLS, arguments=ARGUMENTS)
    def tool(self, reply: str, call: str, name: str, arguments: str) -> None:
        if call in self.requested and name == "end_call":
            return
        if not self.over:
            self.requested.add(call)
        self._do(e.ToolRequested(reply, f"f_{call}", call, name, arguments))

    @rule(call=CALLS)
    def tool_answers(self, call: str) -> None:
        self._do(e.ToolAnswered(call, "{}", e.ToolOutcome.OK, 1))

    @rule(turn=TURNS)
    def caller_starts(self, turn: str) -> None:
        if not self.over:
            self.silenced |= set(self.known)
        self._do(e.SpeechStarted(turn, 0))

    @rule(turn=TURNS, words=WORDS)
    def caller_stops(self, turn: str, words: str) -> None:
        self._do(e.SpeechStopped(turn, 0), e.TurnCommitted(turn), e.CallerWords(turn, words, True))

    @rule(text=WORDS)
    def caller_types(self, text: str) -> None:
        self._do(e.CallerTyped("t", text))

    @rule(key=st.sampled_from("12#"))
    def caller_keys(self, key: str) -> None:
        self._do(e.CallerPressed(key))

    @rule(call=CALLS, agreed=st.booleans())
    def button(self, call: str, agreed: bool) -> None:
        self._do(e.CallerDecided(call, agreed))

    @rule(item=ITEMS, ms=st.floats(0, 1e7))
    def heard(self, item: str, ms: float) -> None:
        self.claimed[item] = max(self.claimed.get(item, 0), ms)
        self._do(e.Heard(item, ms))

    @rule()
    def caller_lost_and_back(self) -> None:
        if not self.over:
            self.silenced |= set(self.known)
        self._do(e.CallerAway())
        self._do(e.CallerJoined())

    @rule(retryable=st.sampled_from([True, True, True, False]))
    def session_is_lost(self, retryable: bool) -> None:
        if self.scene.call.ready:
            self._session_over()
            self._do(e.ModelLost("1006", retryable))

    @rule(resumed=st.booleans())
    def session_is_renewed(self, resumed: bool) -> None:
        if self.dialled:
            self.dialled = False
            self._session_over()
            self._do(e.ModelReady("s2", resumed=resumed and not self.scene.call.ready))

    @rule(retryable=st.booleans())
    def dial_fails(self, retryable: bool) -> None:
        if self.dialled:
            self.dialled = False
            self._do(e.DialFailed("429", retryable))

    @rule(seconds=st.floats(1, 100))
    def session_will_end(self, seconds: float) -> None:
        if self.scene.call.ready:
            self._do(e.SessionEnds(self.scene.now + seconds))

    @rule(ms=st.integers(20, 5_000))
    def caller_is_heard(self, ms: int) -> None:
        self.scene.call.gate.caller(ms)

    @rule(seconds=st.sampled_from([0.05, 0.3, 2.0, 5.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.scene.wait(seconds)

    # -- what must hold -------------------------------------------------------------------------

    @invariant()
    def never_two_of_ours_in_flight(self) -> None:
        assert len(self.ours) <= 1, self.ours

    @invariant()
    def every_tool_call_is_answered_at_most_once(self) -> None:
        assert all(count == 1 for count in self.outputs.values()), self.outputs
        assert set(self.outputs) <= self.requested

    def teardown(self) -> None:
        if not hasattr(self, "scene"):
            return
        self._quiet_down()
        self._do(e.CallerLeft("over"))
        assert self.over
        # A call that ended without a model had nobody to tell; the history knows the answer.
        known = {
            entry.call_id
            for entry in self.scene.call.history.entries()
            if isinstance(entry, Called) and entry.output is not None
        }
        assert self.requested == known | self.abandoned

    def _quiet_down(self) -> None:
        """The service behaves again and nobody speaks: no call may hang on in silence."""
        self.scene.wait(3)  # a failed dial is tried again
        self.session_is_renewed(False)
        for call in [f"c{n}" for n in range(1, 7)]:
            self.tool_answers(call)
        for reply, tag in self.known.items():
            self.ours.discard(tag)
            self._do(e.ReplyDone(reply, e.ReplyStatus.COMPLETED))
        for _ in range(60):
            self.session_is_renewed(False)
            while self.unanswered:
                tag = self.unanswered.pop(0)
                self._do(e.ReplyStarted(f"quiet_{tag}", tag))
                self.ours.discard(tag)
                self._do(e.ReplyDone(f"quiet_{tag}", e.ReplyStatus.COMPLETED))
            self.scene.wait(10)
            self._line_answers()
        assert self.over, "a silent call never ended"

    def _line_answers(self) -> None:
        """Whatever the line is at ends in bounded time. Here nobody asks it anything."""

    def _session_over(self) -> None:
        """Nothing more comes of what was asked of this session, and its replies are dead."""
        self.ours.clear()
        self.unanswered.clear()
        self.silenced |= set(self.known)

    def _do(self, *events: e.Event) -> None:
        self.scene.do(*events)

    def _take(self, event: e.Event, commands: list[c.Command]) -> None:
        if event == e.TimerFired("asked"):
            # A request that nothing answered is given up: its reply may never come.
            self.ours -= set(self.unanswered)
            self.unanswered.clear()
        if isinstance(event, e.ModelReady):
            # A new session is told every output anew, once; one that lost sight of us, what may
            # have been lost on the way.
            self.outputs.clear()
        for command in commands:
            self._check(command)
            self._follow(command)

    def _check(self, command: c.Command) -> None:
        match command:
            case c.RequestReply(tag):
                self.ours.add(tag)
                self.unanswered.append(tag)
                assert len(self.ours) <= 1, "two of ours in flight"
            case c.TruncateItem(item, ms):
                assert 0 < ms <= self.received[item]
                assert ms <= self.claimed.get(item, 0)
            case _:
                pass

    def _follow(self, command: c.Command) -> None:
        match command:
            case c.AddToolOutput(call):
                self.outputs[call] += 1
            case c.RunTool(call):
                self.running = call
            case c.NoteTool(card, state=c.ToolState.RUNNING):
                self.cards[card] = self.running or card  # the line's own tools are not run
            case c.NoteTool(card, state=c.ToolState.ABANDONED):
                self.abandoned |= {card, self.cards.get(card, card)}
            case c.DialModel():
                assert not self.dialled, "two dials at once"
                self.dialled = True
            case c.AddToolCall(call_id=call):
                assert call in self.requested
            case c.StopPlayout():
                self.silenced |= set(self.known)
            case c.EndCall():
                self.over = True
            case _:
                pass


class AnyCallTheServicePlays(AnyCall):
    """The same over WebRTC, where the service plays to the ear and says what it likes of it."""

    held_by = dataclasses.replace(RULES, service_plays=True)

    @rule(reply=REPLIES)
    def playout_starts(self, reply: str) -> None:
        self._do(e.PlayoutStarted(reply))

    @rule(reply=REPLIES)
    def playout_stops(self, reply: str) -> None:
        self._do(e.PlayoutStopped(reply))

    @rule(reply=REPLIES)
    def playout_is_cleared(self, reply: str) -> None:
        self._do(e.PlayoutCleared(reply))

    @rule(item=ITEMS, ms=st.floats(0, 1e7))
    def item_is_truncated(self, item: str, ms: float) -> None:
        self._do(e.ItemTruncated(item, ms))

    def _check(self, command: c.Command) -> None:
        super()._check(command)
        assert not isinstance(command, c.TruncateItem | c.DeleteItem | c.StopPlayout), command
        if isinstance(command, c.NoteInterruption):
            assert 0 < command.heard_ms <= command.received_ms


class AnyCallByTelephone(AnyCall):
    """The same, with humans to whom the caller can be handed, and a line that does as it likes."""

    held_by = dataclasses.replace(
        RULES,
        transfer_tool="transfer_to_human",
        bring_in_tool="bring_in_human",
        humans={"support": Human("support", "+442079460123")},
    )

    @initialize()
    def connect(self) -> None:
        self.line: dict[str, bool] = {}
        """What the line is at, by tool call, and whether it is to hand over."""
        self.gone = False
        super().connect()

    @rule(call=CALLS, reply=REPLIES, warm=st.booleans(), arguments=HUMANS)
    def human_is_asked_for(self, call: str, reply: str, warm: bool, arguments: str) -> None:
        self.tool(reply, call, "bring_in_human" if warm else "transfer_to_human", arguments)

    @rule(call=CALLS, outcome=st.sampled_from(e.LineOutcome), apart=st.booleans())
    def line_tells(self, call: str, outcome: e.LineOutcome, apart: bool) -> None:
        """What it was asked, or was not."""
        self.line.pop(call, None)
        self._do(e.LineTold(call, outcome, apart))
        self.gone = self.gone and self.scene.call.gate.deaf

    @rule()
    def human_is_wanted(self) -> None:
        self._do(e.HumanWanted())

    @invariant()
    def nothing_is_heard_of_a_caller_who_is_gone(self) -> None:
        assert not self.gone or self.scene.call.gate.deaf

    def _quiet_down(self) -> None:
        self._line_answers()
        super()._quiet_down()

    def _line_answers(self) -> None:
        for call in list(self.line):
            self.line_tells(call, e.LineOutcome.BUSY, False)

    def _check(self, command: c.Command) -> None:
        super()._check(command)
        match command:
            case c.TransferCall(call) | c.RingHuman(call):
                assert not self.line, "two at once"
                assert call in self.requested
                self.line[call], self.gone = False, True
            case c.HandOver(call):
                assert not self.line
                self.line[call] = True
            case c.AddToolOutput() | c.NoteTool(state=c.ToolState.FAILED | c.ToolState.DONE):
                self.gone = self.scene.call.gate.deaf
            case c.RequestReply(instructions=words) if self.gone and self.scene.call.gate.deaf:
                assert words is not None, "a reply to nobody"
                assert "your colleague" in words
            case _:
                pass


class AnyCallOnATelephone(AnyCall):
    """The same by telephone, where keys may be private and the call recorded."""

    held_by = dataclasses.replace(
        RULES, private_tool="get_balance", recording=Recording("This call is recorded.")
    )

    hidden = open = recorded = False

    @rule()
    def a_hidden_key(self) -> None:
        self._do(e.CallerKeyed())

    @rule(state=st.sampled_from(e.RecordingState))
    def recording_changes(self, state: e.RecordingState) -> None:
        self.recorded = state is e.RecordingState.RUNNING
        self._do(e.RecordingChanged(state))

    def _follow(self, command: c.Command) -> None:
        super()._follow(command)
        match command:
            case c.Record(on=True):
                self.recorded = True
                assert not self.hidden
                assert any(ms > 0 for ms in self.claimed.values()), "recorded, and nothing heard"
            case c.HideKeys():
                assert not self.hidden
                self.hidden = True
            case c.OpenKeypad():
                assert self.hidden
                assert not self.open
                assert not self.recorded, "collected while it is recorded"
                self.open = True
            case c.CloseKeypad():
                self.open = self.hidden = False
            case _:
                pass

    @invariant()
    def nobody_is_left_unheard(self) -> None:
        """The model hears the caller unless the tool is at work."""
        assert not self.open or self.scene.call.private


class AnyCallTakenOver(AnyCallByTelephone):
    """The same, while operators come and go, and wishes for them ring."""

    held_by = dataclasses.replace(
        AnyCallByTelephone.held_by,
        taken_over="A colleague is here.",
        humans={
            "support": Human("support", "+442079460123"),
            "operator": Human("operator", "console"),
        },
    )
    ringing = False

    @rule()
    def operator_takes_over(self) -> None:
        if self.scene.call.not_taken_over is None and not self.over:
            self.silenced |= set(self.known)
        self._do(e.TakenOver("Ada"))

    @rule()
    def operator_is_lost(self) -> None:
        self._do(e.OperatorAway())

    @rule()
    def operator_hands_back(self) -> None:
        self._do(e.HandedBack("All is well."))

    @rule(name=st.sampled_from(["support", "operator", "mars"]))
    def operator_orders_a_human(self, name: str) -> None:
        self._do(e.HumanOrdered(name))

    @rule(text=WORDS)
    def operator_tells(self, text: str) -> None:
        self._do(e.Whispered(text), e.Dictated(text))

    @rule(withdrawn=st.booleans())
    def wish_is_over(self, withdrawn: bool) -> None:
        self._do(e.WishWithdrawn() if withdrawn else e.WishMissed())

    @invariant()
    def the_mouth_is_open_only_for_whoever_has_the_call(self) -> None:
        call = self.scene.call
        assert not call.mouth_open or (call.taken and not call.gate.open_replies)

    def _quiet_down(self) -> None:
        self._do(e.HandedBack())
        super()._quiet_down()

    def _check(self, command: c.Command) -> None:
        match command:
            case c.TransferCall(call) | c.RingHuman(call) if call.startswith("order"):
                assert not self.line, "two at once"
                self.line[call], self.gone = False, True
                return
            case c.RequestReply(instructions=words) if self.scene.call.taken and not self.gone:
                assert words is not None, "a reply while an operator speaks"
                assert "A colleague is here." in words
            case c.NoteNotice("not_handed"):
                self.gone = self.scene.call.gate.deaf
            case c.NoteWish(state):
                assert (state is c.WishState.RINGING) is not self.ringing
                self.ringing = not self.ringing
            case _:
                pass
        super()._check(command)


class AnyCallWithHumansAndKeys(AnyCallByTelephone, AnyCallOnATelephone):
    """Both at once: humans are fetched while keys are private."""

    held_by = dataclasses.replace(
        AnyCallByTelephone.held_by,
        private_tool="get_balance",
        recording=Recording("This call is recorded."),
    )

    @invariant()
    def nothing_is_collected_of_a_caller_who_is_gone(self) -> None:
        assert not self.gone or not (self.open or self.hidden)


TestAnyCallWithHumansAndKeys = AnyCallWithHumansAndKeys.TestCase
TestAnyCallWithHumansAndKeys.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
TestAnyCallTakenOver = AnyCallTakenOver.TestCase
TestAnyCallTakenOver.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyCallOnATelephone = AnyCallOnATelephone.TestCase
TestAnyCallOnATelephone.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestAnyCall = AnyCall.TestCase
TestAnyCallByTelephone = AnyCallByTelephone.TestCase
TestAnyCallByTelephone.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyCall.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyCallTheServicePlays = AnyCallTheServicePlays.TestCase
TestAnyCallTheServicePlays.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None
)


@given(st.text(max_size=200))
def test_any_words_can_be_judged(words: str) -> None:
    judge(words)


@given(st.text(max_size=100), st.floats(0, 1e6), st.floats(0, 1e6))
def test_heard_characters_are_a_part_of_the_text(text: str, heard: float, received: float) -> None:
    assert 0 <= heard_chars(text, heard, received) <= len(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), JSON))
def test_the_same_arguments_are_the_same_however_they_are_written(
    arguments: dict[str, object],
) -> None:
    backwards = dict(reversed(arguments.items()))
    assert canonical(json.dumps(arguments)) == canonical(json.dumps(backwards, indent=2))


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_question_can_be_filled_from_any_arguments(template: str, arguments: str) -> None:
    fill(template, arguments)
