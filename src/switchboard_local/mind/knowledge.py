# ruff: noqa: E501 -- patterns of speech read better unbroken
"""What the session's instructions tell: who the agent is, what day it is, and plain facts."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from switchboard_local.mind.evidence import bag
from switchboard_local.mind.lexicon import concepts_of, content
from switchboard_local.mind.text import sentences, stem, words

_TODAY = re.compile(
    r"\btoday(?:'s date)?(?: is|:)?[^.\n]{0,24}?(\d{4})-(\d{2})-(\d{2})", re.IGNORECASE
)
_ORDERS = re.compile(
    r"^(?:[-*•\d.)\s]*)(?:you\b|your\b|always|never|do not|don't|if\b|when\b|ask|say|tell|use|be\b|keep|speak|greet|"
    r"answer|help|offer|confirm|read|call|remember|avoid|make sure|please|only|before|after|introduce|today|"
    r"respond|reply|stay|let|give|end|thank|apologi[sz]e|repeat|spell|check|begin|start|the caller|callers|#|<)",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"^(?:[#*\s]*)you (?:are|answer|help|work|speak|represent|serve)\b[^.\n]*",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = re.compile(
    r"\byou are ([A-Z][\w'-]+)(?=[,. ])|\byour name is ([A-Z][\w'-]+)", re.IGNORECASE
)
_QUOTED = re.compile(
    r"[\"“«]([^\"”»]{3,400})[\"”»]|(?<!\w)'((?:[^']|(?<=\w)'(?=\w)){3,400})'(?!\w)|\u2018([^\u2019]{3,400})\u2019"
)
_ABOUT = {
    "you": "I", "your": "my", "yours": "mine", "yourself": "myself", "are": "am",
}  # fmt: skip
_SURE = 0.62


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence of the instructions that answers a question, and how well."""

    text: str
    score: float


def today_in(instructions: str, clock: Callable[[], date]) -> date:
    """The day the instructions say it is; the clock's where they do not."""
    match = _TODAY.search(instructions)
    if match:
        try:
            return date(*(int(part) for part in match.groups()))
        except ValueError:
            return clock()
    return clock()


def quoted(text: str) -> str:
    """The first quotation in `text`; empty where there is none."""
    match = _QUOTED.search(text)
    return next((part.strip() for part in match.groups() if part), "") if match else ""


def introduction(instructions: str) -> str:
    """ "I am Skye, the phone agent of Northwind Air." from "You are …"; empty if they do not say."""
    match = _SELF.search(instructions)
    if not match:
        return ""
    said = match.group().strip(" #*")
    said = re.split(r"\s+(?:who|that|which|and you|whose)\b", said)[0]
    turned = [_ABOUT.get(word.lower(), word) for word in said.split()]
    return " ".join(turned)[:200].rstrip(".,; ") + "."


def agent_name(instructions: str) -> str:
    """The agent's own name, where the instructions give one."""
    match = _NAMED.search(instructions)
    name = next((part for part in match.groups() if part), "") if match else ""
    return name if name[:1].isupper() and name.lower() not in {"a", "an", "the"} else ""


def facts(texts: Sequence[str]) -> list[str]:
    """Sentences that state something, leaving out what orders the agent about."""
    listed = [part.strip(" -*•") for text in texts for part in sentences(text)]
    return [part for part in listed if not _ORDERS.match(part) and len(part.split()) >= 4]


def best_fact(
    question: str, known: Sequence[str], likeness: Callable[[str, str], float]
) -> Fact | None:
    """The fact that answers the question, if one clearly does."""
    asked = content(words(question))
    if not asked:
        return None
    scored = [Fact(fact, _score(fact, asked, question, likeness)) for fact in known]
    best = max(scored, key=lambda fact: fact.score, default=None)
    return best if best and best.score >= _SURE else None


def _score(
    fact: str, asked: Sequence[str], question: str, likeness: Callable[[str, str], float]
) -> float:
    told = set(bag(words(fact)))
    covered = sum(_covered(word, told) for word in asked) / len(asked)
    return covered * 0.7 + 0.5 * max(likeness(question, fact), 0.0)


def _covered(word: str, told: set[str]) -> float:
    if stem(word) in told:
        return 1.0
    return 0.8 if any("#" + concept in told for concept in concepts_of(word)) else 0.0
