"""The lines of a call, each whole every time it changes, keyed by item and placed by its start."""

from dataclasses import dataclass, field
from typing import Final

from switchboard.conversation.commands import LineState, NoteLine, Speaker
from switchboard.conversation.history import heard_chars

MAX_WORDS: Final = 2_000
MAX_APART: Final = 40
"""Characters that may lie between two words of which the service told the times."""


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
    words: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """Words as they are spoken, and where in the audio each ends, where the service says so."""

    def heard_chars(self, heard_ms: float, received_ms: float) -> int:
        """How many characters were heard: to the word where that is known, else about."""
        if not self.words or heard_ms >= received_ms > 0:
            return heard_chars(self.text, heard_ms, received_ms)
        end = found = 0
        heard = [word for word, ends_ms in self.words if ends_ms <= heard_ms]
        for word in heard:
            # A word may be written otherwise than it is spoken: "$5", "five dollars".
            at = self.text.find(word, end, end + MAX_APART + len(word))
            if at >= 0:
                end, found = at + len(word), found + 1
        if 2 * found < len(heard):
            return heard_chars(self.text, heard_ms, received_ms)
        return end

    def note(self) -> NoteLine:
        if self.heard_ms is not None:
            heard = self.heard_chars(self.heard_ms, self.received_ms)
            state = LineState.CUT
        else:
            heard, state = None, LineState.FINAL if self.final else LineState.PARTIAL
        growing = state is LineState.CUT and not self.final
        return NoteLine(
            self.item_id, self.speaker, self.text, state, self.began_ms, heard, self.typed, growing
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

    def time_word(self, item_id: str, text: str, ends_ms: float) -> None:
        """A word of a line has been placed in its sound."""
        draft = self.drafts.get(item_id)
        if draft is not None and text and len(draft.words) < MAX_WORDS:
            draft.words.append((text, ends_ms))

    def cut(self, item_id: str, heard_ms: float, received_ms: float) -> NoteLine | None:
        """Only part of this line was heard. `None` if there is no such line."""
        if (draft := self.drafts.get(item_id)) is None:
            return None
        draft.heard_ms, draft.received_ms = heard_ms, received_ms
        return draft.note()
