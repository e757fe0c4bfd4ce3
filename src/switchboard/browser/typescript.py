"""Writes the page's half of the protocol: TypeScript types from the msgspec types of `protocol`.

`python -m switchboard.browser.typescript frontend/src/voice/protocol.gen.ts`
"""

import ast
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final, get_args

import msgspec
from msgspec import inspect as shapes

from switchboard.browser import protocol

SENT_BY_PAGE = (*get_args(protocol.PageMessage), protocol.PlaceCall, protocol.NewOffer)
SENT_BY_SERVER = (
    *get_args(protocol.ServerMessage),
    protocol.VoiceChoice,
    protocol.ModelChoice,
    protocol.AgentChoice,
    protocol.PhoneChoice,
    protocol.You,
    protocol.SignInChoice,
    protocol.SignInOffer,
    protocol.PageConfig,
    protocol.CallPlaced,
    protocol.RtcPlaced,
    protocol.OfferAnswered,
    protocol.Problem,
)
CONSTANTS = (
    "SUBPROTOCOL",
    "TICKET_PREFIX",
    "TICKET_HEADER",
    "MAX_FRAME_BYTES",
    "MAX_OFFER_CHARS",
)
UNIONS: Mapping[str, object] = {
    "PageMessage": protocol.PageMessage,
    "ServerMessage": protocol.ServerMessage,
}
HEADING = (
    "// Generated from src/switchboard/browser/protocol.py by\n"
    "// `python -m switchboard.browser.typescript`. Edit that file, not this one.\n"
)


@dataclass(frozen=True, slots=True)
class Contract:
    """What is written down: the module that has it, and its parts in order."""

    module: ModuleType
    heading: str
    sent_by_page: Sequence[type[msgspec.Struct]]
    sent_by_server: Sequence[type[msgspec.Struct]]
    constants: Sequence[str]
    unions: Mapping[str, object]


PAGE: Final = Contract(protocol, HEADING, SENT_BY_PAGE, SENT_BY_SERVER, CONSTANTS, UNIONS)
"""The product's own page."""

type Docs = Mapping[tuple[str, str], str]
"""What the source says of `(struct, field)`; `(struct, "")` is the struct itself."""


def render(contract: Contract = PAGE) -> str:
    """The whole generated file. The same protocol gives the same bytes."""
    assert contract.module.__file__ is not None
    docs = _read_docs(Path(contract.module.__file__).read_text(encoding="utf-8"))
    constants = (_constant(contract.module, name, docs) for name in contract.constants)
    parts = [contract.heading, "".join(constants)]
    parts += [_interface(kind, docs, optional=True) for kind in contract.sent_by_page]
    parts += [_interface(kind, docs, optional=False) for kind in contract.sent_by_server]
    parts += [_union(name, union) for name, union in contract.unions.items()]
    return "\n".join(parts)


def _constant(module: ModuleType, name: str, docs: Docs) -> str:
    value: object = getattr(module, name)
    return f"{_comment(docs.get(('', name)), '')}export const {name} = {_literal(value)};\n"


def _interface(kind: type[msgspec.Struct], docs: Docs, *, optional: bool) -> str:
    """One struct. What the page sends may leave out defaults; what the server sends never does."""
    shape = shapes.type_info(kind)
    assert isinstance(shape, shapes.StructType)
    lines = [_comment(docs.get((kind.__name__, "")), ""), f"export interface {kind.__name__} {{\n"]
    if shape.tag is not None:
        lines.append(f"  readonly {shape.tag_field}: {_literal(shape.tag)};\n")
    for field in shape.fields:
        mark = "?" if optional and not field.required else ""
        lines.append(_comment(docs.get((kind.__name__, field.name)), "  "))
        lines.append(f"  readonly {field.encode_name}{mark}: {_type(field.type)};\n")
    return "".join([*lines, "}\n"])


def _union(name: str, union: object) -> str:
    members = " | ".join(member.__name__ for member in get_args(union))
    joined = textwrap.fill(members, 88, initial_indent="  ", subsequent_indent="  ")
    return f"export type {name} =\n{joined};\n"


PLAIN: Mapping[type[shapes.Type], str] = {
    shapes.AnyType: "unknown",
    shapes.BoolType: "boolean",
    shapes.FloatType: "number",
    shapes.IntType: "number",
    shapes.NoneType: "null",
    shapes.StrType: "string",
}


def _type(shape: shapes.Type) -> str:
    match shape:
        case shapes.Metadata(type=inner):
            return _type(inner)
        case shapes.LiteralType(values=values):
            return " | ".join(_literal(value) for value in values)
        case shapes.UnionType(types=types):
            return " | ".join(_type(one) for one in types)
        case shapes.ListType(item_type=item):
            one = _type(item)
            return f"readonly {f'({one})' if ' | ' in one else one}[]"
        case shapes.StructType(cls=cls):
            return cls.__name__
        case _:
            return PLAIN[type(shape)]


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def _comment(text: str | None, indent: str) -> str:
    if not text:
        return ""
    lines = textwrap.wrap(" ".join(text.split()), 92 - len(indent))
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def _read_docs(source: str) -> Docs:
    """Docstrings of structs, fields and constants: Python keeps only the first kind at run time."""
    tree = ast.parse(source)
    docs = {("", name): text for name, text in _attribute_docs(tree.body)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            docs[node.name, ""] = ast.get_docstring(node) or ""
            docs |= {(node.name, name): text for name, text in _attribute_docs(node.body)}
    return docs


def _attribute_docs(body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    name = None
    for node in body:
        match node:
            case (
                ast.AnnAssign(target=ast.Name(id=target))
                | ast.Assign(targets=[ast.Name(id=target)])
            ):
                name = target
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                yield name, text
                name = None
            case _:
                name = None


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
