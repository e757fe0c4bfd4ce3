"""Before a call is recorded, its caller has heard so and, where the profile asks it, has agreed.

wanted ──▶ being said ──(heard to its end)──▶ [asking ──(a yes)──▶] `Record`
  ▲            │
  └──(cut)─────┘  a few times; then the call goes on, and is not recorded
"""

from enum import Enum, auto
from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import NoteRecording, Recorded
from switchboard.conversation.consent import Verdict, judge
from switchboard.conversation.endings import Endings
from switchboard.conversation.events import RecordingState
from switchboard.conversation.gate import Sounding
from switchboard.conversation.replies import Wanted, Why
from switchboard.conversation.stage import Stage

RECORDING: Final = "recording"
"""What the page calls the question, when its button answers it."""
MAX_TIMES: Final = 3
"""How often the notice is begun anew."""
MAX_ANSWERS: Final = 2
"""How many turns of the caller may pass without a clear answer."""


class _Step(Enum):
    NONE = auto()
    WANTED = auto()
    SAYING = auto()
    ASKING = auto()
    OVER = auto()


class Noticing:
    def __init__(self, stage: Stage, endings: Endings) -> None:
        self._stage = stage
        self._endings = endings
        self._step = _Step.NONE
        self._reply_id = ""
        self._items: dict[str, Sounding] = {}
        self._times = 0
        self._answers = 0
        self._turns: set[str] = set()
        """Turns of the caller that began after the question."""

    @property
    def asking(self) -> bool:
        """Whether key 1 or 2 would answer the question."""
        return self._step is _Step.ASKING

    @property
    def answerable(self) -> bool:
        """Whether a button would: what is asked stands beside it, heard or not."""
        rules = self._stage.rules.recording
        steps = (_Step.WANTED, _Step.SAYING, _Step.ASKING)
        return rules is not None and rules.consent and self._step in steps

    def say(self) -> None:
        """The notice is to be heard, if there is one."""
        rules = self._stage.rules.recording
        if rules is None or self._step not in (_Step.NONE, _Step.SAYING):
            return
        if self._times >= MAX_TIMES:
            self._not_recorded()
            return
        if not self._times:
            self._note(Recorded.ASKED if rules.consent else Recorded.TOLD)
        self._times += 1
        self._step = _Step.WANTED
        self._items.clear()
        notice = Wanted(Why.NOTICE, wording.notice(rules.notice), allow_tools=False)
        self._stage.replies.want(notice)

    def look(self) -> None:
        """Follow the reply that holds the notice."""
        stage = self._stage
        if self._step is _Step.WANTED:
            for running in stage.replies.running.values():
                if running.wanted is not None and running.wanted.why is Why.NOTICE:
                    self._step, self._reply_id = _Step.SAYING, running.reply_id
        if self._step is not _Step.SAYING:
            return
        for item_id, item in stage.gate.sounding.items():
            if item.reply_id == self._reply_id:
                self._items[item_id] = item
        if self._reply_id not in stage.replies.running and not stage.settling.pending:
            self._said()

    def _said(self) -> None:
        """Its reply is over: was it heard?"""
        items = self._items.values()
        reported = any(item.heard_ms > 0 for item in items)  # however short it is
        if reported and all(item.heard_out and not item.cut for item in items):
            self._heard()
        elif not items or any(i.cut or i.item_id not in self._stage.gate.sounding for i in items):
            self.say()

    def _heard(self) -> None:
        rules = self._stage.rules.recording
        if rules is not None and rules.consent:
            self._step = _Step.ASKING
        else:
            self._record()

    # -- the answer -----------------------------------------------------------------------------

    def turn_began(self, item_id: str) -> None:
        if self.asking:
            self._turns.add(item_id)

    def turn_words(self, item_id: str, words: str) -> None:
        """The words of a turn are known: they may agree to being recorded."""
        if not self.asking or item_id not in self._turns:
            return
        rules = self._stage.rules
        verdict = judge(words, rules.yes_words, rules.no_words)
        self._answers += 1
        if verdict is Verdict.YES:
            self._record()
        elif verdict is Verdict.NO or self._answers >= MAX_ANSWERS:
            self._not_recorded()

    def decided(self, *, agreed: bool) -> None:
        """A key or a button answered."""
        if agreed:
            self._record()
        else:
            self._not_recorded()

    # -- the recording --------------------------------------------------------------------------

    def changed(self, state: RecordingState) -> None:
        """What became of it."""
        stage = self._stage
        stage.recorded = state is RecordingState.RUNNING
        if stage.may_record and state is not RecordingState.FAILED:
            self._note(Recorded(state.value))
        if state is not RecordingState.FAILED or not stage.may_record:
            return
        stage.may_record = False
        self._off()
        if stage.rules.recording and stage.rules.recording.required:
            self._endings.leave("not_recorded", wording.NOT_RECORDED)

    def _record(self) -> None:
        stage, self._step = self._stage, _Step.OVER
        stage.may_record = True
        if not stage.private:
            stage.record(on=True)

    def _not_recorded(self) -> None:
        """The caller has not agreed, or would not hear the notice."""
        self._off()
        if self._stage.rules.recording and self._stage.rules.recording.ends_without_consent:
            self._endings.leave("no_consent", wording.NO_CONSENT)

    def _off(self) -> None:
        self._step = _Step.OVER
        self._note(Recorded.OFF)
        self._stage.notice("not_recorded", "This call is not recorded.")

    def _note(self, state: Recorded) -> None:
        if (rules := self._stage.rules.recording) is not None:
            self._stage.emit(NoteRecording(state, rules.notice))
