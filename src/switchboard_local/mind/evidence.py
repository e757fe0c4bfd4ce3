"""What speaks for each tool, given what the caller said: one row of numbers for each."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from switchboard_local.mind.catalogue import Role, Slot, Tool
from switchboard_local.mind.lexicon import (
    STOPWORDS,
    actions,
    asks,
    concepts,
    concepts_of,
    content,
    is_act,
    is_question,
    weighed_concepts,
)
from switchboard_local.mind.slots import fill
from switchboard_local.mind.text import plain, sounds_like, stem, words
from switchboard_local.mind.turn import Filled, Turn

FEATURES = (
    "bm25", "name", "cover", "concept", "verb", "object", "act", "choice", "gist", "text", "soft",
    "softname", "apart", "conflict", "filled", "unfilled", "odd",
    "opposite",
    "coded",
    "told", "own", "learnt",
)  # fmt: skip
"""The columns, in order."""


@dataclass(frozen=True)
class Words:
    """The terms of one tool, or of what was said."""

    terms: Counter[str]
    """Stems, and `#concept` for each group of meaning, with how often."""
    concepts: frozenset[str]


@dataclass(frozen=True)
class Meant:
    """A word of a tool: heard when it, or another of its groups of meaning, was said."""

    key: str
    """By which its rarity is known."""
    stem: str
    """Empty where the word itself does not count."""
    concepts: Mapping[str, float]


@dataclass(frozen=True)
class Card:
    """A tool as the router sees it."""

    tool: Tool
    all: Words
    name: tuple[Meant, ...]
    gist: tuple[Meant, ...]
    verbs: frozenset[str]
    """Concepts of its verb."""
    objects: tuple[Meant, ...]
    """Concepts and stems of what it acts upon."""
    choices: frozenset[str]
    actions: frozenset[str]
    """What it does, as groups of meaning; empty for a tool that only tells."""


@dataclass(frozen=True)
class Said:
    """What the caller said, made ready once for all tools."""

    text: str
    content: tuple[str, ...]
    terms: dict[str, float] = field(hash=False)
    """Stems and concepts with how sure we are of having heard them."""
    groups: tuple[tuple[str, ...], ...] = ()
    """The terms that each word, or each phrase, stands for."""
    asks: bool = False
    negated: bool = False
    actions: dict[str, float] = field(default_factory=dict[str, float], hash=False)


def bag(said: Iterable[str]) -> Counter[str]:
    """Stems of the content words and the concepts they belong to."""
    listed = list(said)
    terms = Counter(stem(word) for word in content(listed))
    terms.update("#" + concept for concept in concepts(listed))
    return terms


def weighed(said: Iterable[str]) -> dict[str, float]:
    """Stems of the content words, and their concepts by how surely each is meant."""
    listed = list(said)
    terms = {stem(word): 1.0 for word in content(listed)}
    return terms | {"#" + c: sure for c, sure in weighed_concepts(listed).items()}


def meant(said: Iterable[str]) -> tuple[Meant, ...]:
    """The words of a tool one by one, each with its groups of meaning; phrases last."""
    listed = list(said)
    single = [Meant(stem(w), stem(w), dict.fromkeys(concepts_of(w), 1.0)) for w in content(listed)]
    known = {concept for one in single for concept in one.concepts}
    phrases = concepts(listed) - known
    return (*single, *(Meant("#" + one, "", {one: 1.0}) for one in sorted(phrases)))


def make_card(tool: Tool) -> Card:
    """Reads a tool's words by where they stand."""
    whole = Counter[str]()
    for weight, text in _fields(tool):
        for term, count in bag(words(text)).items():
            whole[term] += weight * min(count, 2)
    title = tool.title_words
    gist_words = words(tool.gist)
    verb = title[:1] if title and (is_act(title[0]) or is_question(title[0])) else gist_words[:1]
    verbs = frozenset(concept for word in verb for concept in concepts_of(word)) | {
        "=" + stem(word) for word in verb
    }
    nouns = [word for word in title if word not in verb] or gist_words[1:]
    return Card(
        tool=tool,
        all=Words(whole, frozenset(t for t in whole if t.startswith("#"))),
        name=meant(title),
        gist=tuple(replace(one, stem="") for one in meant(gist_words) if one.concepts),
        verbs=verbs,
        objects=meant(nouns),
        choices=frozenset(_choice_terms(tool)),
        actions=frozenset({*actions(verb), *actions(title)}),
    )


