"""Sessions are renewed, calls are not dropped: a new model session takes the place of the old.

lost            ModelLost ──▶ let go ──▶ DialModel ─┬─ ModelReady ──▶ replay ──▶ go on
                                 ▲                  └─ DialFailed ──▶ wait a little ─▶ DialModel
about to end    a pause, or the last moment ──▶ DialModel ── ModelReady ──▶ let go, replay
"""

from collections.abc import Sequence
from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import (
    AddAgentText,
    ClearTimer,
    DialModel,
    Floor,
    ResendAudio,
    SetTimer,
)
from switchboard.conversation.endings import Endings
from switchboard.conversation.floor import Cue
from switchboard.conversation.hearing import Hearing
from switchboard.conversation.playing import Playing
from switchboard.conversation.replay import replay
from switchboard.conversation.replies import Running, Wanted, Why
from switchboard.conversation.stage import Stage
from switchboard.conversation.tooling import Tooling

MAX_LOSSES: Final = 5
"""Sessions lost in a row, without one reply heard from any of them, that a call survives."""
REDIAL_S: Final = (0.2, 0.5, 1.0, 2.0)
"""The waits between one failed dial and the next; the last is used again and again."""
REDIAL_TAKEN_S: Final = 5.0
"""The wait between dials where an operator has the call, and nobody waits for the agent."""
PAUSE_SHARE: Final = 0.2
"""The last part of a short session that is spent looking for a pause."""
DOUBT_S: Final = 4.0
"""How long, after a gap, something is waited for that may have happened in it."""
LEAST_LIFE_S: Final = 1.0
"""A session that is to end sooner is not replaced beforehand."""
HURRY_SHARE: Final = 0.25
"""The last part of that time in which a pause is no longer waited for."""

BROKE_OFF: Final = "The line to the agent broke off here; the call goes on."
"""True when it is shown, and for as long as it is read."""


