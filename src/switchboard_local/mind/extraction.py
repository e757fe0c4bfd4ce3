"""Answers that are JSON: what a JSON Schema asks for is taken from the record of a call.

Asked for by instructions with a schema between `<schema>` and `</schema>`; the record is the last
user's message, JSON with `lines` (`who`, `text`) and `tools` (`name`, `arguments`, `result`,
`state`). What is asked for is told by the schema alone: an `outcome` with a `reason` is a goal to
be judged, a text whose description speaks of sentences is a summary, and the rest are slots, filled
as a tool's would be. What the record does not say is null.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from switchboard_local.mind.catalogue import Slot, resolve
from switchboard_local.mind.fold import text_of
from switchboard_local.mind.insight import Insight
from switchboard_local.mind.lexicon import concepts, content
from switchboard_local.mind.schema import fits
from switchboard_local.mind.slots import fill
from switchboard_local.mind.text import name_words, stem, words
from switchboard_local.mind.turn import Turn
from switchboard_local.mind.values import JsonObject, as_list, as_object, as_text, parse

_SCHEMA: Final = re.compile(r"<schema>(.*)</schema>", re.DOTALL)
_MOST_LINES: Final = 400
_LONGEST_QUOTE: Final = 140
_SENTENCES: Final = re.compile(r"\bsentences?\b", re.IGNORECASE)
_ALIKE: Final = 0.34
"""So much of a goal's words must be a tool's, or a caller's, to be about the same."""
_GREETING: Final = frozenset(
    ["hello", "hi", "hey", "good", "morning", "afternoon", "evening", "thanks", "thank", "you"]
)

type Likeness = Callable[[str, str], float]


@dataclass(frozen=True, slots=True)
class _Line:
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class _Ran:
    name: str
    arguments: JsonObject
    result: object
    state: str

    @property
    def title(self) -> str:
        return " ".join(name_words(self.name))

    @property
    def done(self) -> bool:
        return self.state == "done" and "error" not in as_object(self.result)


@dataclass(frozen=True, slots=True)
class Record:
    """A call, as it was written down."""

    lines: Sequence[_Line]
    tools: Sequence[_Ran]
    today: date

    def said_by(self, who: str) -> list[str]:
        return [line.text for line in self.lines if line.who == who]


def wanted(instructions: str) -> JsonObject | None:
    """The schema of what is to be answered; `None` where nothing of the kind is asked for."""
    found = _SCHEMA.search(instructions)
    schema = as_object(parse(found.group(1)) if found else None)
    return schema if as_object(schema.get("properties")) else None