def _fields(tool: Tool) -> Iterable[tuple[int, str]]:
    yield 3, " ".join(tool.title_words)
    yield 2, tool.gist
    yield 1, tool.description
    for slot in tool.slots:
        yield 1, " ".join([*slot.title_words, slot.description])
        yield 1, " ".join(str(choice).replace("_", " ") for choice in slot.choices)


def _choice_terms(tool: Tool) -> Iterable[str]:
    for slot in tool.slots:
        for choice in slot.choices:
            yield from (stem(word) for word in content(words(str(choice).replace("_", " "))))


_CROWD = 12
"""In a smaller set of tools, what all share would seem to tell nothing."""


class Lexical:
    """BM25 and its kin over one set of tools, in plain Python."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.cards = tuple(make_card(tool) for tool in tools)
        seen = Counter(term for card in self.cards for term in card.all.terms)
        count = max(len(self.cards), _CROWD)
        self._idf = {term: math.log(1 + (count - n + 0.5) / (n + 0.5)) for term, n in seen.items()}
        self._rare = math.log(1 + (count + 0.5) / 0.5)
        lengths = [sum(card.all.terms.values()) for card in self.cards]
        self._mean = sum(lengths) / max(len(lengths), 1) or 1.0
        self._stems = {term for term in seen if not term.startswith("#")}

    def idf(self, term: str) -> float:
        """How telling a term is; one that no tool has tells as much as can be."""
        return self._idf.get(term, 0.7 * self._rare)

    def hear(self, text: str) -> Said:
        """Prepares what was said, guessing at misheard words of this toolset."""
        low = plain(text)
        said = words(low)
        meaningful = content(said)
        terms = weighed(said)
        for word in meaningful:
            for guess in self._misheard(word):
                terms.setdefault(guess, 0.6)
        negated = any(word in {"not", "never", "no"} for word in said)
        return Said(
            " ".join(said),
            tuple(meaningful),
            terms,
            tuple(self._groups(meaningful, terms)),
            asks(" ".join(said)),
            negated,
            actions(said),
        )

    def _groups(
        self, meaningful: Sequence[str], terms: Mapping[str, float]
    ) -> Iterator[tuple[str, ...]]:
        """What each word may count as: itself, a likely misheard word, its groups of meaning."""
        grouped: set[str] = set()
        for word in dict.fromkeys(meaningful):
            own = (stem(word), *self._misheard(word), *("#" + c for c in concepts_of(word)))
            grouped.update(own)
            yield own
        yield from ((term,) for term in terms if term not in grouped)

    def _misheard(self, word: str) -> list[str]:
        heard = stem(word)
        if heard in self._stems or len(heard) < 4 or concepts_of(word):
            return []
        return [known for known in self._stems if sounds_like(heard, known)]

    def rows(self, said: Said) -> list[list[float]]:
        """The lexical features of each tool; embeddings' columns left at zero."""
        total = sum(self._best(group, said) for group in said.groups) or 1.0
        return [self._row(card, said, total) for card in self.cards]

    def _best(self, group: Sequence[str], said: Said) -> float:
        return max((self._weight(term) * said.terms.get(term, 0.0) for term in group), default=0.0)

    def _weight(self, term: str) -> float:
        known = term in self._idf
        if term.startswith("#"):
            return 0.7 * self._idf[term] if known else 0.0
        return self._idf[term] if known else 0.4 * self._rare

    def _row(self, card: Card, said: Said, total: float) -> list[float]:
        size = sum(card.all.terms.values()) / self._mean
        bm25 = cover = 0.0
        for group in said.groups:
            weights = [
                (self._weight(term) * said.terms[term], card.all.terms[term])
                for term in group
                if term in card.all.terms and term in said.terms
            ]
            if weights:
                cover += max(weight for weight, _ in weights)
                bm25 += max(w * n * 2.2 / (n + 1.2 * (0.4 + 0.6 * size)) for w, n in weights)
        heard = said.terms
        return [
            bm25 / 8.0,
            self._share(card.name, heard),
            cover / total,
            self._share(card.gist, heard),
            self._verb(card, said),
            self._share(card.objects, heard),
            _act(card, said),
            float(bool(card.choices & heard.keys())),
            *[0.0] * 5,
            _conflict(card, said),
            *[0.0] * 3,
            _opposite(card, said),
            *[0.0] * 4,
        ]  # fmt: skip

    def _share(self, parts: Sequence[Meant], heard: Mapping[str, float]) -> float:
        """How much of what a tool is called was said, word by word."""
        total = sum(self.idf(part.key) for part in parts)
        return (
            sum(self.idf(part.key) * _match(part, heard) for part in parts) / total
            if total
            else 0.0
        )

    def _verb(self, card: Card, said: Said) -> float:
        heard = {t.removeprefix("#") if t.startswith("#") else "=" + t for t in said.terms}
        return float(bool(card.verbs & heard))


