"""How much of what was said was heard: words placed in time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

CHARS_PER_S: Final = 15.0
"""An even reading pace, for sentences whose audio is not all there."""


@dataclass(slots=True)
class Sentence:
    """A stretch of a reply, and where in the reply's audio it lies."""

    text: str
    start_ms: float
    end_ms: float | None = None
    """`None` while its audio is still being made, or never was finished."""

    def placed(self) -> float:
        """Its end, estimated where it is not known."""
        paced = self.start_ms + 1000 * max(len(self.text), 1) / CHARS_PER_S
        return paced if self.end_ms is None else self.end_ms


def heard_text(sentences: Iterable[Sentence], heard_ms: float) -> str:
    """The words that had been spoken to the end after `heard_ms` of the reply's audio.

    Within a sentence, time is shared out by length: a word is heard once its last letter is.
    """
    heard: list[str] = []
    for sentence in sentences:
        if heard_ms >= sentence.placed():
            heard.append(sentence.text)
            continue
        share = (heard_ms - sentence.start_ms) / (sentence.placed() - sentence.start_ms)
        heard.append(first_words(sentence.text, share))
        break
    return " ".join(part for part in heard if part)


def first_words(text: str, share: float) -> str:
    """The whole words within the first `share` (0 to 1) of `text`."""
    reach = share * len(text)
    end = 0
    for word_end in word_ends(text):
        if word_end > reach:
            break
        end = word_end
    return text[:end]


def word_ends(text: str) -> Sequence[int]:
    """Where each word of `text` ends, its punctuation included."""
    after = f"{text[1:]} "
    return [i for i, (a, b) in enumerate(zip(text, after, strict=False), 1) if _ends(a, b)]


def _ends(letter: str, after: str) -> bool:
    return after.isspace() and not letter.isspace()
