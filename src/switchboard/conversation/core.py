"""A call's rules: events in, commands out. No I/O, no clock, so the same in gives the same out.

`apply` is the only entry. Audio frames do not pass through it: they run through `gate`, which the
conversation opens and closes. Times (`now`) are monotonic seconds, given by the exchange.

    stage      what all parts share
    calling    the caller speaks, types, keys, goes and comes back     ──▶ answering, hearing
    answering  the agent's replies, one at a time                      ──▶ hearing, tooling
    tooling    tool calls, consent, slow tools                         ──▶ endings
    hearing    what was heard, barge-in                                ──▶ endings, playing
    keying     what the caller keys privately
    noticing   that the call is recorded
    playing    what the service plays to the ear itself (WebRTC)
    endings    goodbye, silence, time, money                           ──▶ handing
    handing    the caller is handed to a human                          ──▶ wishing
    wishing    a wish for a human rings in the operators' console
    operating  an operator speaks in the agent's place, and gives the call back
    taking     whether an answering machine took a call of ours         ──▶ endings, hearing
    renewing   a lost or ending model session gives way to a new one   ──▶ hearing, tooling, endings
"""

from collections.abc import Callable
from typing import assert_never

from switchboard.conversation import events as e
from switchboard.conversation import wording
from switchboard.conversation.answering import Answering
from switchboard.conversation.calling import Calling
from switchboard.conversation.commands import AddNote, Command, EndCall, Floor
from switchboard.conversation.endings import Endings
from switchboard.conversation.gate import Gate
from switchboard.conversation.handing import Handing
from switchboard.conversation.hearing import Hearing
from switchboard.conversation.history import History
from switchboard.conversation.keying import TIMER as KEYING
from switchboard.conversation.keying import Keying
from switchboard.conversation.noticing import Noticing
from switchboard.conversation.operating import Operating
from switchboard.conversation.past import Past, recall
from switchboard.conversation.playing import Playing
from switchboard.conversation.renewing import Renewing
from switchboard.conversation.replies import Wanted, Why
from switchboard.conversation.rules import Rules
from switchboard.conversation.stage import Stage
from switchboard.conversation.taking import Taking
from switchboard.conversation.toolcalls import ToolCalls
from switchboard.conversation.tooling import Tooling
from switchboard.conversation.wishing import Wishing

type _FromReply = (
    e.ReplyStarted | e.ReplyItemStarted | e.ReplyWords | e.WordTimed | e.ToolRequested | e.ReplyDone
)
type _FromCallerHeard = (
    e.SpeechStarted | e.SpeechStopped | e.TurnCommitted | e.CallerWords | e.CallerWordsFailed
)
type _FromPlayout = e.ItemTruncated | e.PlayoutStarted | e.PlayoutStopped | e.PlayoutCleared
type _ByHand = (
    e.CallerTyped
    | e.CallerPressed
    | e.CallerKeyed
    | e.CallerDecided
    | e.HumanWanted
    | e.WishWithdrawn
)
type _FromCaller = _ByHand | e.CallerJoined | e.CallerAway | e.CallerLeft | e.RecordingChanged
type _ByOperator = (
    e.HumanOrdered | e.TakenOver | e.OperatorAway | e.HandedBack | e.Whispered | e.Dictated
)
type _FromService = _FromCallerHeard | e.ModelReady | e.ModelLost | e.CallerIdle | e.ModelRefused


def _to_nobody(_: e.ToolAnswered) -> None:
    pass


class _Answers:
    """Takes a tool's result to the part that knows tools, which is made after those that answer."""

    to: Callable[[e.ToolAnswered], None] = staticmethod(_to_nobody)

    def __call__(self, answer: e.ToolAnswered) -> None:
        self.to(answer)


