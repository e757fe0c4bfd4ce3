"""Texts compared as a listener compares them: words and numbers, not spelling."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_GROUPED: Final = re.compile(r"(?<=\d),(?=\d{3}\b)")
_APART: Final = re.compile(r"(?<=\b\d) (?=\d\b)")
_WORD: Final = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)?")
_TRAILING: Final = re.compile(r"(\.\d*?)0+$")

STOP_WORDS: Final = {
    "en": frozenset(
        [
            "the",
            "is",
            "you",
            "your",
            "of",
            "and",
            "to",
            "for",
            "it",
            "have",
            "not",
            "what",
            "can",
            "are",
            "will",
            "with",
        ]
    ),
    "de": frozenset(
        [
            "der",
            "die",
            "das",
            "ist",
            "sie",
            "ihr",
            "und",
            "zu",
            "für",
            "es",
            "nicht",
            "was",
            "kann",
            "sind",
            "wird",
            "mit",
        ]
    ),
    "fr": frozenset(
        [
            "le",
            "la",
            "les",
            "est",
            "vous",
            "votre",
            "et",
            "à",
            "pour",
            "il",
            "pas",
            "que",
            "peut",
            "sont",
            "avec",
            "une",
        ]
    ),
    "es": frozenset(
        [
            "el",
            "la",
            "los",
            "es",
            "usted",
            "su",
            "y",
            "para",
            "no",
            "que",
            "puede",
            "son",
            "con",
            "una",
            "por",
            "de",
        ]
    ),
    "it": frozenset(
        [
            "il",
            "la",
            "gli",
            "è",
            "lei",
            "suo",
            "e",
            "per",
            "non",
            "che",
            "può",
            "sono",
            "con",
            "una",
            "di",
            "del",
        ]
    ),
    "nl": frozenset(
        [
            "de",
            "het",
            "is",
            "u",
            "uw",
            "en",
            "voor",
            "niet",
            "wat",
            "kan",
            "zijn",
            "met",
            "een",
            "van",
            "op",
        ]
    ),
}
BLAME: Final = (
    "calm down",
    "as i said",
    "as i already said",
    "i told you",
    "you should have",
    "your fault",
    "that is obvious",
    "listen to me",
    "shut up",
    "stupid",
)


def words(text: str) -> list[str]:
    """Its words and numbers: `4 4 1 7` is 4417, `1,204.50` is 1204.5, whatever the case."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold()
    plain = _APART.sub("", _GROUPED.sub("", plain))
    return [_number(word) for word in _WORD.findall(plain)]


def has(text: str, needle: str) -> bool:
    """Whether the needle's words follow each other somewhere in the text."""
    hay, wanted = words(text), words(needle)
    if not wanted:
        return False
    return any(hay[at : at + len(wanted)] == wanted for at in range(len(hay) - len(wanted) + 1))


def word_errors(reference: str, heard: str) -> float:
    """The word error rate: changes, omissions and additions per word of the reference."""
    wanted, got = words(reference), words(heard)
    if not wanted:
        return float(bool(got))
    row = list(range(len(got) + 1))
    for number, word in enumerate(wanted, 1):
        before, row[0] = row[0], number
        for at, other in enumerate(got, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1] / len(wanted)


def language_of(text: str) -> str | None:
    """The language whose commonest words it has most of; `None` where that says nothing. Coarse: a
    few sentences of one of `STOP_WORDS`."""
    found = words(text)
    hits = {language: sum(w in stop for w in found) for language, stop in STOP_WORDS.items()}
    best = max(hits, key=lambda language: hits[language])
    others = [count for language, count in hits.items() if language != best]
    return best if hits[best] > max(others) else None


def rude(lines: Sequence[str]) -> str | None:
    """The first thing that nobody wants to hear from an agent: blame, or shouting."""
    for line in lines:
        for phrase in BLAME:
            if has(line, phrase):
                return phrase
        for word in re.findall(r"\b[A-Z]{5,}\b", line):
            return str(word)
    return None


def _number(word: str) -> str:
    if not word[0].isdigit():
        return word
    word = _TRAILING.sub(r"\1", word).rstrip(".") if "." in word else word
    return word.lstrip("0") or "0" if len(word) < 3 else word
