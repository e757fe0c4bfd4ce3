"""Which of the listed values the caller named: by word, by sound, by meaning, by position."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from switchboard_local.mind.catalogue import Slot
from switchboard_local.mind.clock import clocks
from switchboard_local.mind.insight import Insight
from switchboard_local.mind.lexicon import STOPWORDS, concepts, concepts_of, content
from switchboard_local.mind.numbers import in_words, numbers, ordinal_value
from switchboard_local.mind.text import name_words, plain, sounds_like, stem, words

_NEAR = 0.42
"""How alike in meaning an answer must be to a choice for it to be taken."""


@dataclass(frozen=True, slots=True)
class Picked:
    """The choice made; `every` holds all that were named."""

    value: object
    every: tuple[object, ...]
    unsure: bool = False
    hinted: bool = False
    """Whether it was not named, only meant."""


def spoken(choice: object) -> str:
    """A listed value as one would say it."""
    text = str(choice)
    return " ".join(name_words(text)) if re.search(r"[a-z]", text, re.IGNORECASE) else text


def pick_choice(
    slot: Slot,
    text: str,
    *,
    asked: bool,
    likeness: Callable[[str, str], float],
    insight: Insight | None = None,
) -> Picked | None:
    """The choice named in `text`, or meant by it. Position counts only where it was asked for."""
    said = words(plain(text))
    if not asked:
        said = _telling(said, slot)
    scored = sorted(
        ((_score(choice, slot, said), -place) for place, choice in enumerate(slot.choices)),
        reverse=True,
    )
    named = [slot.choices[-place] for score, place in scored if score >= 0.6]
    if named and not (len(scored) > 1 and scored[0][0] == scored[1][0] < 1.0):
        return Picked(_last_said(named, said), tuple(named), unsure=scored[0][0] < 0.75)
    placed = _by_position(slot, said) if asked else None
    if placed or insight is None:
        return placed or (_by_meaning(slot, text, likeness) if asked else None)
    return _by_insight(slot, text, insight, asked=asked)


_MEANT = 0.5
"""The chance from which a choice that was not named is taken, to be read back."""
_NEEDED = 0.3
"""The same where a choice must be made anyway, or was asked for: reading it back costs less than
asking."""


def _by_insight(slot: Slot, text: str, insight: Insight, *, asked: bool) -> Picked | None:
    """ "He can't walk far" means a wheelchair."""
    if len(slot.choices) < 2 or not all(isinstance(choice, str) for choice in slot.choices):
        return None
    if not asked and _only_names(slot, text):
        return None
    *chances, _none = insight.choice(slot, text)
    best = max(range(len(chances)), key=chances.__getitem__)
    if chances[best] < (_NEEDED if asked or slot.required else _MEANT):
        return None
    value = slot.choices[best]
    return Picked(value, (value,), unsure=True, hinted=True)


def _only_names(slot: Slot, text: str) -> bool:
    """Whether nothing is said but what the tool is for: that hints at no choice."""
    written = [*name_words(slot.tool), *slot.title_words, *words(plain(slot.purpose))]
    own = {stem(word) for word in written}
    return all(stem(word) in own for word in content(words(plain(text))))


def _telling(said: list[str], slot: Slot) -> list[str]:
    """Without the words that only name the tool: "savings" chooses no kind of savings account."""
    own = {stem(word) for word in name_words(slot.tool)}
    named = {stem(part) for choice in slot.choices for part in name_words(str(choice))}
    return [word for word in said if stem(word) not in own or stem(word) in named]


def _last_said(named: list[object], said: list[str]) -> object:
    """Of several choices named in full, the one not taken back: "not the red, the blue one".

    One whose words are all another's was named only as a part of it: "premium economy".
    """
    joined = " ".join(said)
    parts = {one: set(name_words(str(one))) for one in named}
    named = [
        one
        for one in named
        if not any(
            parts[one] < parts[other] and spoken(other) in joined for other in named if other != one
        )
    ]
    kept = [
        one
        for one in named
        if not re.search(rf"\bnot (?:the |a )?{re.escape(spoken(one))}\b", joined)
    ]
    return (kept or named)[0]


def _score(choice: object, slot: Slot, said: list[str]) -> float:
    """1 when every word of the choice was said, less when words are only like it."""
    if isinstance(choice, str) and re.fullmatch(r"\d{1,2}:\d{2}", choice):
        return _time_score(choice, said)
    if isinstance(choice, bool) or not isinstance(choice, str):
        return _number_score(choice, said)
    parts = [part for part in name_words(choice) if part not in STOPWORDS] or name_words(choice)
    if not parts:
        return 0.0
    if len(parts) == 1 and len(parts[0]) == 1:
        return _letter_score(parts[0], slot, said)
    meant = concepts(said)
    scores = [_part_score(part, said, meant) for part in parts]
    whole = sum(scores) / len(parts)
    if len(parts) > 1 and max(scores) == 1.0 and whole < 0.6 and _only_here(choice, slot, said):
        return 0.6
    return whole


def _only_here(choice: str, slot: Slot, said: list[str]) -> bool:
    """Whether a word of the choice was said that no other choice has: "tree" of "fallen tree"."""
    mine = {stem(part) for part in name_words(choice)} & {stem(word) for word in said}
    others = {stem(p) for other in slot.choices if other != choice for p in name_words(str(other))}
    return any(word not in others and len(word) > 2 for word in mine)


def _part_score(part: str, said: list[str], meant: set[str]) -> float:
    if part == "off" and said[-1:] == ["of"]:
        return 1.0  # nothing ends on "of": a recogniser's slip
    best = max((_alike(part, word) for word in said), default=0.0)
    return best or (0.62 if set(concepts_of(part)) & meant else 0.0)


def _time_score(choice: str, said: list[str]) -> float:
    hour, _, minute = choice.partition(":")
    times = clocks(" ".join(said)) or clocks("at " + " ".join(said))
    return float(
        any(clock.at.hour == int(hour) and clock.at.minute == int(minute) for clock in times)
    )


def _letter_score(letter: str, slot: Slot, said: list[str]) -> float:
    """A single letter counts only right after the slot's own name, or alone."""
    named = {stem(word) for word in slot.title_words}
    for at, word in enumerate(said):
        if word == letter and (len(said) == 1 or (at and stem(said[at - 1]) in named)):
            return 1.0
    return 0.0


