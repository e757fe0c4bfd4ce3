# ruff: noqa: E501 -- patterns of speech read better unbroken
"""The thing a request is about: "renew *the hobbit* on card …", "I have run out of *metformin*"."""

import re
from functools import lru_cache

from switchboard_local.mind.catalogue import Slot
from switchboard_local.mind.lexicon import STOPWORDS, content
from switchboard_local.mind.text import name_words, stem, words
from switchboard_local.mind.wordlists import listed

_VERBS = (
    r"(?:order|reserve|renew|extend|borrow|hold|put|return|buy|get|have|got|find|want|need|like|bring|"
    r"send|lost|lose|finished|finish|left|forgot|forgotten|misplaced|request|install|add|take|took|keep|cancel|remove|"
    r"play|watch|read|reading|stock|use|using|report|about|mean|meant|fancy|broken|damaged|ruined)"
)
_OF = r"(?:(?:run |running )?(?:out|low) (?:of|on)|more of|a copy of|copies of|a bottle of|another|some more|some|any)"
_STARTS = re.compile(
    rf"\b(?:{_VERBS}\s+(?:up\s+|out\s+)?(?:{_OF}\s+)?|{_OF}\s+)"
    r"(?:(?:my|our|a|an|some|any|more|another|that|this)\s+)*(?:copy of\s+|book called\s+|called\s+)?",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"[,.;?!]|\b(?:aside|away|back|again|please|installed|delivered|sent|brought|because|if possible|"
    r"for (?:me|us|him|her|my|our|the|a|\w+ (?:days|weeks|months))|on (?:my |the )?(?:card|account|order|machine|"
    r"laptop|computer|booking)|(?:to|in|for|up to) (?:my |the |our )?(?:room|flat|house|table|machine)|"
    r"(?:card|account|order|member|membership|room) (?:number )?(?=\w)|number|my (?:card|number|name)|"
    r"and (?:my|the|it|i|can|could|put)|it(?:'s| is)|is|are|was|were|isn't|to be|until|till|from|tomorrow|today|tonight|"
    r"(?:to|in) (?=\d|one|two|three|four|five|six|seven|eight|nine|double)|by (?:post|mail|email)|when|so|but|then|can|could|who|whose|which|that i|i|we|book for|held any|any more|on it)\b",
    re.IGNORECASE,
)
_PRONOUNS = listed(
    "it that this them one ones something anything everything nothing these those some me"
)
_MOST_WORDS = 9


def object_in(slot: Slot, text: str) -> str:
    """What the request is about, where it names more than the tool itself does."""
    own = _own_words(slot)
    for match in _STARTS.finditer(text):
        found = _ENDS.split(text[match.end() :], maxsplit=1)[0].strip(" '\"")
        found = re.sub(r"\s+(?:for|to|on|in|at|with|and|of)$", "", found)
        if _is_new(found, own):
            return _without_class(found, slot)
    return ""


@lru_cache(maxsize=1024)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text))


def _own_words(slot: Slot) -> frozenset[str]:
    named = " ".join([*name_words(slot.tool), slot.purpose, *slot.title_words, slot.description])
    return _words_of(named)


def _is_new(found: str, own: frozenset[str]) -> bool:
    said = words(found)
    telling = [word for word in content(said) if stem(word) not in own and word not in _PRONOUNS]
    return bool(telling) and len(said) <= _MOST_WORDS and not _is_clause(said)


def _is_clause(said: list[str]) -> bool:
    return said[0] in {"to", "you", "i", "he", "she", "they", "been", "not"} or all(
        word in STOPWORDS for word in said
    )


def _without_class(found: str, slot: Slot) -> str:
    """ "wolf hall book" → "wolf hall": what it is called, not what it is."""
    kinds = r"(?:book|novel|film|dvd|magazine|album|one)"
    if set(slot.title_words) & {"title", "query", "book", "item", "film"}:
        found = re.sub(rf"\s+{kinds}$", "", found, flags=re.IGNORECASE)
        found = re.sub(rf"^(?:the )?{kinds} (?=\w)", "", found, flags=re.IGNORECASE)
    return found