def read_record(items: Sequence[Mapping[str, object]], today: date) -> Record | None:
    """What the last user's message tells; `None` where it is no record."""
    told = [text_of(item) for item in items if item.get("role") == "user"]
    record = as_object(parse(told[-1]) if told else None)
    if not record:
        return None
    lines = [as_object(line) for line in as_list(record.get("lines"))[-_MOST_LINES:]]
    tools = [as_object(tool) for tool in as_list(record.get("tools"))]
    began = as_text(as_object(record.get("call")).get("began"))[:10]
    return Record(
        [_Line(as_text(line.get("who")), as_text(line.get("text"))) for line in lines],
        [
            _Ran(
                as_text(tool.get("name")),
                as_object(tool.get("arguments")),
                tool.get("result"),
                as_text(tool.get("state")),
            )
            for tool in tools
        ],
        _day(began) or today,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def extract(
    schema: JsonObject, record: Record, likeness: Likeness, insight: Insight | None = None
) -> str:
    """JSON text that says of the record what the schema asks for."""
    answer = _object(schema, schema, record, likeness, insight)
    return json.dumps(answer, ensure_ascii=False)


def _object(
    schema: JsonObject,
    root: JsonObject,
    record: Record,
    likeness: Likeness,
    insight: Insight | None,
) -> dict[str, object]:
    answer: dict[str, object] = {}
    slots: list[Slot] = []
    for name, part in as_object(schema.get("properties")).items():
        inner = resolve(as_object(part), root)
        properties = as_object(inner.get("properties"))
        if {"outcome", "reason"} <= properties.keys():
            answer[name] = _judged(name, as_text(inner.get("description")), record)
        elif properties:
            answer[name] = _object(inner, root, record, likeness, insight)
        elif inner.get("type") == "string" and _SENTENCES.search(as_text(inner.get("description"))):
            answer[name] = summary(record)
        else:
            answer[name] = None
            slots.append(Slot(name, inner, required=False))
    return answer | _filled(slots, record, likeness, insight)


# -- fields -----------------------------------------------------------------------------------


def _filled(
    slots: Sequence[Slot], record: Record, likeness: Likeness, insight: Insight | None
) -> dict[str, object]:
    found: dict[str, object] = {}
    asked, before = "", ""
    for line in record.lines:
        if line.who == "caller":
            turn = Turn(line.text, record.today, asked, likeness, insight)
            for name, filled in fill(slots, turn).items():
                if not filled.unsure:
                    found[name] = filled.value
        else:
            before = line.text
            asked = _asked(slots, before)
    # What a tool was given or gave is surer than what was heard.
    for slot in slots:
        for ran in record.tools:
            if ran.done and (value := _of_tool(slot, ran)) is not None:
                found[slot.name] = value
    return found


def _asked(slots: Sequence[Slot], line: str) -> str:
    """The slot that the agent's question is about."""
    if "?" not in line:
        return ""
    said = {stem(word) for word in words(line)}
    scored = [(len(said & {stem(word) for word in slot.title_words}), slot.name) for slot in slots]
    best = max(scored, default=(0, ""))
    return best[1] if best[0] else ""


def _of_tool(slot: Slot, ran: _Ran) -> object:
    """What a tool's arguments or result have under the slot's name."""
    for given in (as_object(ran.result), ran.arguments):
        for name, value in _flat(given):
            if _same_name(name, slot.name) and value is not None and fits(value, slot.schema):
                return value
    return None


def _flat(given: JsonObject) -> list[tuple[str, object]]:
    """Its values, and those of objects in it."""
    pairs: list[tuple[str, object]] = []
    for name, value in given.items():
        inner = as_object(value)
        pairs += list(inner.items()) if inner else [(name, value)]
    return pairs


def _same_name(one: str, other: str) -> bool:
    return {stem(word) for word in name_words(one)} == {stem(word) for word in name_words(other)}


# -- goals ------------------------------------------------------------------------------------


def _judged(name: str, description: str, record: Record) -> dict[str, str]:
    """Whether the call came to it: by the tools that ran, then by what was said."""
    about = _about(f"{' '.join(name_words(name))} {description}")
    ran = _best_tool(about, record.tools)
    if ran is not None:
        if ran.done:
            return _verdict("achieved", f"“{ran.title}” was carried out.")
        if ran.state in ("declined", "abandoned", "asking"):
            return _verdict("not_achieved", f"“{ran.title}” was begun and not carried out.")
        return _verdict("not_achieved", f"“{ran.title}” failed.")
    wished = next((text for text in record.said_by("caller") if _share(about, text) >= _ALIKE), "")
    if not wished:
        return _verdict("unknown", "The call says nothing of it.")
    return _verdict("not_achieved", f"The caller said “{_quote(wished)}”, and no tool was run.")


def _verdict(outcome: str, reason: str) -> dict[str, str]:
    return {"outcome": outcome, "reason": reason}


def _about(text: str) -> frozenset[str]:
    """What a text is about: the meanings of its words that carry any."""
    carrying = [word for word in content(words(text)) if word not in _EVERYWHERE]
    return frozenset(concepts(carrying)) | {stem(word) for word in carrying}


_EVERYWHERE: Final = frozenset(
    [
        "caller",
        "call",
        "agent",
        "told",
        "carried",
        "asked",
        "was",
        "were",
        "done",
        "made",
        "citizen",
        "customer",
    ]
)


def _best_tool(about: frozenset[str], tools: Sequence[_Ran]) -> _Ran | None:
    """The tool that the goal is about; of several runs that which was carried out."""
    scored = [(_share(about, ran.title, of_text=True), ran.done, ran) for ran in tools]
    fitting = [each for each in scored if each[0] >= _ALIKE]
    return max(fitting, key=lambda each: (each[1], each[0]))[2] if fitting else None


def _share(about: frozenset[str], text: str, *, of_text: bool = False) -> float:
    """How much of what is meant (or, `of_text`, of the text) both have in common."""
    said = _about(text)
    whole = said if of_text else about
    return len(about & said) / len(whole) if whole else 0.0


# -- the summary ------------------------------------------------------------------------------


def summary(record: Record) -> str:
    """Two or three sentences: what the caller wanted, what was done, how it stood at the end."""
    wishes = [text for text in record.said_by("caller") if not set(words(text)) <= _GREETING]
    sentences = [
        f"The caller said: “{_quote(wishes[0])}”."
        if wishes
        else "The caller did not say what they wanted."
    ]
    done = list(dict.fromkeys(ran.title for ran in record.tools if ran.done))
    undone = list(dict.fromkeys(ran.title for ran in record.tools if not ran.done))
    undone = [title for title in undone if title not in done]
    if done:
        sentences.append(f"The agent carried out: {', '.join(done)}.")
    if undone:
        sentences.append(f"Not carried out: {', '.join(undone)}.")
    answers = record.said_by("agent")
    if not record.tools and answers:
        sentences.append(f"The agent said last: “{_quote(answers[-1])}”.")
    return " ".join(sentences)


def _quote(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    if len(text) <= _LONGEST_QUOTE:
        return text
    return f"{text[:_LONGEST_QUOTE].rsplit(' ', 1)[0]} …"
