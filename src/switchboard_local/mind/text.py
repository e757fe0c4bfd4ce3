"""Words as callers say them: splitting, stemming, and how alike two words sound."""

import re
from functools import lru_cache

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.,]\d+)*|[£$€%]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = re.compile(r"[^A-Za-z0-9']+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_VOWELS = frozenset("aeiouy")
_CONTRACTED = {
    "won't": "will not",
    "can't": "can not",
    "cannot": "can not",
    "let's": "let us",
    "wanna": "want to",
    "gonna": "going to",
    "gimme": "give me",
    "dunno": "do not know",
}
_TAILS = {"n't": " not", "'re": " are", "'ll": " will", "'ve": " have", "'m": " am", "'d": " would"}
_APOSTROPHE_S = {"what's", "it's", "that's", "there's", "who's", "where's", "how's", "when's"}


def plain(text: str) -> str:
    """Lower case, straight apostrophes, contractions spelt out, single spaces."""
    low = text.lower().replace("\u2019", "'").replace("\u2018", "'")
    return " ".join(_expand(word) for word in low.split())


def _expand(word: str) -> str:
    core = word.strip('.,!?;:"()')
    if core in _CONTRACTED:
        return word.replace(core, _CONTRACTED[core])
    if core in _APOSTROPHE_S:
        return word.replace("'s", " is")
    for tail, full in _TAILS.items():
        if core.endswith(tail) and len(core) > len(tail):
            return word.replace(core, core[: -len(tail)] + full)
    return word


def words(text: str) -> list[str]:
    """The words and numbers of `text`, plain; a possessive loses its 's."""
    return [word.removesuffix("'s") for word in _WORD.findall(plain(text))]


def name_words(name: str) -> list[str]:
    """`getBill_summary` and `get-bill-summary` are both get, bill, summary."""
    spaced = _CAMEL.sub(" ", name)
    return [part.lower() for part in _SPLIT.split(spaced) if part]


def sentences(text: str) -> list[str]:
    """The sentences or lines of `text`, without empty ones."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """What a word shares with its kin: `cancelled`, `cancelling`, `cancellation` → `cancel`."""
    if len(word) <= 3 or not word.isalpha():
        return word
    return _trim(_unsuffix(_singular(word)))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _unsuffix(word: str) -> str:
    for suffix, least in (("ation", 4), ("ing", 3), ("ed", 3), ("ly", 4)):
        rest = word.removesuffix(suffix)
        if rest != word and len(rest) >= least and _VOWELS & set(rest):
            return rest
    return word


def _trim(word: str) -> str:
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


_SOUNDS = (("ph", "f"), ("wh", "w"), ("kn", "n"), ("wr", "r"), ("ck", "k"), ("gh", ""), ("qu", "k"))
_ALIKE = str.maketrans({"v": "f", "z": "s", "c": "k", "q": "k", "d": "t", "x": "k", "j": "g"})


@lru_cache(maxsize=8192)
def sound(word: str) -> str:
    """A rough phonetic key: `fines` and `vines` share theirs."""
    for letters, heard in _SOUNDS:
        word = word.replace(letters, heard)
    if word[:2] in {"ce", "ci", "cy"}:
        word = "s" + word[1:]
    word = word.translate(_ALIKE)
    kept = word[:1] + re.sub(r"[aeiouyhw]", "", word[1:])
    return re.sub(r"(.)\1+", r"\1", kept)


def distance(one: str, other: str, most: int = 2) -> int:
    """Edits between two words, neighbours swapped counting once; `most + 1` when there are more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return min(above[-1], most + 1)


def sounds_like(heard: str, meant: str) -> bool:
    """Whether `heard` may well be a misheard `meant`."""
    if heard == meant:
        return True
    if len(heard) < 4 or len(meant) < 4:
        return False
    edits = distance(heard, meant)
    return (edits <= 1 and (len(meant) > 5 or sound(heard) == sound(meant))) or (
        edits <= 2 and len(meant) > 4 and sound(heard) == sound(meant)
    )
