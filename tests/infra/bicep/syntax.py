"""What a template says: expressions, types, declarations. Lines are for messages."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import cast


@dataclass(frozen=True, slots=True)
class Constant:
    line: int
    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Text:
    """A string with `${…}`."""

    line: int
    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Name:
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    line: int
    base: "Expression"
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    line: int
    base: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or with a base a method such as `listKeys`."""

    line: int
    name: str
    arguments: "tuple[Expression, ...]"
    base: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Unary:
    line: int
    mark: str
    of: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    line: int
    mark: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? yes : no`."""

    line: int
    condition: "Expression"
    yes: "Expression"
    no: "Expression"


@dataclass(frozen=True, slots=True)
class Sequence:
    line: int
    items: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Fields:
    line: int
    entries: "tuple[tuple[Expression, Expression], ...]"

    def get(self, name: str) -> "Expression | None":
        for key, value in self.entries:
            if isinstance(key, Constant) and key.value == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Lambda:
    line: int
    parameters: tuple[str, ...]
    body: "Expression"


@dataclass(frozen=True, slots=True)
class Loop:
    """`[for item in source: body]`, or `(item, index)`."""

    line: int
    names: tuple[str, ...]
    source: "Expression"
    body: "Expression"


@dataclass(frozen=True, slots=True)
class Gate:
    """`if (condition) { … }` before a resource's or module's body."""

    line: int
    condition: "Expression"
    body: "Expression"


type Expression = (
    Constant
    | Text
    | Name
    | Member
    | Index
    | Call
    | Unary
    | Binary
    | Choice
    | Sequence
    | Fields
    | Lambda
    | Loop
    | Gate
)


@dataclass(frozen=True, slots=True)
class NamedType:
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class ArrayType:
    line: int
    item: "TypeExpression"


@dataclass(frozen=True, slots=True)
class OneOf:
    """`'public' | 'private'`."""

    line: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectType:
    line: int
    fields: "tuple[Field, ...]"


type TypeExpression = NamedType | ArrayType | OneOf | ObjectType


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: TypeExpression
    decorators: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """Anything with a name. `kind` is the word it begins with."""

    kind: str
    name: str
    line: int
    decorators: tuple[Call, ...] = ()
    type: TypeExpression | None = None
    value: Expression | None = None
    target: str = ""
    """A resource's `type@version`, a module's or import's path."""
    existing: bool = False
    parameters: tuple[tuple[str, TypeExpression], ...] = ()
    """Of a function."""

    def decorator(self, name: str) -> Call | None:
        return next((each for each in self.decorators if each.name == name), None)


NODES = (
    *(Constant, Text, Name, Member, Index, Call, Unary, Binary),
    *(Choice, Sequence, Fields, Lambda, Loop, Gate),
)


def parts(expression: Expression) -> Iterator[Expression]:
    """The expressions directly inside this one."""
    for each in fields(expression):
        yield from _nodes(getattr(expression, each.name))


def _nodes(value: object) -> Iterator[Expression]:
    if isinstance(value, NODES):
        yield value
    elif isinstance(value, tuple):
        for each in cast("tuple[object, ...]", value):
            yield from _nodes(each)


def within(expression: Expression) -> Iterator[Expression]:
    """This expression and everything inside it."""
    yield expression
    for part in parts(expression):
        yield from within(part)
