"""After a barge-in: what the model must be told of speech that was not heard."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from switchboard.conversation.commands import (
    AddAgentText,
    Command,
    DeleteItem,
    NoteInterruption,
    TruncateItem,
)
from switchboard.conversation.gate import Sounding
from switchboard.conversation.history import History, heard_chars
from switchboard.conversation.transcript import Transcript


@dataclass(slots=True)
class Settling:
    """Items whose audio was stopped, and replies whose unheard messages must go."""

    stopped: list[Sounding] = field(default_factory=list[Sounding])
    silenced: set[str] = field(default_factory=set[str])
    """Replies whose gate was closed before they were done."""
    messages: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Message items of each unfinished reply."""
    kept: set[str] = field(default_factory=set[str])
    """Message items of which something was heard, or seen."""
    retold: set[str] = field(default_factory=set[str])
    """Message items that the model's session was told as text: they have no sound to cut."""

    @property
    def pending(self) -> bool:
        return bool(self.stopped)

    def yet_to_stop(self, items: Iterable[Sounding]) -> list[Sounding]:
        """Those that no barge-in has stopped so far: two may come in quick succession."""
        known = {item.item_id for item in self.stopped}
        return [item for item in items if not item.cut and item.item_id not in known]

    def stop(self, items: list[Sounding]) -> None:
        self.stopped += items

    def settle(
        self, running: set[str], history: History, transcript: Transcript, at_ms: float
    ) -> Iterator[Command]:
        """Truncate what was under the play head, delete what nobody heard of finished replies."""
        stopped, self.stopped = self.stopped, []
        for item in stopped:
            item.cut = True
            if item.heard_ms >= 1:
                self.kept.add(item.item_id)
            if item.heard_out and item.reply_id not in running:
                continue
            if item.heard_ms >= 1:
                if item.item_id not in self.retold:
                    yield TruncateItem(item.item_id, int(item.heard_ms))
                yield NoteInterruption(item.item_id, item.heard_ms, item.received_ms, at_ms)
            elif item.reply_id not in running:
                yield DeleteItem(item.item_id)
                history.forget(item.item_id)
            yield from self.cut(item, history, transcript)
            if item.heard_ms >= 1 and item.item_id in self.retold:
                yield from self._retell(item.item_id, history)

    def _retell(self, item_id: str, history: History) -> Iterator[Command]:
        """A message that the session has as text only is replaced by what was heard of it."""
        self.retold.discard(item_id)
        yield DeleteItem(item_id)
        if (said := history.find(item_id)) and said.heard_text:
            yield AddAgentText(f"{item_id[:26]}_heard", said.heard_text)

    def cut(self, item: Sounding, history: History, transcript: Transcript) -> Iterator[Command]:
        """Keep in mind, and in the transcript, that only part of this was heard."""
        if said := history.find(item.item_id):
            said.heard_chars = heard_chars(said.text, item.heard_ms, item.received_ms)
        if note := transcript.cut(item.item_id, item.heard_ms, item.received_ms):
            yield note

    def reply_done(
        self,
        reply_id: str,
        history: History,
        transcript: Transcript,
        undecided: Set[str] = frozenset(),
    ) -> Iterator[Command]:
        """A silenced reply is done: now its messages that nobody heard can be deleted. Of those
        `undecided` one cannot say yet."""
        messages = self.messages.pop(reply_id, [])
        if reply_id not in self.silenced:
            return
        self.silenced.discard(reply_id)
        undecided = undecided | {item.item_id for item in self.stopped}
        for item_id in messages:
            if item_id not in self.kept and item_id not in undecided:
                yield DeleteItem(item_id)
                history.forget(item_id)
                if note := transcript.cut(item_id, 0, 1):
                    yield note
