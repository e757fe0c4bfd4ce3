"""Replies that the service plays to the ear itself, over WebRTC: no audio of them passes here.

The service says when a reply begins to be heard, is heard to its end, or is cut off. What it does
not say is told from the clock and the words: how far a reply had come when it was cut.

    words ──▶ awaited ──PlayoutStarted──▶ heard ──PlayoutStopped──▶ (heard to the end)
                 └──────── barge-in, PlayoutCleared, ItemTruncated ──▶ cut ──settle──▶ (part of it)
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from switchboard.conversation.commands import ClearTimer, NoteInterruption, SetTimer
from switchboard.conversation.gate import Sounding
from switchboard.conversation.stage import Stage

CHARS_PER_S: Final = 15.0
"""How fast speech is, about; only where the service does not say how much was heard."""
LOST_S: Final = 5.0
"""A reply takes at most twice the time its words need, and this: then its end was lost."""


@dataclass(slots=True)
class Playout:
    """One reply in the service's buffer."""

    reply_id: str
    free: bool = False
    """It says what the model wants to say."""
    items: list[str] = field(default_factory=list[str])
    """Its spoken messages, in order."""
    started_at: float | None = None
    cut_at: float | None = None
    heard_ms: dict[str, float] = field(default_factory=dict[str, float])
    """Of items that the service itself said it cut."""


class Playing:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._playouts: dict[str, Playout] = {}

    def sounds(self, reply_id: str) -> bool:
        """Whether this reply is being heard, or will be."""
        playout = self._playouts.get(reply_id)
        return playout is not None and playout.cut_at is None

    @property
    def silent(self) -> bool:
        return not self._playouts

    def expect(self, reply_id: str, item_id: str) -> None:
        """A running reply has spoken words, so it will be heard."""
        stage = self._stage
        if reply_id not in stage.replies.running or reply_id in stage.settling.silenced:
            return
        playout = self._playout(reply_id)
        if item_id not in playout.items:
            playout.items.append(item_id)

    def started(self, reply_id: str) -> Playout:
        """The first sound of it. One that nothing was known of is heard all the same."""
        playout = self._playout(reply_id)
        playout.started_at = playout.started_at or self._stage.now
        return playout

    def stopped(self, reply_id: str) -> None:
        """It was heard to its end."""
        if playout := self._playouts.pop(reply_id, None):
            self._stage.settling.kept.update(playout.items)

    def cleared(self, reply_id: str) -> None:
        """The service dropped what was left of it."""
        if playout := self._playouts.get(reply_id):
            self._cut(playout)

    def truncated(self, item_id: str, heard_ms: float) -> None:
        """The service cut an item where the caller stopped hearing it."""
        for playout in self._playouts.values():
            if item_id in playout.items:
                playout.heard_ms[item_id] = heard_ms
                self._cut(playout)
                return

    def stop(self) -> bool:
        """Whatever is in the buffer is cut now. Says whether there was anything."""
        playing = [playout for playout in self._playouts.values() if playout.cut_at is None]
        for playout in playing:
            self._cut(playout)
        return bool(playing)

    def settle(self) -> None:
        """The service has had its time to say what was heard; the rest is told from the clock."""
        for reply_id, playout in list(self._playouts.items()):
            if playout.cut_at is not None:
                del self._playouts[reply_id]
                self._settle(playout, playout.cut_at)

    def over(self) -> None:
        """The call has ended: what was not heard by then never was."""
        for playout in self._playouts.values():
            playout.cut_at = playout.cut_at or self._stage.now
        self.settle()

    def broke_off(self, at: float) -> bool:
        """The media themselves are gone since then. Says whether something was being heard."""
        playing = [playout for playout in self._playouts.values() if playout.cut_at is None]
        for playout in playing:
            playout.cut_at = at
        self.settle()
        return bool(playing)

    def believe(self) -> None:
        """Nothing more is heard, whatever the service forgot to say."""
        for reply_id in list(self._playouts):
            self.stopped(reply_id)

    def undecided(self) -> set[str]:
        """Items of which one cannot say yet how much was heard."""
        return {item_id for playout in self._playouts.values() for item_id in playout.items}

    def lost_by(self) -> float:
        """When everything in the buffer must have been heard (monotonic seconds)."""
        needed_ms = sum(self._length_ms(item_id) for item_id in self.undecided())
        return self._stage.now + 2 * needed_ms / 1000 + LOST_S

    # -- within ---------------------------------------------------------------------------------

    def _playout(self, reply_id: str) -> Playout:
        playout = self._playouts.get(reply_id)
        if playout is None:
            free = self._stage.replies.speaks_freely(reply_id)
            playout = self._playouts[reply_id] = Playout(reply_id, free)
        return playout

    def _cut(self, playout: Playout) -> None:
        stage = self._stage
        if playout.cut_at is None:
            playout.cut_at = stage.now
            stage.emit(SetTimer("settle", stage.now + stage.rules.settle_s), ClearTimer("playout"))

    def _settle(self, playout: Playout, cut_at: float) -> None:
        stage = self._stage
        for item in self._heard(playout, cut_at):
            if item.heard_ms >= 1:
                stage.settling.kept.add(item.item_id)
                stage.emit(
                    NoteInterruption(item.item_id, item.heard_ms, item.received_ms, stage.at_ms)
                )
            stage.emit(*stage.settling.cut(item, stage.history, stage.transcript))
            if item.heard_ms < 1 and playout.reply_id not in stage.replies.running:
                stage.history.forget(item.item_id)

    def _heard(self, playout: Playout, cut_at: float) -> Iterator[Sounding]:
        """The items that were cut, with what was heard of each. Earlier ones were heard whole."""
        heard_ms = playout.heard_ms or self._by_clock(playout, cut_at)
        first = min(heard_ms, key=playout.items.index, default=None)
        at = playout.items.index(first) if first is not None else 0
        self._stage.settling.kept.update(playout.items[:at])
        for item_id in playout.items[at:]:
            item = Sounding(item_id, playout.reply_id, playout.started_at or cut_at)
            item.heard_ms = heard_ms.get(item_id, 0.0)
            item.received_ms = max(self._length_ms(item_id), item.heard_ms, 1.0)
            yield item

    def _by_clock(self, playout: Playout, cut_at: float) -> dict[str, float]:
        """The item that was being heard, and for how long, as far as one can tell."""
        if playout.started_at is None or not playout.items:
            return {}
        left_ms = (cut_at - playout.started_at) * 1000
        for item_id in playout.items[:-1]:
            length_ms = self._length_ms(item_id)
            if left_ms < length_ms:
                return {item_id: left_ms}
            left_ms -= length_ms
        last = playout.items[-1]
        return {last: min(left_ms, self._length_ms(last))}

    def _length_ms(self, item_id: str) -> float:
        """About how long it takes to say an item, by its words."""
        said = self._stage.history.find(item_id)
        return len(said.text) / CHARS_PER_S * 1000 if said else 0.0
