"""The lines of a call, each whole every time it changes, keyed by item and placed by its start."""

from dataclasses import dataclass, field

from switchboard.conversation.commands import LineState, NoteLine, Speaker
from switchboard.conversation.history import heard_chars


@dataclass(slots=True)
class Draft:
    """A line in the making."""

    item_id: str
    speaker: Speaker
    began_ms: float
    text: str = ""
    final: bool = False
    typed: bool = False
    heard_ms: float | None = None
    """For a line that was cut: what was heard of `received_ms`."""
    received_ms: float = 0.0

    def note(self) -> NoteLine:
        if self.heard_ms is not None:
            heard = heard_chars(self.text, self.heard_ms, self.received_ms)
            state = LineState.CUT
        else:
            heard, state = None, LineState.FINAL if self.final else LineState.PARTIAL
        return NoteLine(
            self.item_id, self.speaker, self.text, state, self.began_ms, heard, self.typed
        )


@dataclass(slots=True)
class Transcript:
    drafts: dict[str, Draft] = field(default_factory=dict[str, Draft])

    def begin(self, item_id: str, speaker: Speaker, began_ms: float) -> Draft:
        """The line of `item_id`, begun now if it is new."""
        if item_id not in self.drafts:
            self.drafts[item_id] = Draft(item_id, speaker, began_ms)
        return self.drafts[item_id]

    def words(self, draft: Draft, text: str, final: bool) -> NoteLine:
        """Add a piece, or set the whole: a final text that is empty keeps the pieces."""
        draft.text = (text or draft.text) if final else draft.text + text
        draft.final = draft.final or final
        return draft.note()

    def cut(self, item_id: str, heard_ms: float, received_ms: float) -> NoteLine | None:
        """Only part of this line was heard. `None` if there is no such line."""
        if (draft := self.drafts.get(item_id)) is None:
            return None
        draft.heard_ms, draft.received_ms = heard_ms, received_ms
        return draft.note()
