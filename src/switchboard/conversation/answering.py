"""The agent's replies: asked for one at a time, followed from their start to their end."""

from typing import Final

from switchboard.conversation import events as e
from switchboard.conversation.commands import (
    CancelReply,
    ClearPlayout,
    ClearTimer,
    RequestReply,
    SetTimer,
    Speaker,
)
from switchboard.conversation.endings import Endings
from switchboard.conversation.floor import Cue
from switchboard.conversation.hearing import Hearing
from switchboard.conversation.history import Role
from switchboard.conversation.playing import Playing
from switchboard.conversation.replies import FLEETING, Running, Wanted, Why
from switchboard.conversation.stage import Stage
from switchboard.conversation.toolcalls import ToolCalls
from switchboard.conversation.tooling import Tooling

ASKED_S: Final = 15.0
"""A request for a reply that nothing answered is given up after this."""
OWED_S: Final = 4.0
"""How long queued work waits for the reply that the service owes to a spoken turn."""


class Answering:
    def __init__(
        self,
        stage: Stage,
        endings: Endings,
        hearing: Hearing,
        tooling: Tooling,
        tools: ToolCalls,
        playing: Playing,
    ) -> None:
        self._stage = stage
        self._playing = playing
        self._endings = endings
        self._hearing = hearing
        self._tooling = tooling
        self._tools = tools
        self._retried = False

    def ask(self) -> None:
        """Ask for the next reply that is wanted, if the floor allows."""
        stage = self._stage
        if stage.speaking or stage.owed or stage.settling.pending:
            return
        only = Why.BRIEFING if stage.gone else Why.TAKEN if stage.taken else None
        if only is not None and not stage.replies.next_is(only):
            return
        if not (stage.ready and stage.present) or (asked := stage.replies.ask()) is None:
            return
        tag, wanted = asked
        if wanted.is_free:
            self._tooling.spoken_of()
        stage.emit(
            RequestReply(tag, wanted.instructions, wanted.allow_tools),
            SetTimer("asked", stage.now + ASKED_S),
        )
        stage.cue(Cue.WORK_BEGINS)

    def turn_ended(self) -> None:
        """The caller has spoken: the service answers by itself, or we ask it to."""
        if self._stage.taken:
            return  # it was said to the operator
        if self._stage.rules.service_replies:
            self._wait_for_service()
        else:
            self._stage.replies.want(Wanted(Why.TYPED))

    def _wait_for_service(self) -> None:
        self._stage.owed = True
        self._stage.emit(SetTimer("owed", self._stage.now + OWED_S))

    def started(self, reply_id: str, tag: str | None) -> None:
        stage = self._stage
        running = stage.replies.started(reply_id, tag)
        if running.wanted:
            stage.posted.request_was_read()
            stage.emit(ClearTimer("asked"))
        elif not stage.taken:
            self._service_replies_itself()
        if stage.speaking or not self._wanted_now(running):
            # It came too late: somebody else speaks, or nobody listens.
            stage.settling.silenced.add(reply_id)
            stage.emit(CancelReply(reply_id))
            if stage.rules.service_plays:
                stage.emit(ClearPlayout())
            if running.wanted and running.wanted.why not in FLEETING:
                stage.replies.want(running.wanted)
                running.wanted = None  # its end is not the end of what was wanted
            elif not stage.present:
                stage.cut_off = True
            return
        if not stage.rules.service_plays:
            stage.gate.open_replies.add(reply_id)
        stage.cue(Cue.WORK_BEGINS)

    def _wanted_now(self, running: Running) -> bool:
        """Whether there is an ear for this reply."""
        stage = self._stage
        why = running.wanted.why if running.wanted else None
        if stage.gone or why is Why.BRIEFING:
            return stage.present and stage.gone and why is Why.BRIEFING
        return stage.present and stage.taken == (why is Why.TAKEN)

    def item_started(self, reply_id: str, item_id: str, kind: e.ItemKind) -> None:
        if kind is e.ItemKind.MESSAGE and reply_id in self._stage.replies.running:
            self._stage.settling.messages.setdefault(reply_id, []).append(item_id)
            self._stage.history.said(item_id, Role.AGENT)

    def words(self, event: e.ReplyWords) -> None:
        stage = self._stage
        if (said := stage.history.find(event.item_id)) is None:
            return  # out of band, or forgotten because nobody heard it
        line = stage.transcript.begin(event.item_id, Speaker.AGENT, stage.at_ms)
        note = stage.transcript.words(line, event.text, event.final)
        said.text, said.heard_chars = line.text, note.heard_chars
        if event.spoken and stage.rules.service_plays:
            self._playing.expect(event.reply_id, event.item_id)
        if not event.spoken:
            stage.settling.kept.add(event.item_id)
            if stage.replies.speaks_freely(event.reply_id):
                self._tools.spoke(event.reply_id)
                stage.earshot.answered()
        stage.emit(note)

    def done(self, event: e.ReplyDone) -> None:
        stage = self._stage
        if event.usage:
            self._endings.spend(event.reply_id, event.usage)
        self._hearing.drop_unheard(event.reply_id)
        running = stage.replies.done(event.reply_id)
        stage.gate.open_replies.discard(event.reply_id)
        if running is None:
            return
        unsaid = event.status is e.ReplyStatus.CANCELLED and not running.sounded
        if event.status is e.ReplyStatus.FAILED:
            unsaid = self._try_again(running.wanted)
        elif event.status is e.ReplyStatus.COMPLETED:
            self._retried = False
        self._endings.reply_done(running, unsaid=unsaid)
        self._tooling.speak_of_results()
        self._hearing.reply_done()

    def refused(self, code: str, message: str, event_id: str | None) -> None:
        stage = self._stage
        if event_id is None or stage.replies.asked is None or stage.replies.asked[0] != event_id:
            return  # a late truncate, a cancel of what had ended: harmless
        stage.emit(ClearTimer("asked"))
        given_back = stage.replies.refused(event_id, code)
        if given_back is None and not stage.replies.running:
            self._wait_for_service()  # it makes a reply that we have not heard of yet
        elif given_back:
            stage.notice("reply_refused", f"The agent could not speak: {message}"[:300])
            stage.cue(Cue.AGENT_SILENT)

    def timer(self, name: str) -> None:
        stage = self._stage
        if name == "owed":
            stage.owed = False
            stage.earshot.answered()  # no answer comes: it was no turn, or the service gave it up
            self._hearing.check_silent()
        elif name == "asked" and stage.replies.doubtful:
            stage.replies.unask()  # nobody knows whether it arrived: it did not
        elif name == "asked":
            stage.replies.asked = None
            stage.notice("reply_lost", "The agent did not answer. Please say it again.")
            stage.cue(Cue.AGENT_SILENT)

    def _service_replies_itself(self) -> None:
        stage = self._stage
        stage.owed = False
        stage.emit(ClearTimer("owed"))
        stage.replies.drop(FLEETING)
        if stage.turns > stage.told_at_turn:
            # It answers a turn that came after our latest addition, so it knows of it.
            stage.replies.drop(frozenset({Why.TOOLS, Why.TYPED}))
            self._tooling.spoken_of()

    def _try_again(self, wanted: Wanted | None) -> bool:
        """A reply failed: whether it is asked for once more."""
        if self._retried:
            text = "The agent could not answer. Please say it again."
            self._stage.notice("reply_failed", text)
            return False
        self._retried = True
        self._stage.replies.want(wanted or Wanted(Why.RETRY))
        return True