class Conversation:
    """One call. Mutated in place by `apply`."""

    def __init__(self, rules: Rules, began: float, past: Past | None = None) -> None:
        """`past`: of a call that goes on here, and began elsewhere."""
        self._stage = stage = Stage(rules, began, began)
        self._tools = ToolCalls(rules)
        self._playing = Playing(stage)
        self._answers = answers = _Answers()
        self._wishing = Wishing(stage, answers)
        self._handing = Handing(stage, self._wishing, answers)
        self._endings = Endings(stage, self._playing, self._handing)
        self._hearing = Hearing(stage, self._endings, self._tools, self._playing)
        self._keying = Keying(stage)
        self._noticing = Noticing(stage, self._endings)
        self._tooling = Tooling(stage, self._endings, self._tools, self._keying)
        answers.to = self._tooling.answered
        self._answering = Answering(
            stage, self._endings, self._hearing, self._tooling, self._tools, self._playing
        )
        self._calling = Calling(
            stage,
            self._endings,
            self._hearing,
            self._tooling,
            self._answering,
            self._tools,
            self._keying,
            self._noticing,
            self._wishing,
        )
        self._taking = Taking(stage, self._endings, self._hearing)
        self._renewing = Renewing(stage, self._endings, self._hearing, self._tooling, self._playing)
        self._operating = Operating(
            stage, self._endings, self._hearing, self._tooling, self._renewing, self._wishing
        )
        if past is not None:
            self._go_on(past)

    def _go_on(self, past: Past) -> None:
        recall(self._stage, past)
        self._endings.cost_usd = past.cost_usd
        self._calling.goes_on(past)
        self._renewing.goes_on()
        self._stage.replies.want(Wanted(Why.RENEWED, wording.CARRIED_ON))

    @property
    def gate(self) -> Gate:
        return self._stage.gate

    @property
    def history(self) -> History:
        return self._stage.history

    @property
    def floor(self) -> Floor:
        return self._stage.floor

    @property
    def ready(self) -> bool:
        """The model listens."""
        return self._stage.ready

    @property
    def private(self) -> bool:
        """The caller keys something that nobody may hear who listens in."""
        return self._stage.private

    @property
    def taken(self) -> bool:
        """An operator speaks in the agent's place."""
        return self._stage.taken

    @property
    def not_taken_over(self) -> str | None:
        """Why nobody can take this call over now, in words; `None` where somebody can."""
        return self._operating.impossible

    @property
    def wish_rings(self) -> bool:
        """The caller waits for an operator."""
        return self._wishing.rings

    @property
    def mouth_open(self) -> bool:
        """The voice of the operator who has the call may go to the caller now."""
        return self._operating.open

    @property
    def may_switch(self) -> bool:
        """A new model session may take the place of the old one now."""
        return self._renewing.may_switch

    @property
    def ended(self) -> bool:
        return self._stage.ended

    @property
    def cost_usd(self) -> float:
        return self._endings.cost_usd

    def apply(self, event: e.Event, now: float) -> list[Command]:
        """What follows from `event`. Nothing follows once the call has ended."""
        stage = self._stage
        if stage.ended:
            return []
        stage.now, stage.out = now, []
        self._dispatch(event)
        if stage.ended:
            self._close()
        else:
            self._noticing.look()
            self._keying.look()
            self._operating.look()
            self._answering.ask()
            self._renewing.look_for_pause()
        return stage.out

    def _close(self) -> None:
        """The last facts of the call, before the command that ends it."""
        out = self._stage.out
        end = out.pop(next(at for at, command in enumerate(out) if isinstance(command, EndCall)))
        self._hearing.over()
        self._stage.emit(*self._tools.abandon(), end)
        self._answers.to = _to_nobody  # or all parts would hold each other

    def _dispatch(self, event: e.Event) -> None:
        match event:
            case e.Heard(item_id, ms):  # ten times a second, so it comes first
                self._hearing.heard(item_id, ms)
            case (
                e.CallerJoined()
                | e.CallerAway()
                | e.CallerLeft()
                | e.CallerTyped()
                | e.CallerPressed()
                | e.CallerKeyed()
                | e.CallerDecided()
                | e.RecordingChanged()
                | e.HumanWanted()
                | e.WishWithdrawn()
            ):
                self._from_caller(event)
            case (
                e.ToolAnswered()
                | e.TimerFired()
                | e.EndRequested()
                | e.Whispered()
                | e.Dictated()
                | e.ReplySounds()
                | e.SessionEnds()
                | e.DialFailed()
                | e.LineTold()
                | e.WishMissed()
                | e.HumanOrdered()
                | e.TakenOver()
                | e.OperatorAway()
                | e.HandedBack()
            ):
                self._from_exchange(event)
            case (
                e.ReplyStarted()
                | e.ReplyItemStarted()
                | e.ReplyWords()
                | e.WordTimed()
                | e.ToolRequested()
                | e.ReplyDone()
            ):
                self._from_reply(event)
            case e.ItemTruncated() | e.PlayoutStarted() | e.PlayoutStopped() | e.PlayoutCleared():
                self._from_playout(event)
            case _:
                self._from_service(event)

    def _from_caller(self, event: _FromCaller) -> None:
        match event:
            case e.CallerJoined():
                self._calling.joined()
            case e.CallerAway():
                self._calling.away()
            case e.CallerLeft(reason):
                self._endings.end(reason)
            case e.RecordingChanged(state):
                self._noticing.changed(state)
            case _:
                self._by_hand(event)

    def _by_hand(self, event: _ByHand) -> None:
        match event:
            case e.CallerTyped(item_id, text):
                self._calling.typed(item_id, text)
            case e.CallerPressed(key):
                self._calling.pressed(key)
            case e.CallerKeyed():
                self._calling.keyed()
            case e.CallerDecided(call_id, agreed):
                self._calling.decided(call_id, agreed)
            case e.HumanWanted():
                self._calling.wants_human()
            case e.WishWithdrawn():
                self._wishing.withdrawn()
            case _:
                assert_never(event)

    def _from_service(self, event: _FromService) -> None:
        match event:
            case e.ModelReady():
                self._renewing.ready(resumed=event.resumed, remembers=event.remembers)
                self._operating.session_ready()
                self._calling.greet()
            case e.ModelLost(reason, retryable):
                self._renewing.lost(reason, retryable)
            case e.CallerIdle():
                pass  # the service prompts by itself, and its replies tell the rest
            case e.ModelRefused(code, message, event_id):
                self._answering.refused(code, message, event_id)
            case _:
                self._from_caller_heard(event)

    def _from_caller_heard(self, event: _FromCallerHeard) -> None:
        match event:
            case e.SpeechStarted(item_id, at_ms):
                self._calling.speech_started(item_id, at_ms)
                self._taking.speech_started(at_ms)
            case e.SpeechStopped(_, at_ms):
                self._calling.speech_stopped(at_ms)
                self._taking.speech_stopped(at_ms)
            case e.TurnCommitted(item_id):
                self._calling.turn_committed(self._named(item_id))
            case e.CallerWords(item_id, text, final):
                self._calling.words(self._named(item_id), text, final)
                if final:
                    self._taking.words(text)
            case e.CallerWordsFailed(item_id):
                self._calling.words(self._named(item_id), "", final=True)
            case _:
                assert_never(event)

    def _named(self, item_id: str) -> str:
        return self._stage.earshot.name(item_id)

    def _from_playout(self, event: _FromPlayout) -> None:
        if not self._stage.rules.service_plays:
            return  # a cut is our own word come back, and the leg says what was heard
        match event:
            case e.ItemTruncated(item_id, heard_ms):
                self._playing.truncated(item_id, heard_ms)
            case e.PlayoutStarted(reply_id):
                self._hearing.playout_started(reply_id)
            case e.PlayoutStopped(reply_id):
                self._hearing.playout_stopped(reply_id)
            case e.PlayoutCleared(reply_id):
                self._playing.cleared(reply_id)

    def _from_reply(self, event: _FromReply) -> None:
        match event:
            case e.ReplyStarted(reply_id, tag, out_of_band):
                if not out_of_band:
                    self._answering.started(reply_id, tag)
                    self._taking.reply_started(ours=tag is not None)
            case e.ReplyItemStarted(reply_id, item_id, kind):
                self._answering.item_started(reply_id, item_id, kind)
            case e.ReplyWords():
                self._answering.words(event)
            case e.WordTimed(item_id, text, ends_ms):
                self._stage.transcript.time_word(item_id, text, ends_ms)
            case e.ToolRequested():
                self._tooling.requested(event)
            case e.ReplyDone():
                self._answering.done(event)
                if event.status is e.ReplyStatus.COMPLETED:
                    self._renewing.reply_done()
            case _:
                assert_never(event)

    def _from_exchange(self, event: e.ExchangeEvent) -> None:
        match event:
            case e.ToolAnswered():
                self._tooling.answered(event)
            case e.TimerFired(name):
                self._timer(name)
            case e.EndRequested(reason, politely):
                self._endings.requested(reason, politely)
            case e.WishMissed():
                self._wishing.missed()
            case e.ReplySounds(reply_id, _):
                self._hearing.sounds(reply_id)
            case e.DialFailed(reason, retryable):
                self._renewing.dial_failed(reason, retryable)
            case e.SessionEnds(at):
                self._renewing.session_ends(at)
            case e.LineTold():
                self._endings.line_told(event)
            case _:
                self._from_operator(event)

    def _from_operator(self, event: _ByOperator) -> None:
        match event:
            case e.Whispered(text):
                self._stage.emit(AddNote(self._stage.new_id("note"), text))
                self._stage.replies.want(Wanted(Why.WHISPER))
            case e.Dictated(text):
                if not self._stage.taken:
                    self._stage.replies.want(
                        Wanted(Why.DICTATED, wording.notice(text), allow_tools=False)
                    )
            case e.HumanOrdered(name):
                self._endings.order_human(name)
            case e.TakenOver(by):
                self._operating.taken_over(by)
            case e.OperatorAway():
                self._operating.away()
            case e.HandedBack(summary):
                self._operating.handed_back(summary)
            case _:
                assert_never(event)

    def _timer(self, name: str) -> None:
        match name:
            case "settle":
                self._hearing.settled()
            case "playout":
                self._hearing.check_silent(believed=True)
            case "owed" | "asked":
                self._answering.timer(name)
            case "handing":
                self._hearing.barge_in(by_service=False)  # what is unsaid is waited for no longer
                self._handing.timer()
            case "machine" | "wish" | "desk":
                self._others_timer(name)
            case "warn" | "limit" | "reattach" | "goodbye" | "silence":
                self._endings.timer(name)
            case "redial" | "renew" | "renew_now" | "give_up" | "doubt":
                self._renewing.timer(name)
            case "keys" | "voice":
                self._calling.timer(name)
            case _ if name == KEYING:
                self._keying.timer()
            case _:
                self._tooling.timer(name)

    def _others_timer(self, name: str) -> None:
        """Of those who are not the caller's and not the agent's."""
        match name:
            case "machine":
                self._taking.leave_message()
            case "wish":
                self._wishing.missed()
            case _:
                self._operating.timer()