class Renewing:
    def __init__(
        self,
        stage: Stage,
        endings: Endings,
        hearing: Hearing,
        tooling: Tooling,
        playing: Playing,
    ) -> None:
        self._playing = playing
        self._stage = stage
        self._endings = endings
        self._hearing = hearing
        self._tooling = tooling
        self._dialling = True  # whoever carries the call dials the first session unasked
        self._lost_at: float | None = None
        self._began = False
        self._told = False
        self._dials_failed = 0
        self._losses = 0
        self._due = False
        self._hurried = False
        self._doubted: set[str] = set()
        self._why = ""
        """What the latest loss or failure was."""

    def goes_on(self) -> None:
        """There were sessions before, at another server: the first one here is told the past, and
        waited for as one that takes the place of another."""
        self._began = True
        self._lost_at = self._stage.now

    # -- the session is lost --------------------------------------------------------------------

    def lost(self, reason: str, retryable: bool) -> None:
        stage, self._why = self._stage, reason
        self._losses += 1
        if (not retryable or self._losses > MAX_LOSSES) and not stage.taken:
            self._give_up(reason)
            return
        self._lost_at = stage.now
        stage.emit(SetTimer("give_up", stage.now + stage.rules.renew_s))
        if stage.rules.service_plays:
            # The media may live on, and with them the very session: see what comes of it.
            stage.ready = False
            stage.emit(*map(ClearTimer, ("asked", "owed", "silence")))
        else:
            self._tell()
            self._let_go()
        if not self._dialling:
            self._dial()

    def dial_failed(self, reason: str, retryable: bool) -> None:
        stage, self._why = self._stage, reason
        self._dialling = False
        if stage.ready:
            self._due = False
            if retryable:  # the session that is to end still serves: try again while it does
                stage.emit(SetTimer("redial", stage.now + self._wait_s()))
            return
        since = self._lost_at
        if since is None or not retryable or stage.now - since >= stage.rules.renew_s:
            self._give_up(reason)
            return
        self._tell()
        stage.emit(SetTimer("redial", stage.now + self._wait_s()))

    def reply_done(self) -> None:
        """A session that makes a whole reply is sound: losses are counted anew."""
        self._losses = 0

    def _tell(self) -> None:
        """The caller hears of a loss once. Voices that live on beside us do not show it at once."""
        if not self._told:
            self._told = True
            self._stage.notice("renewing", BROKE_OFF)

    def handed_back(self) -> None:
        """The agent has the call again: from now on it needs a session."""
        stage = self._stage
        if not stage.ready:
            self._losses, self._lost_at = 0, stage.now
            stage.emit(SetTimer("give_up", stage.now + stage.rules.renew_s))
            if not self._dialling:
                self._dial()

    def _give_up(self, reason: str) -> None:
        if self._stage.taken:  # caller and operator can do without for now
            self._stage.emit(SetTimer("redial", self._stage.now + REDIAL_TAKEN_S))
            return
        self._stage.notice("model_lost", "The connection to the agent was lost.")
        self._endings.end(f"model_lost:{reason}")

    # -- the session is about to end ------------------------------------------------------------

    def session_ends(self, at: float) -> None:
        """The service has said when it will end the session."""
        stage = self._stage
        if at - stage.now < LEAST_LIFE_S:
            return  # clocks differ, or it makes no sense: its end will be noticed when it comes
        lead_s = min(stage.rules.renew_before_s, (at - stage.now) * PAUSE_SHARE)
        stage.emit(SetTimer("renew", at - lead_s), SetTimer("renew_now", at - lead_s * HURRY_SHARE))

    def look_for_pause(self) -> None:
        """Renew a session that is about to end, where it disturbs nobody."""
        if self._due and self._stage.ready and not self._dialling and self._at_rest():
            self._dial()

    @property
    def may_switch(self) -> bool:
        """Nothing is cut off, or there is no time left to wait for that."""
        # Where the service plays, the voices have gone to the new session already.
        stage = self._stage
        return not stage.ready or stage.rules.service_plays or self._at_rest()

    def _at_rest(self) -> bool:
        stage = self._stage
        quiet = stage.floor is Floor.NOBODY and not stage.speaking
        idle = stage.replies.free and not stage.replies.queue and not stage.settling.pending
        return self._hurried or (quiet and idle)

    # -- a new session --------------------------------------------------------------------------

    def ready(self, *, resumed: bool, remembers: bool = False) -> None:
        """A session is configured: tell it what it has missed, or everything."""
        stage = self._stage
        if self._began and not resumed and (stage.ready or stage.rules.service_plays):
            self._let_go()
        if self._began and not resumed and stage.rules.service_plays:
            self._media_broke_off()
        self._dialling, self._dials_failed, self._lost_at, self._told = False, 0, None, False
        self._due = self._hurried = False
        stage.emit(*map(ClearTimer, ("redial", "renew", "renew_now", "give_up")))
        stage.ready = True
        if resumed:
            self._doubt()
            stage.tell_missed()
        else:
            self._remind() if remembers else self._replay()
            self._hear_again()
        stage.withheld.clear()
        if self._began:
            self._hearing.check_silent()
            stage.await_caller()
        self._began = True

    def _remind(self) -> None:
        """It knows what was said before; of our items it may not know which they were."""
        stage = self._stage
        # What was on the lost line it may know: here an id would not keep it from coming twice.
        stage.posted.take()
        stage.tell_missed()
        stage.settling.retold = set(stage.gate.sounding)

    def _replay(self) -> None:
        stage, earshot = self._stage, self._stage.earshot
        stage.posted.take()  # the history has it
        note_id = stage.new_id("past")
        told = list(
            replay(stage.history, earshot, budget_chars=stage.rules.replay_chars, note_id=note_id)
        )
        stage.retell(*told)
        stage.settling.retold = {c.item_id for c in told if isinstance(c, AddAgentText)}
        stage.pended = set(stage.history.unanswered())

    def _hear_again(self) -> None:
        """Its ear begins where the last one's ended, or where a turn that nobody took began."""
        stage, earshot = self._stage, self._stage.earshot
        stage.retell(ResendAudio(earshot.begin_session()))

    def _doubt(self) -> None:
        """It went on without us: what was asked for may have arrived, what ran may be done."""
        stage, replies = self._stage, self._stage.replies
        if replies.asked is not None:
            replies.doubtful = True
            stage.emit(SetTimer("asked", stage.now + DOUBT_S))
        if stage.owed:
            stage.emit(SetTimer("owed", stage.now + DOUBT_S))
        self._doubted = set(replies.running)
        if self._doubted:
            stage.emit(SetTimer("doubt", stage.now + DOUBT_S))

    def _doubts_over(self) -> None:
        """Replies of which nothing more was heard had ended while nobody listened."""
        stage = self._stage
        for reply_id in self._doubted & set(stage.replies.running):
            self._hearing.drop_unheard(reply_id)
            stage.replies.done(reply_id)
        self._doubted.clear()
        self._tooling.speak_of_results()
        self._hearing.reply_done()

    # -- the old session ------------------------------------------------------------------------

    def _let_go(self) -> None:
        """Nothing more comes of this session. What it owed is asked of the next."""
        stage = self._stage
        stage.ready = False
        stage.emit(*map(ClearTimer, ("asked", "owed", "voice", "silence")))
        stage.replies.unask()
        stage.earshot.lost()
        self._tooling.hold_nothing()
        if stage.speaking:
            stage.speaking = None
            stage.cue(Cue.CALLER_STOPS)
        broken_off = [self._break_off(reply) for reply in list(stage.replies.running.values())]
        if any(broken_off) or self._unanswered_words():
            stage.replies.want(Wanted(Why.RETRY))
        stage.owed = False
        self._tooling.speak_of_results()
        if broken_off:
            self._hearing.reply_done()

    def _break_off(self, reply: Running) -> bool:
        """A reply ends where it was lost. Whether it is to be asked for again, as it was."""
        stage = self._stage
        silenced = reply.reply_id in stage.settling.silenced
        items = stage.settling.messages.get(reply.reply_id, [])
        seen = any(item_id in stage.settling.kept for item_id in items)
        stage.replies.done(reply.reply_id)
        stage.gate.open_replies.discard(reply.reply_id)
        for item_id in items:
            stage.finish_line(item_id)
        self._hearing.drop_unheard(reply.reply_id)
        if not silenced:
            self._unsay(items)
        said = reply.sounded or seen
        self._endings.reply_done(reply, unsaid=not said)
        if silenced or self._tooling.awaits(reply.reply_id) or self._endings.leaving:
            return False
        if said:
            stage.replies.want(Wanted(Why.RENEWED, wording.RENEWED))
        elif reply.wanted is not None:
            stage.replies.want(reply.wanted)
        elif stage.earshot.unanswered is None:
            return True
        return False

    def _unsay(self, items: Sequence[str]) -> None:
        """Words of which no sound came were never said."""
        stage = self._stage
        sounded = stage.gate.sounding.keys() | stage.settling.kept | self._playing.undecided()
        for item_id in items:
            if item_id not in sounded:
                stage.history.forget(item_id)
                if note := stage.transcript.cut(item_id, 0, 1):
                    stage.emit(note)

    def _media_broke_off(self) -> None:
        """Over WebRTC the voices went with the session: neither can be given to the next one."""
        stage, earshot = self._stage, self._stage.earshot
        if self._lost_at is not None:
            self._tell()
        if self._playing.broke_off(stage.now if self._lost_at is None else self._lost_at):
            stage.replies.want(Wanted(Why.RENEWED, wording.RENEWED))
        if earshot.unheard():
            stage.replies.want(Wanted(Why.RENEWED, wording.SAY_AGAIN))

    def _unanswered_words(self) -> bool:
        """A turn was understood and not answered: it need not be heard again, only answered."""
        turn = self._stage.earshot.unanswered
        return turn is not None and turn not in self._stage.earshot.spans

    # -- dialling -------------------------------------------------------------------------------

    def timer(self, name: str) -> None:
        match name:
            case "redial" if self._stage.ready:
                self._due = True
            case "redial" if not self._dialling:
                self._dial()
            case "give_up" if not self._stage.ready:
                self._give_up(self._why)
            case "doubt":
                self._doubts_over()
            case "renew":
                self._due = True
            case "renew_now":
                self._due = self._hurried = True
            case _:
                pass

    def _dial(self) -> None:
        self._dialling = True
        self._stage.emit(DialModel())

    def _wait_s(self) -> float:
        wait_s = REDIAL_S[min(self._dials_failed, len(REDIAL_S) - 1)]
        self._dials_failed += 1
        return wait_s
