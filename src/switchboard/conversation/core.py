"""A call's rules: events in, commands out. No I/O, no clock, so the same in gives the same out.

`apply` is the only entry. Audio frames do not pass through it: they run through `gate`, which the
conversation opens and closes. Times (`now`) are monotonic seconds, given by the exchange.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from switchboard.conversation import events as e
from switchboard.conversation import wording
from switchboard.conversation.commands import (
    AddCallerText,
    AddNote,
    AddToolOutput,
    CancelReply,
    ClearTimer,
    Command,
    EndCall,
    Floor,
    NoteFloor,
    NoteLatency,
    NoteNotice,
    NoteUsage,
    RequestReply,
    RunTool,
    SetTimer,
    Speaker,
    StopPlayout,
)
from switchboard.conversation.floor import NEXT, Cue
from switchboard.conversation.gate import Gate
from switchboard.conversation.history import Called, History, Role
from switchboard.conversation.money import cost_usd
from switchboard.conversation.replies import FLEETING, Replies, Wanted, Why
from switchboard.conversation.rules import Rules
from switchboard.conversation.settling import HEARD_OUT_MS, Settling
from switchboard.conversation.toolcalls import CONSENT, HOLD, ToolCalls
from switchboard.conversation.transcript import Transcript

PLAYOUT_SLACK_S: Final = 1.5
"""A leg that reports nothing is believed to have played everything this long after it could."""
OWED_S: Final = 4.0
"""How long queued work waits for the reply that the service owes to a spoken turn."""
ASKED_S: Final = 15.0
"""A request for a reply that nothing answered is given up after this."""
KEYS_S: Final = 1.5
MAX_FILLERS: Final = 2


@dataclass(slots=True)
class Leaving:
    """The call is to end once the goodbye was heard."""

    reason: str
    forced: bool
    """Not to be talked out of: the time or the money is up, or the server stops."""
    reply_id: str | None = None
    """The reply in which the agent hung up: it may hold the goodbye."""
    said: bool = False


@dataclass(slots=True)
class Turn:
    """The caller's latest turn, for the latency of its answer."""

    ended_at: float | None = None
    typed: bool = False
    first_audio_ms: float | None = None
    reply_id: str | None = None


