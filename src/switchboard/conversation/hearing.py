"""What the caller hears of the agent, and how the agent is silenced."""

from typing import Final

from switchboard.conversation.commands import (
    CancelReply,
    ClearPlayout,
    ClearTimer,
    DeleteItem,
    NoteLatency,
    SetTimer,
    StopPlayout,
)
from switchboard.conversation.endings import Endings
from switchboard.conversation.floor import Cue
from switchboard.conversation.playing import Playing
from switchboard.conversation.stage import Stage, Turn
from switchboard.conversation.toolcalls import ToolCalls

PLAYOUT_SLACK_S: Final = 1.5
"""A leg that reports nothing new is believed to have played everything this long after it could."""


class Hearing:
    def __init__(self, stage: Stage, endings: Endings, tools: ToolCalls, playing: Playing) -> None:
        self._stage = stage
        self._playing = playing
        self._endings = endings
        self._tools = tools

    def barge_in(self, *, by_service: bool) -> bool:
        """Silence the agent. Says whether there was anything to silence.

        `by_service`: the service has cancelled its reply by itself, as it does for speech.
        """
        stage = self._stage
        running = stage.replies.running
        stopped = stage.settling.yet_to_stop(stage.gate.sounding.values())
        stage.gate.close()
        stage.settling.silenced |= set(running)
        if not by_service:
            stage.emit(*map(CancelReply, running))
        if stage.rules.service_plays:
            return self._playing_stops(by_service=by_service)
        if not stopped:
            return bool(running)
        # The leg answers with what was really heard; until then the model is told nothing.
        stage.emit(StopPlayout(), SetTimer("settle", stage.now + stage.rules.settle_s))
        stage.settling.stop(stopped)
        stage.emit(ClearTimer("playout"))
        return True

    def _playing_stops(self, *, by_service: bool) -> bool:
        """The same, where the service plays: it says itself what was heard."""
        running = bool(self._stage.replies.running)
        playing = self._playing.stop()
        if not by_service and (running or playing):
            self._stage.emit(ClearPlayout())
        return running or playing

    def settle(self) -> None:
        """Tell the model what was not heard."""
        stage = self._stage
        self._playing.settle()
        running = set(stage.replies.running)
        stage.emit(*stage.settling.settle(running, stage.history, stage.transcript, stage.at_ms))
        gate = stage.gate
        gate.sounding = {item_id: item for item_id, item in gate.sounding.items() if not item.cut}

    def over(self) -> None:
        """The call has ended: what was not heard by then never was."""
        stage = self._stage
        self._playing.over()
        self.settle()
        for item in stage.gate.sounding.values():
            if not item.heard_out:
                stage.emit(*stage.settling.cut(item, stage.history, stage.transcript))

    def settled(self) -> None:
        """The time of the settling is over."""
        self.settle()
        self.check_silent()

    def sounds(self, reply_id: str) -> None:
        """The first audio of an item is on its way to the ear."""
        stage = self._stage
        if running := stage.replies.running.get(reply_id):
            running.sounded = True
        self._sounds(reply_id, free=stage.replies.speaks_freely(reply_id))

    def _sounds(self, reply_id: str, *, free: bool) -> None:
        stage, turn = self._stage, self._stage.turn
        if free:
            self._tools.spoke(reply_id)
            stage.earshot.answered()
        stage.cue(Cue.AGENT_SOUNDS)
        self._endings.reply_sounds(reply_id)
        if turn.ended_at is not None and turn.reply_id is None:
            turn.reply_id = reply_id
            turn.first_audio_ms = (stage.now - turn.ended_at) * 1000
            stage.emit(NoteLatency(reply_id, turn.first_audio_ms))

    def heard(self, item_id: str, ms: float) -> None:
        """The leg reports how much it has played."""
        stage, turn = self._stage, self._stage.turn
        item = stage.gate.heard(item_id, ms, stage.now)
        if item is None:
            return
        if item.reply_id == turn.reply_id and turn.ended_at is not None and item.heard_ms > 0:
            first_heard_ms = (stage.now - turn.ended_at) * 1000 - item.heard_ms
            stage.emit(NoteLatency(item.reply_id, turn.first_audio_ms or 0.0, first_heard_ms))
            stage.turn = Turn(typed=turn.typed)
        if stage.replies.free:
            # It plays, only later than it might: it must still be there to be silenced.
            self._play_by(stage.now + stage.gate.unheard_ms / 1000)
        self.check_silent()

    def playout_started(self, reply_id: str) -> None:
        """The service plays: a reply begins to be heard, perhaps long after it was made."""
        stage = self._stage
        playout = self._playing.started(reply_id)
        if running := stage.replies.running.get(reply_id):
            running.sounded = True
        if playout.cut_at is not None:
            return
        if stage.replies.free:
            self._play_by(self._playing.lost_by())
        self._sounds(reply_id, free=playout.free)

    def playout_stopped(self, reply_id: str) -> None:
        """The service plays: a reply was heard to its end."""
        self._playing.stopped(reply_id)
        self.check_silent()

    def drop_unheard(self, reply_id: str) -> None:
        """A silenced reply is done: what nobody heard of it goes. A service that plays by itself
        knows that already."""
        stage = self._stage
        undecided = self._playing.undecided()
        for command in stage.settling.reply_done(
            reply_id, stage.history, stage.transcript, undecided
        ):
            if not (stage.rules.service_plays and isinstance(command, DeleteItem)):
                stage.emit(command)

    def reply_done(self) -> None:
        """Generation ended; playback may go on, and one day must be over."""
        stage = self._stage
        if not self._playing.silent:
            self._play_by(self._playing.lost_by())
        if stage.gate.sounding:
            self._play_by(max(stage.gate.plays_until, stage.now))
        self.check_silent()

    def _play_by(self, at: float) -> None:
        if not self._stage.settling.pending:
            self._stage.emit(SetTimer("playout", at + PLAYOUT_SLACK_S))

    def check_silent(self, *, believed: bool = False) -> None:
        """Has the agent been heard to the end? `believed` for a leg that reports nothing."""
        stage = self._stage
        if not stage.replies.free or stage.settling.pending:
            return
        sounding = stage.gate.sounding.values()
        if not believed and any(not item.cut and not item.heard_out for item in sounding):
            return
        if not believed and not self._playing.silent:
            return
        self._playing.believe()
        stage.gate.sounding.clear()
        stage.emit(ClearTimer("playout"))
        if self._endings.agent_silent() or stage.replies.queue or stage.owed:
            return
        stage.cue(Cue.AGENT_WAITS if self._tools.running else Cue.AGENT_SILENT)
