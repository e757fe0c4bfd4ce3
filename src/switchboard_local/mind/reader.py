"""Reads a request for what it means: which tool, which choice, which words are an argument.

The taught encoder (`sentences.py` with a lesson) gives each token of a text a state. Upon them:

    likeness   a request and a text: near as a whole, and word by word, where a gate says which
               words tell something; against the likeness that would be needed at all
    spans      a request and an argument: which of the words are it, if any

`tests/local/mind/teach.py` taught both from what callers of invented businesses say.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from io import BytesIO
from typing import Final

import numpy as np

from switchboard_local.mind.catalogue import Role, Slot, Tool
from switchboard_local.mind.choices import spoken
from switchboard_local.mind.insight import Span
from switchboard_local.mind.sentences import Lesson, Sentences, mean_of
from switchboard_local.mind.text import name_words
from switchboard_local.mind.vectors import NoEmbeddings, Vector

_REMEMBERED: Final = 512
"""Texts whose states are kept: about 30 kB each."""
_LONGEST_SPAN: Final = 24
_LONGEST_NAME: Final = 8
"""Tokens: of a person or a place."""
_EPS: Final = 1e-12
_FILE: Final = "learnt.npz"
_HEAD: Final = "head."
_HEADS: Final = frozenset(
    {f"{task}.{part}" for task in ("tool", "choice") for part in ("near", "gate", "scales", "none")}
    | {"choice.open", "span.first", "span.last"}
)


def load_lesson() -> Lesson:
    """Reads what was learnt. Raises `NoEmbeddings`."""
    try:
        data = files("switchboard_local.mind").joinpath(_FILE).read_bytes()
        with np.load(BytesIO(data), allow_pickle=False) as stored:
            return {name: stored[name].astype(np.float32) for name in stored.files}
    except (OSError, KeyError, ValueError) as fault:
        raise NoEmbeddings(f"the mind's file {_FILE} cannot be read") from fault


@dataclass(frozen=True)
class Reading:
    """What was read of one text."""

    text: str
    states: Vector
    """Tokens by 384; the first and the last stand for no word."""
    offsets: Sequence[tuple[int, int]]
    near: "dict[str, Vector]" = field(default_factory=dict[str, Vector], hash=False, compare=False)
    """By head: the tokens that are words, made ready to be compared."""

    @cached_property
    def whole(self) -> Vector:
        return mean_of(self.states)


@dataclass(frozen=True)
class Told:
    """Texts a request may mean, made ready."""

    whole: Vector
    """Texts by 384."""
    near: Sequence[Vector]
    """For each text: its words by 96."""


class Reader:
    """A taught encoder and its heads. Shared by all conversations; safe in any thread."""

    def __init__(self, taught: Sentences, lesson: Lesson) -> None:
        """Raises `NoEmbeddings` where the lesson lacks a head."""
        self._taught = taught
        self._heads = {n.removeprefix(_HEAD): a for n, a in lesson.items() if n.startswith(_HEAD)}
        if lacking := _HEADS - self._heads.keys():
            raise NoEmbeddings(f"the mind's file {_FILE} lacks {', '.join(sorted(lacking))}")
        self._known: OrderedDict[str, Reading] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, text: str) -> Reading:
        """Some ten milliseconds of CPU for a text that is new."""
        with self._lock:
            if (known := self._known.get(text)) is not None:
                self._known.move_to_end(text)
                return known
        reading = Reading(text, *self._taught.states(text))
        with self._lock:
            self._known[text] = reading
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return reading

    def tell_tools(self, tools: Sequence[Tool]) -> Told:
        """Makes tools ready to be compared with requests."""
        whole: list[Vector] = []
        near: list[Vector] = []
        for tool in tools:
            views = [self.read(text) for text in tool_texts(tool)]
            both = views[0].whole + views[1].whole
            whole.append(both / max(float(np.linalg.norm(both)), _EPS))
            near.append(np.concatenate([self._near("tool", view) for view in views]))
        return Told(np.stack(whole) if whole else np.zeros((0, 384), np.float32), near)

    def tools(self, text: str, told: Told) -> Vector:
        """For each tool how much likelier it is meant than that none is, in nats."""
        said = self.read(text)
        none = 10 * (said.whole @ self._heads["tool.none"][:-1] + self._heads["tool.none"][-1])
        return self._likeness("tool", said, told) - none

    def choice(self, slot: Slot, text: str) -> Sequence[float]:
        """The chance that each choice of `slot` was meant; the last is that of none."""
        said, about = self.read(text), self.read(slot_text(slot))
        texts = [self.read(choice_text(slot, choice)) for choice in slot.choices]
        told = Told(
            np.stack([one.whole for one in texts]), [self._near("choice", one) for one in texts]
        )
        mine, its = self._heads["choice.open"]
        head = self._heads["choice.none"]
        none = 4 * (mine @ said.whole) @ (its @ about.whole)
        none += 10 * (about.whole @ head[:-1] + head[-1])
        return _softmax(np.append(self._likeness("choice", said, told), none)).tolist()

    def span(self, slot: Slot, text: str) -> Span | None:
        """The words of `text` that are the argument; `None` where it is likelier not in it."""
        said, about = self.read(text), self.read(slot_text(slot))
        words = len(said.states) - 1
        first, last = (
            _log_softmax((said.states[:words] @ token.T) @ (2.0 * (asked @ about.whole)))
            for token, asked in (self._heads["span.first"], self._heads["span.last"])
        )
        longest = _LONGEST_NAME if slot.role in {Role.PERSON, Role.PLACE} else _LONGEST_SPAN
        best, at = float(first[0] + last[0]), (0, 0)
        for begin in range(1, words):
            ends = last[begin : begin + longest]
            end = int(ends.argmax())
            if (score := float(first[begin] + ends[end])) > best:
                best, at = score, (begin, begin + end)
        if at == (0, 0):
            return None
        return Span(_words_between(said, *at), math.exp(best / 2))

    def _likeness(self, task: str, said: Reading, told: Told) -> Vector:
        scales = np.exp(self._heads[f"{task}.scales"])
        words = said.states[1:-1]
        if not len(words) or not len(told.whole):
            return np.zeros(len(told.whole), np.float32)
        gate = _softmax(words @ self._heads[f"{task}.gate"])
        mine = self._near(task, said)
        matched = [float((mine @ each.T).max(axis=1, initial=-1.0) @ gate) for each in told.near]
        return scales[0] * (told.whole @ said.whole) + scales[1] * np.array(matched, np.float32)

    def _near(self, task: str, reading: Reading) -> Vector:
        known = reading.near.get(task)
        if known is None:
            known = reading.states[1:-1] @ self._heads[f"{task}.near"].T
            known /= np.maximum(np.linalg.norm(known, axis=1, keepdims=True), _EPS)
            reading.near[task] = known
        return known


def tool_texts(tool: Tool) -> tuple[str, str]:
    """A tool as two texts: what it says of itself, and what its arguments are."""
    title = " ".join(tool.title_words)
    told = (
        " ".join([*slot.title_words, ", ".join(spoken(choice) for choice in slot.choices)]).strip()
        for slot in tool.slots
    )
    return f"{title}: {tool.description}", f"{title}: {'; '.join(told)}"


def slot_text(slot: Slot) -> str:
    """An argument as a text."""
    return f"{' '.join(name_words(slot.tool))}: {' '.join(slot.title_words)}. {slot.description}"


def choice_text(slot: Slot, choice: object) -> str:
    """One of an argument's values as a text."""
    return f"{' '.join(slot.title_words)}: {spoken(choice)}"


def _words_between(said: Reading, first: int, last: int) -> str:
    """Whole words, even where the tokens are parts of them."""
    begin, end = said.offsets[first][0], said.offsets[last][1]
    text = said.text
    while begin > 0 and text[begin - 1].isalnum():
        begin -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    if text[:begin].endswith(" The ") or (begin == 4 and text.startswith("The ")):
        begin -= 4  # the first word of a title
    return text[begin:end].strip(" .,;:!?")


def _softmax(scores: Vector) -> Vector:
    shares = np.exp(scores - scores.max())
    return shares / shares.sum()


def _log_softmax(scores: Vector) -> Vector:
    shifted = scores - scores.max()
    return shifted - np.log(np.exp(shifted).sum())