class Conversation:
    """One call. Mutated in place by `apply`."""

    def __init__(self, rules: Rules, began: float) -> None:
        self.rules = rules
        self.began = began
        self.gate = Gate()
        self.history = History()
        self.floor = Floor.NOBODY
        self.ended = False
        self.cost_usd = 0.0
        self._replies = Replies()
        self._tools = ToolCalls(rules)
        self._transcript = Transcript()
        self._settling = Settling()
        self._leaving: Leaving | None = None
        self._turn = Turn()
        self._joined = False
        self._present = False
        self._ready = False
        self._greeted = False
        self._cut_off_away = False
        self._speaking: str | None = None
        self._owed = False
        self._turns = 0
        self._output_turn = -1
        self._batches: dict[str, str] = {}
        self._unspoken: set[str] = set()
        self._silences = 0
        self._fillers = 0
        self._retried = False
        self._warned = False
        self._keys = ""
        self._made = 0
        self._now = began
        self._out: list[Command] = []

    def apply(self, event: e.Event, now: float) -> list[Command]:
        """What follows from `event`. Nothing follows once the call has ended."""
        if self.ended:
            return []
        self._now = now
        self._out = []
        match event:
            case (
                e.CallerJoined()
                | e.CallerAway()
                | e.CallerLeft()
                | e.CallerTyped()
                | e.CallerPressed()
                | e.CallerDecided()
                | e.Heard()
            ):
                self._from_caller(event)
            case (
                e.ToolAnswered()
                | e.TimerFired()
                | e.EndRequested()
                | e.Whispered()
                | e.ReplySounds()
            ):
                self._from_exchange(event)
            case (
                e.ReplyStarted()
                | e.ReplyItemStarted()
                | e.ReplyWords()
                | e.ToolRequested()
                | e.ReplyDone()
            ):
                self._from_reply(event)
            case _:
                self._from_model(event)
        if not self.ended:
            self._ask()
        return self._out

    # -- dispatch -------------------------------------------------------------------------------

    def _from_caller(self, event: e.CallerEvent) -> None:
        match event:
            case e.CallerJoined():
                self._caller_joined()
            case e.CallerAway():
                self._caller_away()
            case e.CallerLeft(reason):
                self._end(reason)
            case e.CallerTyped(item_id, text):
                self._caller_typed(item_id, text)
            case e.CallerPressed(key):
                self._caller_pressed(key)
            case e.CallerDecided(call_id, agreed):
                self._caller_decided(call_id, agreed)
            case e.Heard(item_id, ms):
                self._heard(item_id, ms)
            case _:
                assert_never(event)

    def _from_model(
        self,
        event: e.ModelReady
        | e.ModelLost
        | e.SpeechStarted
        | e.SpeechStopped
        | e.TurnCommitted
        | e.CallerWords
        | e.CallerWordsFailed
        | e.CallerIdle
        | e.ItemTruncated
        | e.ModelRefused,
    ) -> None:
        match event:
            case e.ModelReady():
                self._ready = True
                self._greet()
            case e.ModelLost(reason, _):
                self._model_lost(reason)
            case e.SpeechStarted(item_id, _):
                self._caller_started(item_id)
            case e.SpeechStopped(_, at_ms):
                self._caller_stopped(at_ms)
            case e.TurnCommitted(item_id):
                self._turn_committed(item_id)
            case e.CallerWords(item_id, text, final):
                self._caller_words(item_id, text, final)
            case e.CallerWordsFailed(item_id):
                self._caller_words(item_id, "", final=True)
            case e.CallerIdle() | e.ItemTruncated():
                pass  # the service prompts or cuts by itself, and its replies tell the rest
            case e.ModelRefused(code, message, event_id):
                self._refused(code, message, event_id)
            case _:
                assert_never(event)

    def _from_reply(
        self,
        event: e.ReplyStarted | e.ReplyItemStarted | e.ReplyWords | e.ToolRequested | e.ReplyDone,
    ) -> None:
        match event:
            case e.ReplyStarted(reply_id, tag, out_of_band):
                if not out_of_band:
                    self._reply_started(reply_id, tag)
            case e.ReplyItemStarted(reply_id, item_id, kind):
                if kind is e.ItemKind.MESSAGE and self._is_running(reply_id):
                    self._settling.messages.setdefault(reply_id, []).append(item_id)
                    self.history.said(item_id, Role.AGENT)
            case e.ReplyWords():
                self._reply_words(event)
            case e.ToolRequested():
                self._tool_requested(event)
            case e.ReplyDone():
                self._reply_done(event)
            case _:
                assert_never(event)

    def _from_exchange(self, event: e.ExchangeEvent) -> None:
        match event:
            case e.ToolAnswered():
                self._emit(*self._tools.answered(event))
                self._speak_of_results()
            case e.TimerFired(name):
                self._timer(name)
            case e.EndRequested(reason, politely):
                self._end_requested(reason, politely)
            case e.Whispered(text):
                self._emit(AddNote(self._new_id("note"), text))
                self._replies.want(Wanted(Why.WHISPER))
            case e.ReplySounds(reply_id, _):
                self._sounds(reply_id)
            case _:
                assert_never(event)

    # -- the caller -----------------------------------------------------------------------------

    def _caller_joined(self) -> None:
        self._present = True
        if self._joined:
            self._emit(ClearTimer("reattach"))
            if self._cut_off_away:
                self._replies.want(Wanted(Why.RETURN, wording.RETURNED))
            self._cut_off_away = False
            return
        self._joined = True
        limit = self.began + self.rules.max_call_s
        self._emit(SetTimer("warn", limit - self.rules.warn_before_s), SetTimer("limit", limit))
        self._greet()

    def _greet(self) -> None:
        if not (self._ready and self._joined) or self._greeted:
            return
        self._greeted = True
        if self.rules.greeting:
            self._replies.want(Wanted(Why.GREETING, wording.greeting(self.rules.greeting), False))
            self._cue(Cue.WORK_BEGINS)

    def _model_lost(self, reason: str) -> None:
        self._notice("model_lost", "The connection to the agent was lost.")
        self._end(f"model_lost:{reason}")

    def _caller_away(self) -> None:
        self._present = False
        self._speaking = None
        self._cut_off_away = self._barge_in(by_service=False)
        self._cue(Cue.AGENT_SILENT)
        self._emit(ClearTimer("silence"), SetTimer("reattach", self._now + self.rules.reattach_s))

    def _caller_typed(self, item_id: str, text: str) -> None:
        self._barge_in(by_service=False)
        self._caller_acts(typed=True)
        self._turns += 1
        self._tools.turn_began(item_id)
        self._say_as_caller(item_id, text)
        self._emit(*self._tools.turn_words(item_id, text, self._now))

    def _say_as_caller(self, item_id: str, text: str) -> None:
        """Put words of the caller into the conversation, and want them answered."""
        self.history.said(item_id, Role.CALLER).text = text
        line = self._transcript.begin(item_id, Speaker.CALLER, self._at_ms())
        line.typed = True
        self._emit(AddCallerText(item_id, text), self._transcript.words(line, text, final=True))
        self._turn = Turn(ended_at=self._now, typed=True)
        self._output_turn = self._turns
        self._replies.want(Wanted(Why.TYPED))
        self._cue(Cue.CALLER_STOPS)

    def _caller_pressed(self, key: str) -> None:
        card = self._tools.asking()
        if card and key in "12":
            self._caller_decided(card, agreed=key == "1")
            return
        self._caller_acts(typed=False)
        self._keys += key
        self._emit(SetTimer("keys", self._now + (0 if key == "#" else KEYS_S)))

    def _caller_decided(self, call_id: str, agreed: bool) -> None:
        commands = self._tools.decide(call_id, agreed, self._now)
        if commands is None:
            return
        self._barge_in(by_service=False)
        self._caller_acts(typed=True)
        self._turns += 1
        self._emit(*commands)
        words = wording.AGREED if agreed else wording.DECLINED
        self._say_as_caller(self._new_id("said"), words)

    def _caller_acts(self, *, typed: bool) -> None:
        """A sign of life: nothing fleeting need be said, and a hang-up may be called off."""
        self._replies.drop(FLEETING)
        self._silences = 0
        self._turn.typed = typed
        if self._leaving and not self._leaving.forced:
            self._leaving = None
            self._replies.drop(frozenset({Why.GOODBYE}))
            self._emit(ClearTimer("goodbye"))

    def _caller_started(self, item_id: str) -> None:
        self._speaking = item_id
        self._owed = False
        self._barge_in(by_service=self.rules.service_interrupts)
        self._caller_acts(typed=False)
        self._tools.turn_began(item_id)
        self._transcript.begin(item_id, Speaker.CALLER, self._at_ms())
        self._cue(Cue.CALLER_STARTS)

    def _caller_stopped(self, at_ms: float) -> None:
        self._speaking = None
        # The service's clock counts the audio it was sent, and so do we.
        waited_ms = min(max(self.gate.caller_ms - at_ms, 0.0), 5_000.0)
        self._turn = Turn(ended_at=self._now - waited_ms / 1000)
        self._cue(Cue.CALLER_STOPS)
        if self.rules.service_replies:
            self._owed = True
            self._emit(SetTimer("owed", self._now + OWED_S))
        else:
            self._replies.want(Wanted(Why.TYPED))

    def _turn_committed(self, item_id: str) -> None:
        self._turns += 1
        self.history.said(item_id, Role.CALLER)
        self._emit(self._transcript.begin(item_id, Speaker.CALLER, self._at_ms()).note())

    def _caller_words(self, item_id: str, text: str, final: bool) -> None:
        line = self._transcript.begin(item_id, Speaker.CALLER, self._at_ms())
        self._emit(self._transcript.words(line, text, final))
        if final:
            self.history.said(item_id, Role.CALLER).text = line.text
            self._emit(*self._tools.turn_words(item_id, line.text, self._now))
            self._speak_of_results()

    # -- barge-in -------------------------------------------------------------------------------

    def _barge_in(self, *, by_service: bool) -> bool:
        """Silence the agent. Says whether there was anything to silence."""
        running = self._replies.running
        stopped = [item for item in self.gate.sounding.values() if not item.cut]
        self.gate.close()
        self._settling.silenced |= set(running)
        if not by_service:
            self._emit(*map(CancelReply, running))
        if not stopped or self.rules.service_plays:
            return bool(running)
        self._emit(StopPlayout(), SetTimer("settle", self._now + self.rules.settle_s))
        self._settling.stop(stopped)
        self._emit(ClearTimer("playout"))
        return True

    def _settle(self) -> None:
        running = set(self._replies.running)
        self._emit(*self._settling.settle(running, self.history, self._transcript, self._at_ms()))
        self.gate.sounding = {k: v for k, v in self.gate.sounding.items() if not v.cut}

    def _heard(self, item_id: str, ms: float) -> None:
        item = self.gate.heard(item_id, ms, self._now)
        if item is None:
            return
        turn = self._turn
        if item.reply_id == turn.reply_id and turn.ended_at is not None and item.heard_ms > 0:
            first_heard_ms = (self._now - turn.ended_at) * 1000 - item.heard_ms
            self._emit(NoteLatency(item.reply_id, turn.first_audio_ms or 0.0, first_heard_ms))
            self._turn = Turn()
        self._check_silent()

    def _check_silent(self, *, believed: bool = False) -> None:
        """Has the agent been heard to the end? `believed` for a leg that reports nothing."""
        if not self._replies.free or self._settling.pending:
            return
        waiting = [
            item
            for item in self.gate.sounding.values()
            if not item.cut and item.heard_ms < item.received_ms - HEARD_OUT_MS
        ]
        if waiting and not believed:
            return
        self.gate.sounding.clear()
        self._emit(ClearTimer("playout"))
        self._agent_silent()

    def _agent_silent(self) -> None:
        if self._leaving and self._leaving.said:
            self._end(self._leaving.reason)
            return
        if self._replies.queue:
            return
        self._cue(Cue.AGENT_SILENT)
        if self._tools.running:
            self._cue(Cue.WORK_BEGINS)

    # -- replies --------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Ask for the next reply that is wanted, if the floor allows."""
        if self._speaking or self._owed or self._settling.pending:
            return
        if not (self._ready and self._present) or (asked := self._replies.ask()) is None:
            return
        tag, wanted = asked
        self._emit(
            RequestReply(tag, wanted.instructions, wanted.allow_tools),
            SetTimer("asked", self._now + ASKED_S),
        )
        self._cue(Cue.WORK_BEGINS)

    def _is_running(self, reply_id: str) -> bool:
        return reply_id in self._replies.running

    def _reply_started(self, reply_id: str, tag: str | None) -> None:
        running = self._replies.started(reply_id, tag)
        if running.wanted:
            self._emit(ClearTimer("asked"))
        else:
            self._service_replies_itself()
        if self._speaking or not self._present:
            # It came too late: somebody else speaks, or nobody listens.
            self._settling.silenced.add(reply_id)
            self._emit(CancelReply(reply_id))
            if running.wanted and running.wanted.why not in FLEETING:
                self._replies.want(running.wanted)
            return
        self.gate.open_replies.add(reply_id)
        self._cue(Cue.WORK_BEGINS)

    def _service_replies_itself(self) -> None:
        self._owed = False
        self._emit(ClearTimer("owed"))
        self._replies.drop(FLEETING)
        if self._turns > self._output_turn:
            # It answers a turn that came after our latest addition, so it knows of it.
            self._replies.drop(frozenset({Why.TOOLS, Why.TYPED}))
            self._unspoken.clear()

    def _reply_words(self, event: e.ReplyWords) -> None:
        if (said := self.history.find(event.item_id)) is None:
            return  # out of band, or forgotten because nobody heard it
        line = self._transcript.begin(event.item_id, Speaker.AGENT, self._at_ms())
        note = self._transcript.words(line, event.text, event.final)
        said.text, said.heard_chars = line.text, note.heard_chars
        if not event.spoken:
            self._settling.kept.add(event.item_id)
            self._tools.spoke(event.reply_id)
        self._emit(note)

    def _sounds(self, reply_id: str) -> None:
        self._tools.spoke(reply_id)
        self._cue(Cue.AGENT_SOUNDS)
        if self._leaving and reply_id == self._leaving.reply_id:
            self._leaving.said = True
        turn = self._turn
        if turn.ended_at is not None and turn.reply_id is None:
            turn.reply_id = reply_id
            turn.first_audio_ms = (self._now - turn.ended_at) * 1000
            self._emit(NoteLatency(reply_id, turn.first_audio_ms))

    def _reply_done(self, event: e.ReplyDone) -> None:
        if event.usage:
            self._spend(event.reply_id, event.usage)
        self._emit(*self._settling.reply_done(event.reply_id, self.history, self._transcript))
        running = self._replies.done(event.reply_id)
        self.gate.open_replies.discard(event.reply_id)
        if running is None:
            return
        if event.status is e.ReplyStatus.FAILED:
            self._reply_failed(running.wanted)
        elif event.status is e.ReplyStatus.COMPLETED:
            self._retried = False
        self._reply_may_end_call(event.reply_id, running.wanted)
        self._speak_of_results()
        if self.gate.sounding and not self._settling.pending:
            at = max(self.gate.plays_until, self._now) + PLAYOUT_SLACK_S
            self._emit(SetTimer("playout", at))
        self._check_silent()

    def _reply_failed(self, wanted: Wanted | None) -> None:
        if self._retried:
            self._notice("reply_failed", "The agent could not answer. Please say it again.")
            return
        self._retried = True
        self._replies.want(wanted or Wanted(Why.RETRY))

    def _reply_may_end_call(self, reply_id: str, wanted: Wanted | None) -> None:
        leaving = self._leaving
        if leaving is None or leaving.said:
            return
        if wanted and wanted.why is Why.GOODBYE:
            leaving.said = True
        elif reply_id == leaving.reply_id:
            self._replies.want(Wanted(Why.GOODBYE, wording.GOODBYE, allow_tools=False))

    def _refused(self, code: str, message: str, event_id: str | None) -> None:
        if event_id is None or self._replies.asked is None or self._replies.asked[0] != event_id:
            return  # a late truncate, a cancel of what had ended: harmless
        self._emit(ClearTimer("asked"))
        given_back = self._replies.refused(event_id, code)
        if given_back:
            self._notice("reply_refused", f"The agent could not speak: {message}"[:300])
            self._cue(Cue.AGENT_SILENT)

    # -- tools ----------------------------------------------------------------------------------

    def _tool_requested(self, event: e.ToolRequested) -> None:
        if not self._tools.is_new(event.call_id):
            return
        self.history.called(Called(event.item_id, event.call_id, event.name, event.arguments))
        if event.name == self.rules.end_tool:
            self._agent_hangs_up(event)
            return
        self._batches[event.call_id] = event.reply_id
        self._emit(*self._tools.request(event, self._now, self._at_ms()))
        self._cue(Cue.WORK_BEGINS)

    def _agent_hangs_up(self, event: e.ToolRequested) -> None:
        spoke = any(s.reply_id == event.reply_id for s in self.gate.sounding.values())
        self._leaving = Leaving("agent_ended", False, event.reply_id, said=spoke)
        self._emit(
            AddToolOutput(event.call_id, '{"status": "ok"}'),
            SetTimer("goodbye", self._now + self.rules.goodbye_s),
        )

    def _speak_of_results(self) -> None:
        """Let the model speak of its tools' results, once no call of the same reply is open."""
        for reply_id in list(self._unspoken):
            if not self._is_running(reply_id) and not self._tools.batch_open(reply_id):
                self._unspoken.discard(reply_id)
                if self._leaving is None:
                    self._replies.want(Wanted(Why.TOOLS))

    # -- time, money, ends ----------------------------------------------------------------------

    def _timer(self, name: str) -> None:
        match name:
            case "settle":
                self._settle()
                self._check_silent()
            case "playout":
                self._check_silent(believed=True)
            case "owed":
                self._owed = False
                self._check_silent()
            case "asked":
                self._replies.asked = None
                self._notice("reply_lost", "The agent did not answer. Please say it again.")
                self._cue(Cue.AGENT_SILENT)
            case "silence":
                self._caller_silent()
            case "slow":
                self._tool_is_slow()
            case "keys":
                self._keys_complete()
            case _:
                self._timer_of_end(name)

    def _timer_of_end(self, name: str) -> None:
        match name:
            case "warn":
                self._warn(wording.time_left(self.rules.warn_before_s))
            case "limit":
                self._leave("max_duration", wording.TIME_UP)
            case "reattach":
                self._end("caller_lost")
            case "goodbye":
                self._end(self._leaving.reason if self._leaving else "ended")
            case _ if name == CONSENT:
                self._emit(*self._tools.expire(self._now))
                self._speak_of_results()
            case _ if name.startswith(HOLD):
                self._emit(*self._tools.hold_over(name.removeprefix(HOLD), self._now))
                self._speak_of_results()
            case _:
                pass

    def _caller_silent(self) -> None:
        if self.floor is not Floor.NOBODY or not self._present:
            return
        if self._silences >= self.rules.reprompts:
            self._leave("silence", wording.SILENCE_GOODBYE, forced=False)
            return
        self._silences += 1
        self._replies.want(Wanted(Why.SILENCE, wording.SILENCE, allow_tools=False))

    def _tool_is_slow(self) -> None:
        if not self._tools.running or self._fillers >= MAX_FILLERS:
            return
        quiet = self._replies.free and not self.gate.sounding and not self._speaking
        if quiet and not self._owed:
            self._fillers += 1
            self._replies.want(Wanted(Why.SLOW, wording.SLOW, allow_tools=False))
        again = self.rules.slow_tool_s * (4 if quiet else 1)
        self._emit(SetTimer("slow", self._now + again))

    def _keys_complete(self) -> None:
        keys, self._keys = self._keys, ""
        if keys:
            self._barge_in(by_service=False)
            self._turns += 1
            self._say_as_caller(self._new_id("keys"), wording.keyed(keys))

    def _spend(self, reply_id: str, usage: e.Usage) -> None:
        price = self.rules.price
        cost = cost_usd(usage, price) if price else None
        self._emit(NoteUsage(reply_id, usage, cost))
        self.cost_usd += cost or 0.0
        budget = self.rules.budget_usd
        if budget is None:
            return
        if self.cost_usd >= budget:
            self._leave("budget", wording.TIME_UP)
        elif self.cost_usd >= budget * 0.8:
            self._warn(wording.time_left(self.rules.warn_before_s))

    def _warn(self, instructions: str) -> None:
        if not self._warned:
            self._warned = True
            self._replies.want(Wanted(Why.WARNING, instructions, allow_tools=False))

    def _leave(self, reason: str, instructions: str, *, forced: bool = True) -> None:
        """End the call after a goodbye, or after `goodbye_s` without one."""
        if self._leaving and self._leaving.forced:
            return
        self._leaving = Leaving(reason, forced)
        self._replies.want(Wanted(Why.GOODBYE, instructions, allow_tools=False))
        self._emit(SetTimer("goodbye", self._now + self.rules.goodbye_s))

    def _end_requested(self, reason: str, politely: bool) -> None:
        if politely and self._ready and self._present:
            self._leave(reason, wording.STOPPING)
        else:
            self._end(reason)

    def _end(self, reason: str) -> None:
        self._settle()
        self._emit(*self._tools.abandon(), EndCall(reason))
        self.gate.close()
        self.ended = True

    # -- small change ---------------------------------------------------------------------------

    def _emit(self, *commands: Command) -> None:
        for command in commands:
            self._out.append(command)
            match command:
                case AddToolOutput(call_id, output):
                    self.history.answered(call_id, output)
                    self._output_turn = self._turns
                    if reply_id := self._batches.pop(call_id, None):
                        self._unspoken.add(reply_id)
                case RunTool():
                    self._fillers = 0
                    self._out.append(SetTimer("slow", self._now + self.rules.slow_tool_s))
                case _:
                    pass

    def _cue(self, cue: Cue) -> None:
        floor = NEXT[self.floor, cue]
        if floor is self.floor:
            return
        self.floor = floor
        self._emit(NoteFloor(floor))
        if floor is Floor.NOBODY:
            patience_s = self.rules.silence_s * (3 if self._turn.typed else 1)
            self._emit(SetTimer("silence", self._now + patience_s))
        else:
            self._emit(ClearTimer("silence"))

    def _notice(self, code: str, text: str) -> None:
        self._emit(NoteNotice(code, text))

    def _at_ms(self) -> float:
        return (self._now - self.began) * 1000

    def _new_id(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"
