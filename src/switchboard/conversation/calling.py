"""The caller's side: speaking, typing, keying, agreeing, going away and coming back."""

from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.answering import Answering
from switchboard.conversation.commands import (
    AddCallerText,
    AddNote,
    ClearTimer,
    Floor,
    SetTimer,
    Speaker,
)
from switchboard.conversation.endings import Endings
from switchboard.conversation.floor import Cue
from switchboard.conversation.hearing import Hearing
from switchboard.conversation.history import Role
from switchboard.conversation.keying import Keying
from switchboard.conversation.noticing import RECORDING, Noticing
from switchboard.conversation.past import Past, settle
from switchboard.conversation.replies import FLEETING, Wanted, Why
from switchboard.conversation.stage import Stage, Turn
from switchboard.conversation.toolcalls import ToolCalls
from switchboard.conversation.tooling import Tooling
from switchboard.conversation.wishing import Wishing

KEYS_S: Final = 1.5
"""A pause this long ends a row of keys; so does #."""
MAX_KEYS: Final = 64
VOICE_S: Final = 3.0
"""A speaking caller of whom no audio comes for this long has stopped, whatever the service says."""
LONGEST_TURN_S: Final = 120.0
"""Where no audio passes here: who has been heard to begin has stopped after this at the latest."""
YES_KEY: Final = "1"
NO_KEY: Final = "2"
LONGEST_WAIT_MS: Final = 5_000.0
"""The service never takes longer than this to notice that speech has ended."""