_TELLING = {
    Role.CHOICE,
    Role.DATE,
    Role.TIME,
    Role.MOMENT,
    Role.EMAIL,
    Role.MONEY,
    Role.COUNT,
    Role.PHONE,
}


def _telling(slot: Slot | None) -> bool:
    return slot is not None and (slot.role in _TELLING or bool(slot.pattern))


def _homeless(turn: Turn, found: Mapping[str, Filled]) -> bool:
    """Whether a long code was read out that the tool has no place for."""
    bare = [code.text for code in turn.codes if len(code.text) >= 4]
    placed = "".join(
        str(filled.value).lower()
        for filled in found.values()
        if isinstance(filled.value, str | int)
    )
    placed = "".join(c for c in placed if c.isalnum())
    return any(not _placed(code, placed) for code in bare)


def _placed(code: str, placed: str) -> bool:
    return code[-4:] in placed


def _act(card: Card, said: Said) -> float:
    """Whether asking meets a tool that tells, or telling one that acts."""
    if said.asks:
        return -1.0 if card.tool.changes else 1.0
    return 0.5 if card.tool.changes else -0.5


_PAIRS = (
    ("book", "cancel"), ("add", "remove"), ("open", "close"), ("start", "stop"), ("raise", "lower"),
    ("join", "leave"), ("increase", "decrease"), ("upgrade", "downgrade"), ("arrive", "depart"),
    ("attach", "detach"), ("connect", "disconnect"), ("borrow", "return"), ("buy", "sell"),
    ("pause", "resume"), ("reserve", "cancel"), ("renew", "cancel"), ("order", "cancel"),
)  # fmt: skip
_OPPOSITES = {(stem(a), stem(b)) for a, b in _PAIRS} | {(stem(b), stem(a)) for a, b in _PAIRS}


def _opposite(card: Card, said: Said) -> float:
    """1 where the tool undoes what was said: "block" and `unblock_…`, "book" and `cancel_…`."""
    titled = {stem(word) for word in card.tool.title_words}
    spoken = {stem(word) for word in said.text.split()}
    for mine in titled - spoken:
        for other in spoken - titled:
            undone = any(mine == un + other or other == un + mine for un in ("un", "de", "dis"))
            if undone or (mine, other) in _OPPOSITES:
                return 1.0
    return 0.0


def _match(part: Meant, heard: Mapping[str, float]) -> float:
    if part.stem in heard:
        return heard[part.stem]
    return max((heard.get("#" + concept, 0.0) for concept in part.concepts), default=0.0)


def _conflict(card: Card, said: Said) -> float:
    """How much of what the caller wants done is what the tool does; below 0 where it is not."""
    total = sum(said.actions.values())
    if not total:
        return 0.0
    if not card.actions:
        return 0.0 if said.asks else -0.25
    return sum(sure for deed, sure in said.actions.items() if deed in card.actions) / total - 0.5


def fillings(tool: Tool, turn: Turn) -> tuple[float, float, float, float]:
    """How much of a request finds its place in a tool's arguments, and how much does not."""
    found = fill(tool.slots, turn)
    telling = [name for name in found if _telling(tool.slot(name))]
    missing = sum(slot.name not in found for slot in tool.required)
    coded = any(_coded(tool.slot(name), filled) for name, filled in found.items())
    return (
        min(len(telling), 3) / 3,
        min(missing, 3) / 3,
        float(_homeless(turn, found)),
        float(coded),
    )


def _coded(slot: Slot | None, filled: Filled) -> bool:
    """Whether a code of letters and digits went where a pattern wants it."""
    text = str(filled.value)
    return slot is not None and bool(slot.pattern) and not text.isdigit() and len(text) > 3


def meaningful(said: Said) -> list[str]:
    """Content words, or everything said where nothing is left."""
    return list(said.content) or [word for word in said.text.split() if word not in STOPWORDS]