def _number_score(choice: object, said: list[str]) -> float:
    joined = " ".join(said)
    values = [int(n.value) for n in numbers(joined) if n.value is not None and not n.ordinal]
    if isinstance(choice, int) and choice in values:
        return 1.0
    return (
        float(str(choice).lower() in said or in_words(choice) in joined)
        if isinstance(choice, int)
        else 0.0
    )


def _alike(part: str, word: str) -> float:
    if part == word or stem(part) == stem(word):
        return 1.0
    if word in STOPWORDS:
        return 0.0
    if (
        len(part) > 3
        and len(word) > 3
        and stem(word)[:5] == stem(part)[:5]
        and len(stem(word)) >= 5
    ):
        return 0.85
    if sounds_like(word, part) or (len(word) > 4 and part.endswith(word)):
        return 0.7
    return 0.65 if set(concepts_of(part)) & set(concepts_of(word)) else 0.0


def _by_position(slot: Slot, said: list[str]) -> Picked | None:
    for at in _positions(said, slot.choices):
        if -len(slot.choices) <= at < len(slot.choices):
            value = slot.choices[at]
            return Picked(value, (value,))
    return None


def _positions(said: list[str], slot_choices: tuple[object, ...]) -> Iterator[int]:
    for word in said:
        value = ordinal_value(word)
        if value is not None:
            yield value - 1
        elif word == "last":
            yield -1
        elif word == "middle" and len(slot_choices) % 2:
            yield len(slot_choices) // 2
        elif word in {"latter", "former"}:
            yield 1 if word == "latter" else 0


def _by_meaning(slot: Slot, text: str, likeness: Callable[[str, str], float]) -> Picked | None:
    ranked = sorted(
        ((likeness(text, spoken(c)), -n) for n, c in enumerate(slot.choices)), reverse=True
    )
    if not ranked or ranked[0][0] < _NEAR:
        return None
    value = slot.choices[-ranked[0][1]]
    return Picked(value, (value,), unsure=True)