class Calling:
    def __init__(
        self,
        stage: Stage,
        endings: Endings,
        hearing: Hearing,
        tooling: Tooling,
        answering: Answering,
        tools: ToolCalls,
        keying: Keying,
        noticing: Noticing,
        wishing: Wishing,
    ) -> None:
        self._stage = stage
        self._wishing = wishing
        self._noticing = noticing
        self._keying = keying
        self._endings = endings
        self._hearing = hearing
        self._tooling = tooling
        self._answering = answering
        self._tools = tools
        self._joined = False
        self._greeted = False
        self._past: Past | None = None
        self._voice_ms = 0.0

    def goes_on(self, past: Past) -> None:
        """The call began elsewhere: nobody is greeted."""
        self._greeted, self._past = True, past

    def joined(self) -> None:
        stage = self._stage
        stage.present = True
        if self._joined:
            stage.emit(ClearTimer("reattach"))
            if stage.cut_off:
                stage.replies.want(Wanted(Why.RETURN, wording.RETURNED))
            stage.cut_off = False
            stage.await_caller()
            return
        self._joined = True
        if self._past is not None:
            self._take_up(self._past)
        elif not stage.rules.service_plays:
            stage.began = stage.now  # what rang before is no part of the call
        self._endings.call_began()
        self.greet()

    def _take_up(self, past: Past) -> None:
        settle(self._stage, past)
        self._past = None
        if past.recorded is None:
            self._noticing.say()  # nobody can tell whether it was heard
        self._stage.await_caller()

    def greet(self) -> None:
        """The agent's first words, once both sides are there."""
        stage = self._stage
        if not (stage.ready and self._joined) or self._greeted:
            return
        self._greeted = True
        recording = stage.rules.recording
        if recording and not recording.consent:
            self._noticing.say()  # first, or the caller would answer the greeting
        # Somebody who has spoken or typed already wants an answer, not a welcome.
        if stage.rules.greeting and not stage.turns:
            greeting = wording.greeting(stage.rules.greeting)
            stage.replies.want(Wanted(Why.GREETING, greeting, allow_tools=False))
            stage.cue(Cue.WORK_BEGINS)
        if recording and recording.consent:
            self._noticing.say()  # last, for it is a question
        stage.await_caller()

    def away(self) -> None:
        stage = self._stage
        stage.present = False
        self._keying.away()
        stage.speaking = None
        stage.turn = Turn(typed=stage.turn.typed)
        stage.cut_off = self._hearing.barge_in(by_service=False)
        if stage.floor is Floor.CALLER:
            stage.cue(Cue.CALLER_STOPS)  # what was begun will not be finished
        stage.cue(Cue.AGENT_SILENT)
        reattach = SetTimer("reattach", stage.now + stage.rules.reattach_s)
        stage.emit(ClearTimer("silence"), reattach)

    def typed(self, item_id: str, text: str) -> None:
        if self._stage.is_taken(item_id):
            item_id = self._stage.new_id("typed")  # a page must not rewrite what others have said
        self._interrupts()
        if not self._stage.taken:  # no word to an operator is a consent
            self._tools.turn_began(item_id)
            self._noticing.turn_began(item_id)
        self._say(item_id, text)
        self._tooling.caller_said(item_id, text)
        self._noticing.turn_words(item_id, text)

    def wants_human(self) -> None:
        """By a button, not in words: the same as if the caller had said so."""
        stage = self._stage
        if stage.gone or stage.taken or self._wishing.rings:
            return  # on the way to one, or with one
        human = stage.rules.console
        if human is not None and not stage.rules.by_telephone:
            self._wishing.ring(human, "")
            stage.emit(AddNote(stage.new_id("note"), f"({wording.RINGING})"))
        elif not stage.rules.by_telephone:
            stage.emit(AddNote(stage.new_id("note"), wording.NO_HUMANS))
        self.typed(stage.new_id("typed"), wording.WANTS_HUMAN)

    def pressed(self, key: str) -> None:
        question = self._tools.asking()
        if question and key in YES_KEY + NO_KEY:
            self.decided(question, agreed=key == YES_KEY)
            return
        if self._noticing.asking and key in YES_KEY + NO_KEY:
            self._noticing.decided(agreed=key == YES_KEY)
            self._agrees(agreed=key == YES_KEY)
            return
        self._acts(typed=False)
        stage = self._stage
        stage.keys = (stage.keys + key)[-MAX_KEYS:]
        stage.emit(SetTimer("keys", stage.now + (0 if key == "#" else KEYS_S)))
        stage.await_caller()

    def keyed(self) -> None:
        """A key that nobody here may know. It silences the agent, as speech does."""
        self._hearing.barge_in(by_service=False)
        self._acts(typed=False)
        self._keying.keyed()

    def timer(self, name: str) -> None:
        if name == "keys":
            self._keys_complete()
        else:
            self._still_speaking()

    def _keys_complete(self) -> None:
        keys, self._stage.keys = self._stage.keys, ""
        if keys:
            self._interrupts()
            self._say(self._stage.new_id("keys"), wording.keyed(keys))

    def decided(self, call_id: str, agreed: bool) -> None:
        """A button or a key answered the agent's question; the model is told as by the caller."""
        if call_id == RECORDING:
            if self._noticing.answerable:
                self._noticing.decided(agreed=agreed)
                self._agrees(agreed=agreed)
            return
        if self._tooling.decided(call_id, agreed):
            self._agrees(agreed=agreed)

    def _agrees(self, *, agreed: bool) -> None:
        self._interrupts()
        words = wording.AGREED if agreed else wording.DECLINED
        self._say(self._stage.new_id("said"), words)

    def speech_started(self, item_id: str, at_ms: float) -> None:
        stage = self._stage
        given_up = stage.earshot.began(item_id, at_ms)
        if given_up is not None:
            stage.finish_line(given_up)
        stage.speaking = item_id = stage.earshot.name(item_id)
        stage.owed = False
        self._hearing.barge_in(by_service=stage.rules.service_interrupts)
        self._keying.interrupted()
        self._acts(typed=False)
        if not stage.taken:  # no word to an operator is a consent
            self._tools.turn_began(item_id)
            self._noticing.turn_began(item_id)
        stage.transcript.begin(item_id, Speaker.CALLER, stage.at_ms)
        stage.cue(Cue.CALLER_STARTS)
        self._watch_voice()

    def _still_speaking(self) -> None:
        """A microphone that went dead in mid-speech must not hold the floor for ever."""
        stage = self._stage
        if not stage.speaking:
            return
        if stage.gate.caller_ms > self._voice_ms:
            self._watch_voice()
            return
        stage.speaking = None
        stage.cue(Cue.CALLER_STOPS)
        self._hearing.check_silent()

    def _watch_voice(self) -> None:
        self._voice_ms = self._stage.gate.caller_ms
        # Over WebRTC the voice does not pass here, so only the service can say that it has gone.
        patience_s = LONGEST_TURN_S if self._stage.rules.service_plays else VOICE_S
        self._stage.emit(SetTimer("voice", self._stage.now + patience_s))

    def speech_stopped(self, at_ms: float) -> None:
        stage = self._stage
        stage.speaking = None
        # The service's clock counts the audio it was sent, and so do we.
        clock_ms = stage.gate.caller_ms - stage.gate.session_from_ms
        waited_ms = min(max(clock_ms - at_ms, 0.0), LONGEST_WAIT_MS)
        stage.earshot.ended(at_ms)
        silent_s = waited_ms / 1000 + stage.rules.turn_silence_s
        stage.turn = Turn(ended_at=None if stage.taken else stage.now - silent_s)
        stage.cue(Cue.CALLER_STOPS)
        self._answering.turn_ended()

    def turn_committed(self, item_id: str) -> None:
        stage = self._stage
        stage.turns += 1
        stage.history.said(item_id, Role.CALLER)
        stage.emit(stage.transcript.begin(item_id, Speaker.CALLER, stage.at_ms).note())

    def words(self, item_id: str, text: str, final: bool) -> None:
        stage = self._stage
        line = stage.transcript.begin(item_id, Speaker.CALLER, stage.at_ms)
        stage.emit(stage.transcript.words(line, text, final))
        if final:
            stage.history.said(item_id, Role.CALLER).text = line.text
            if line.text:
                stage.earshot.understood(item_id)
                if stage.taken:
                    stage.earshot.answered()  # not by the agent: no session need hear it again
            # Not the line's: of a failed transcript the pieces are kept, but they are no consent.
            self._tooling.caller_said(item_id, text)
            self._noticing.turn_words(item_id, text)

    def _interrupts(self) -> None:
        """Whatever the caller does by hand silences the agent, as speech does."""
        self._hearing.barge_in(by_service=False)
        self._stage.speaking = None  # a microphone that went dead in mid-speech holds nobody up
        self._acts(typed=True)
        self._stage.turns += 1

    def _acts(self, *, typed: bool) -> None:
        """A sign of life: nothing fleeting need be said."""
        self._stage.replies.drop(FLEETING)
        self._stage.turn.typed = typed
        self._endings.caller_acts()

    def _say(self, item_id: str, text: str) -> None:
        """Put words of the caller into the conversation, and want them answered."""
        stage = self._stage
        stage.history.said(item_id, Role.CALLER).text = text
        line = stage.transcript.begin(item_id, Speaker.CALLER, stage.at_ms)
        line.typed = True
        stage.emit(AddCallerText(item_id, text), stage.transcript.words(line, text, final=True))
        stage.turn = Turn(ended_at=None if stage.taken else stage.now, typed=True)
        stage.told_at_turn = stage.turns
        stage.replies.want(Wanted(Why.TYPED))
        stage.cue(Cue.CALLER_STOPS)
