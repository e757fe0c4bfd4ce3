"""The session's tools, read from their schemas into what a dialogue needs to know of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from switchboard_local.mind.lexicon import content, is_act, is_question
from switchboard_local.mind.text import name_words, sentences, stem, words
from switchboard_local.mind.values import JsonObject, as_list, as_object, as_text
from switchboard_local.mind.wordlists import listed

_DEEPEST = 8


class Role(Enum):
    """What kind of thing a slot holds, as far as its schema lets us guess."""

    CHOICE = "choice"
    FLAG = "flag"
    MONEY = "money"
    COUNT = "count"
    DATE = "date"
    TIME = "time"
    MOMENT = "moment"
    EMAIL = "email"
    PHONE = "phone"
    CODE = "code"
    PERSON = "person"
    PLACE = "place"
    ACCOUNT_OF = "account of"
    WORDS = "words"
    LIST = "list"
    OTHER = "other"


@dataclass(frozen=True)
class Slot:
    """One argument of a tool."""

    name: str
    schema: JsonObject
    required: bool
    tool: str = ""
    """The name of the tool it belongs to."""
    purpose: str = ""
    """What that tool is for."""

    @cached_property
    def kind(self) -> str:
        """The JSON type: `string` where the schema does not say."""
        kinds = [k for k in _types(self.schema) if k != "null"]
        if kinds:
            return kinds[0]
        return _kind_of_choice(self.choices)

    @cached_property
    def choices(self) -> tuple[object, ...]:
        """The values it may take, when they are listed."""
        if "const" in self.schema:
            return (self.schema["const"],)
        return tuple(value for value in as_list(self.schema.get("enum")) if value is not None)

    @cached_property
    def pattern(self) -> str:
        return as_text(self.schema.get("pattern"))

    @cached_property
    def description(self) -> str:
        return as_text(self.schema.get("description"))

    @cached_property
    def title_words(self) -> list[str]:
        """The name as words."""
        return name_words(self.name)

    @cached_property
    def role(self) -> Role:
        return _role(self)

    @cached_property
    def items(self) -> "Slot":
        """For an array: what each of its values is."""
        return Slot(self.name, as_object(self.schema.get("items")), True, self.tool, self.purpose)


@dataclass(frozen=True)
class Tool:
    """One function of the session."""

    name: str
    description: str
    parameters: JsonObject
    slots: tuple[Slot, ...]

    @cached_property
    def required(self) -> tuple[Slot, ...]:
        return tuple(slot for slot in self.slots if slot.required)

    @cached_property
    def title_words(self) -> list[str]:
        return name_words(self.name)

    @cached_property
    def gist(self) -> str:
        """The first sentence of the description; the name's words where there is none."""
        first = sentences(self.description)[:1]
        return first[0] if first else " ".join(self.title_words)

    @cached_property
    def text(self) -> str:
        """All that is written about it."""
        parts = [" ".join(self.title_words), self.description]
        for slot in self.slots:
            parts += [" ".join(slot.title_words), slot.description]
            parts += [str(choice).replace("_", " ") for choice in slot.choices]
        return ". ".join(part for part in parts if part)

    @cached_property
    def changes(self) -> bool:
        """Whether it changes something, judged by its verbs."""
        for verb in [*self.title_words[:1], *content(words(self.gist))[:1], *self.title_words[-1:]]:
            if is_question(verb):
                return False
            if is_act(verb):
                return True
        return False

    def slot(self, name: str) -> Slot | None:
        return next((slot for slot in self.slots if slot.name == name), None)


def read_tools(tools: Sequence[Mapping[str, object]]) -> tuple[Tool, ...]:
    """The usable tools among `tools`; what is no function, or has no name, is left out."""
    return tuple(_read_tool(tool) for tool in tools if _usable(tool))


def _usable(tool: Mapping[str, object]) -> bool:
    return tool.get("type", "function") == "function" and bool(as_text(tool.get("name")))


def _read_tool(tool: Mapping[str, object]) -> Tool:
    name = as_text(tool.get("name"))
    parameters = as_object(tool.get("parameters"))
    described = as_text(tool.get("description")).strip()
    return Tool(name, described, parameters, tuple(_read_slots(parameters, name, described)))


def _read_slots(parameters: JsonObject, tool: str, purpose: str) -> Iterator[Slot]:
    required = {as_text(name) for name in as_list(parameters.get("required"))}
    for name, schema in as_object(parameters.get("properties")).items():
        yield Slot(name, resolve(as_object(schema), parameters), name in required, tool, purpose)


