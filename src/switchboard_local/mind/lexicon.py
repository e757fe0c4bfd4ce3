"""Everyday service words: which mean nearly the same, which ask, which act, which only fill."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from switchboard_local.mind.numbers import is_number_word
from switchboard_local.mind.text import stem
from switchboard_local.mind.wordlists import lines, listed

STOPWORDS = listed(
    "a an the and or but of to in on at by for with from into onto as is are was were be been "
    "being am do does did doing have has had having i me my mine myself we us our you your it its "
    "he she they them their this that these those there here who whom which what when where why "
    "how will would can could should shall may might must if then than so just also too very "
    "really please thanks thank hello hi hey ok okay right well now like um uh er erm hmm ah oh "
    "yeah yes no not some any all about up out over off only own same such once again got get "
    "gets getting want wants wanted need needs needed let go going come one ones thing things "
    "something anything know tell think see look wondering wonder sorry bit kind sort actually "
    "basically maybe"
)

FILLERS = listed(
    "um uh er erm hmm ah eh well so okay ok right please yeah like actually basically just"
)


_ACTIONS = listed(
    "block unblock cancel end change move book register pay buy send transfer refund dispute "
    "complain repair report deliver renew replace apply person hangup callback add remove "
    "upload return borrow hold suggest donate upgrade downgrade pause invite redeliver "
    "neighbour collect pickup dropoff takeaway review lostproperty access phishing solved "
    "absence message extend notice tenant viewing rebook redeem pin port estimate"
)
"""Groups of meaning that are something to do."""

_TIME_WORDS = listed(
    "monday tuesday wednesday thursday friday saturday sunday january february march april june "
    "july august september october november december today tomorrow yesterday tonight morning "
    "afternoon evening night week month year day hour minute half past quarter oclock am pm first "
    "second third fourth fifth sixth seventh eighth ninth tenth twentieth thirtieth pound pounds "
    "quid euro euros dollars double triple hundred thousand million"
)

_ASK = listed(
    "get list find check search view show look lookup query inquire enquire fetch read retrieve "
    "describe explain tell see compare calculate estimate quote track count browse determine "
    "verify display give return inform answer locate"
)
_ACT = listed(
    "pay block unblock freeze unfreeze book reserve cancel change update set create add remove "
    "delete send transfer order request report renew register submit make move reschedule open "
    "close start stop activate deactivate apply file buy purchase extend replace reset enable "
    "disable schedule upgrade downgrade switch dispute refund issue pause resume join enrol "
    "enroll subscribe raise log sign place hold arrange amend modify borrow return redeem appeal "
    "end terminate hang lock unlock top turn call invite waive claim print redirect convert"
)
VAGUE = 1.0
"""How fast a word says less of each group, the more groups it is in."""
_ASKING_STARTS = (
    "how much", "how many", "how long", "how far", "how late", "what", "when", "where", "which",
    "who",
    "is there", "are there", "is it", "is my", "are my", "has my", "have my", "have i", "did my",
    "do i", "am i", "does my", "show me", "tell me", "list", "any chance you could tell",
    "can you tell", "could you tell", "can you check", "could you check", "check", "look up",
    "i want to know", "i would like to know", "i was wondering", "do you know", "do you have",
    "have you got", "find out", "let me know", "give me", "can i see", "can i hear", "read me",
    "remind me", "what about", "how about", "how is", "how are", "are you", "why",
    "want to know", "like to know", "need to know", "wanted to know", "curious", "just checking",
    "can you see", "could you see", "like to see my", "want to see my", "like to hear", "see my",
    "like to see the", "like to see what", "want to see what", "how do i", "see if",
    "see whether", "find", "i am looking for",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Lexicon:
    by_stem: MappingProxyType[str, tuple[str, ...]]
    phrases: tuple[tuple[str, str], ...]


_VAGUE_WORDS = listed(
    "another more new use used using work working back left get give show tell take bring "
    "next keep big small long longer free time place number name person hand call way good "
    "nice right bad little lot out off on up down extra less full day night week see look let "
    "know like need want make move put go going come send help ask say last first other same "
    "different wrong line end turn run hold change start stop talk main key any"
)
"""Words that say too little by themselves to mean a group; in phrases they count."""


def _read_groups() -> _Lexicon:
    by_stem: dict[str, set[str]] = {}
    phrases: list[tuple[str, str]] = []
    for line in lines("synonyms.txt"):
        concept, _, members = line.partition(":")
        parts = [part.strip() for part in members.split("|")]
        for word in [concept, *parts[0].split()]:
            if word in _VAGUE_WORDS and word != concept:
                continue
            by_stem.setdefault(stem(word), set()).add(concept)
        phrases += [(f" {part} ", concept) for part in parts[1:] if part]
    frozen = {word: tuple(sorted(concepts)) for word, concepts in by_stem.items()}
    return _Lexicon(MappingProxyType(frozen), tuple(phrases))


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    return _read_groups()


@lru_cache(maxsize=8192)
def concepts_of(word: str) -> tuple[str, ...]:
    """The groups of meaning that a single word belongs to."""
    return _lexicon().by_stem.get(stem(word), ())


def concepts(said: Iterable[str]) -> set[str]:
    """The groups of meaning in a stretch of plain words, phrases included."""
    listed = list(said)
    found = {concept for word in listed for concept in concepts_of(word)}
    joined = f" {' '.join(listed)} "
    return found | {concept for phrase, concept in _lexicon().phrases if phrase in joined}


def weighed_concepts(said: Iterable[str]) -> dict[str, float]:
    """Groups of meaning with how surely each is meant: a word of many is vague about each."""
    listed = list(said)
    weights: dict[str, float] = {}
    for word in listed:
        groups = concepts_of(word)
        for concept in groups:
            weights[concept] = max(weights.get(concept, 0.0), len(groups) ** -VAGUE)
    joined = f" {' '.join(listed)} "
    for phrase, concept in _lexicon().phrases:
        if phrase in joined:
            weights[concept] = 1.0
    return weights


def content(said: Iterable[str]) -> list[str]:
    """The words that carry meaning."""
    return [word for word in said if _carries(word)]


def _carries(word: str) -> bool:
    return (
        len(word) > 1
        and word not in STOPWORDS
        and word not in _TIME_WORDS
        and not is_number_word(word)
        and word[:1].isalpha()
    )


def actions(said: Iterable[str]) -> dict[str, float]:
    """The groups of meaning in plain words that are something to do, and how surely."""
    return {c: sure for c, sure in weighed_concepts(said).items() if c in _ACTIONS}


def is_act(verb: str) -> bool:
    """Whether a tool that starts with this verb changes something."""
    return _in(verb, _ACT)


def is_question(verb: str) -> bool:
    """Whether a tool that starts with this verb only looks."""
    return _in(verb, _ASK)


def _in(verb: str, verbs: frozenset[str]) -> bool:
    return verb in verbs or stem(verb) in {stem(known) for known in verbs}


def asks(said: str) -> bool:
    """Whether the caller wants to know rather than to have something done."""
    padded = f" {said} "
    return any(said.startswith(cue + " ") for cue in _ASKING_STARTS) or any(
        f" {cue} " in padded for cue in _ASKING_STARTS if " " in cue
    )