def resolve(schema: JsonObject, root: JsonObject, depth: int = 0) -> JsonObject:
    """`schema` with its `$ref` followed and a nullable union reduced to what it may be."""
    if depth > _DEEPEST:
        return schema
    merged: dict[str, object] = dict(schema)
    target = _referred(as_text(merged.pop("$ref", "")), root)
    if target:
        merged = {**resolve(target, root, depth + 1), **merged}
    for key in ("anyOf", "oneOf", "allOf"):
        options = [as_object(option) for option in as_list(merged.pop(key, None))]
        real = [option for option in options if option.get("type") != "null"]
        if real:
            merged = {**resolve(_joined(real), root, depth + 1), **merged}
    return merged


def _joined(options: list[JsonObject]) -> JsonObject:
    """One schema for a union: constants become choices, else the first speaks for all."""
    if all("const" in option for option in options):
        return {"enum": [option["const"] for option in options]}
    return options[0]


def _referred(reference: str, root: JsonObject) -> JsonObject:
    if not reference.startswith("#/"):
        return {}
    found: object = root
    for key in reference[2:].split("/"):
        found = as_object(found).get(key)
    return as_object(found)


def _types(schema: JsonObject) -> list[str]:
    kind = schema.get("type")
    return [kind] if isinstance(kind, str) else [as_text(one) for one in as_list(kind)]


def _kind_of_choice(choices: tuple[object, ...]) -> str:
    if choices and all(isinstance(c, int) and not isinstance(c, bool) for c in choices):
        return "integer"
    return "string"


_FORMATS = {
    "date": Role.DATE,
    "time": Role.TIME,
    "date-time": Role.MOMENT,
    "email": Role.EMAIL,
    "idn-email": Role.EMAIL,
    "uuid": Role.CODE,
}
_ROLE_WORDS: tuple[tuple[Role, frozenset[str]], ...] = (
    (Role.EMAIL, listed("email mail")),
    (Role.PHONE, listed("phone mobile msisdn telephone cell landline")),
    (Role.MOMENT, listed("datetime timestamp")),
    (Role.DATE, listed("date day dob birthday on")),
    (Role.TIME, listed("time hour")),
    (
        Role.CODE,
        listed(
            "id number code reference ref no pin postcode zip iban plate registration reg vin "
            "serial key token pnr uprn isbn barcode locator"
        ),
    ),
    (
        Role.PERSON,
        listed(
            "name surname firstname lastname payee guest attendee passenger recipient beneficiary "
            "contact person driver patient staff teacher tenant owner child student pupil"
        ),
    ),
    (
        Role.PLACE,
        listed(
            "city town place location destination origin airport country address area street "
            "station region branch from to"
        ),
    ),
)
_MONEY = listed(
    "amount price sum payment money pounds euros dollars limit budget deposit fee balance salary "
    "income pence cents value"
)
_MINOR_MONEY = listed(
    "amount price pence cents euros pounds dollars money deposit rent budget salary"
)
_DATE_WRITTEN = re.compile(r"\b(yyyy|dd)[-/](mm)[-/]|iso[- ]?8601|iso date", re.IGNORECASE)


def _role(slot: Slot) -> Role:
    if slot.choices:
        return Role.CHOICE
    by_kind = {"boolean": Role.FLAG, "array": Role.LIST, "object": Role.OTHER}
    if slot.kind in by_kind:
        return by_kind[slot.kind]
    if slot.kind in {"number", "integer"}:
        return _number_role(slot)
    stated = _FORMATS.get(as_text(slot.schema.get("format")))
    return stated or _string_role(slot)


def _number_role(slot: Slot) -> Role:
    about = {stem(w) for w in [*slot.title_words, *words(slot.description)]}
    known = _MONEY if slot.kind == "number" else _MINOR_MONEY
    return Role.MONEY if about & {stem(word) for word in known} else Role.COUNT


def _string_role(slot: Slot) -> Role:
    if _DATE_WRITTEN.search(slot.description):
        return Role.MOMENT if "hh" in slot.description.lower() else Role.DATE
    if "hh:mm" in slot.description.lower():
        return Role.TIME
    head = slot.title_words[::-1]
    for word in head:
        for role, named in _ROLE_WORDS:
            if word in named:
                return _unless_prose(slot, role)
    return Role.CODE if slot.pattern and re.search(r"\\d|0-9", slot.pattern) else Role.WORDS


def _unless_prose(slot: Slot, role: Role) -> Role:
    """A pattern with digits makes a code of most things, but not of dates and the like."""
    if role in {Role.PERSON, Role.PLACE} and re.search(r"\\d|0-9", slot.pattern):
        return Role.CODE
    return role
