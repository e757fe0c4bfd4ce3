"""What can be seen without evaluating: every branch of a file, also those not taken."""

import re
from collections.abc import Iterator
from typing import Final

from tests.infra.bicep.functions import DECORATORS, FUNCTIONS
from tests.infra.bicep.parser import Template, read
from tests.infra.bicep.syntax import (
    ArrayType,
    Call,
    Constant,
    Declaration,
    Expression,
    Fields,
    Gate,
    Lambda,
    Loop,
    Member,
    Name,
    NamedType,
    ObjectType,
    TypeExpression,
    parts,
    within,
)

PRIMITIVES: Final = frozenset({"string", "int", "bool", "object", "array"})
AT_START: Final = frozenset({"id", "name", "type", "apiVersion"})
"""What of a resource is known before anything is deployed."""
FINDING: Final = frozenset({"name", "parent", "scope"})
"""What says which existing resource is meant."""
MODULE: Final = frozenset({"name", "scope", "params", "dependsOn"})
HOST_OF_A_CLOUD: Final = re.compile(
    r"(?<![\w.-])([\w-]+\.)*(core\.windows\.net|database\.windows\.net|vault\.azure\.net"
    r"|login\.microsoftonline\.com|management\.azure\.com|graph\.windows\.net)"
)


def complaints(template: Template) -> list[str]:
    """Everything that is wrong with the names of one file, each with its line."""
    return [f"{template.path.name}:{line}: {what}" for line, what in _Names(template).all()]


type Complaint = tuple[int, str]


class _Names:
    def __init__(self, template: Template) -> None:
        self._template = template
        self._used: set[str] = set()

    def all(self) -> Iterator[Complaint]:
        everything = [*self._template.declarations.values(), *self._template.outputs.values()]
        for declaration in everything:
            yield from self._declaration(declaration)
        for declaration in self._template.declarations.values():
            if self._ought_to_be_used(declaration) and declaration.name not in self._used:
                yield declaration.line, f"{declaration.name} is not used"

    @staticmethod
    def _ought_to_be_used(declaration: Declaration) -> bool:
        named = declaration.kind in ("param", "var", "import", "type", "func")
        return declaration.existing or (named and declaration.decorator("export") is None)

    def _declaration(self, declaration: Declaration) -> Iterator[Complaint]:
        for decorator in declaration.decorators:
            if decorator.name not in DECORATORS:
                yield decorator.line, f"there is no decorator @{decorator.name}"
        if declaration.kind == "param" and declaration.decorator("description") is None:
            yield declaration.line, f"the parameter {declaration.name} is not described"
        for kind in (declaration.type, *(kind for _, kind in declaration.parameters)):
            yield from self._type(kind)
        if declaration.value is None:
            return
        local = frozenset(name for name, _ in declaration.parameters)
        yield from self._expression(declaration.value, local)
        if declaration.kind == "module":
            yield from self._module(declaration)
        if declaration.kind in ("module", "resource"):
            yield from _said(declaration, declaration.value)
        if declaration.kind in ("module", "resource"):
            yield from self._at_start(declaration.value)

    def _type(self, kind: TypeExpression | None) -> Iterator[Complaint]:
        match kind:
            case NamedType(line=line, name=name):
                self._used.add(name)
                if name not in PRIMITIVES and name not in self._template.declarations:
                    yield line, f"there is no type {name}"
            case ArrayType(item=item):
                yield from self._type(item)
            case ObjectType(fields=fields):
                for each in fields:
                    yield from self._type(each.type)
            case _:
                return

    # -- every name and function -----------------------------------------------------------------

    def _expression(self, expression: Expression, local: frozenset[str]) -> Iterator[Complaint]:
        match expression:
            case Name(name=name, line=line):
                self._used.add(name)
                if name not in local and name not in self._template.declarations:
                    yield line, f"{name} is not declared"
            case Constant(value=str(text), line=line):
                if HOST_OF_A_CLOUD.search(text):
                    yield line, f"{text!r} names a host that differs between clouds"
            case Call():
                yield from self._call(expression)
            case Lambda(parameters=parameters):
                local |= set(parameters)
            case Loop(names=names, source=source, body=body):
                yield from self._expression(source, local)
                yield from self._expression(body, local | set(names))
                return
            case _:
                pass
        yield from self._output(expression)
        for part in parts(expression):
            yield from self._expression(part, local)

    def _call(self, call: Call) -> Iterator[Complaint]:
        if call.base is not None:
            yield call.line, f".{call.name}() asks a resource at run time: nothing here may"
            return
        declared = self._template.declarations.get(call.name)
        if declared is not None:
            self._used.add(call.name)
            return
        known = FUNCTIONS.get(call.name)
        if known is None:
            yield call.line, f"there is no function {call.name}"
        elif not known.least <= len(call.arguments) <= known.most:
            yield call.line, f"{call.name} takes {known.least} to {known.most} values"

    # -- modules -----------------------------------------------------------------------------------

    def _module(self, declaration: Declaration) -> Iterator[Complaint]:
        other = read(self._template.beside(declaration.target))
        given: set[str] = set()
        for fields in within(_required(declaration.value)):
            params = fields.get("params") if isinstance(fields, Fields) else None
            if isinstance(params, Fields):
                given = {str(key.value) for key, _ in params.entries if isinstance(key, Constant)}
                break
        wanted = {each.name: each for each in other.of("param")}
        for name in sorted(given - wanted.keys()):
            yield declaration.line, f"{other.path.name} has no parameter {name}"
        for name, param in wanted.items():
            if param.value is None and name not in given:
                yield declaration.line, f"{other.path.name} needs the parameter {name}"

    def _output(self, expression: Expression) -> Iterator[Complaint]:
        match expression:
            case Member(base=Member(base=Name(name=symbol), name="outputs"), name=name, line=line):
                declared = self._template.declarations.get(symbol)
                if declared is not None and declared.kind == "module":
                    other = read(self._template.beside(declared.target))
                    if name not in other.outputs:
                        yield line, f"{other.path.name} has no output {name}"
            case _:
                return

    # -- what must be known before anything is deployed ----------------------------------------

    def _at_start(self, body: Expression) -> Iterator[Complaint]:
        match body:
            case Loop(source=source, body=inner):
                yield from self._known(source, "a loop's list")
                yield from self._at_start(inner)
            case Gate(condition=condition, body=inner):
                yield from self._known(condition, "a condition")
                yield from self._at_start(inner)
            case Fields():
                for part in ("name", "scope"):
                    value = body.get(part)
                    if value is not None:
                        yield from self._known(value, f"a {part}")
            case _:
                return

    def _known(self, expression: Expression, what: str, depth: int = 0) -> Iterator[Complaint]:
        for each in within(expression):
            match each:
                case Member(base=Name(name=symbol), name=name, line=line):
                    declared = self._template.declarations.get(symbol)
                    if declared is None or declared.kind not in ("module", "resource"):
                        continue
                    if declared.kind == "module" or name not in AT_START:
                        yield line, f"{what} depends on {symbol}.{name}, known too late"
                case Name(name=symbol):
                    declared = self._template.declarations.get(symbol)
                    if declared is not None and declared.kind == "var" and depth < 9:
                        yield from self._known(_required(declared.value), what, depth + 1)
                case _:
                    continue


def _said(declaration: Declaration, body: Expression) -> Iterator[Complaint]:
    """A resource has a name; of one that is there already, and of a module, little may be said."""
    match body:
        case Loop(body=inner) | Gate(body=inner):
            yield from _said(declaration, inner)
        case Fields():
            said = {str(key.value) for key, _ in body.entries if isinstance(key, Constant)}
            if declaration.kind == "resource" and "name" not in said:
                yield declaration.line, f"{declaration.name} has no name"
            allowed = MODULE if declaration.kind == "module" else FINDING
            if declaration.kind == "module" or declaration.existing:
                for name in sorted(said - allowed):
                    yield declaration.line, f"{declaration.name}: {name} is not to be said of it"
        case _:
            return


def _required(value: Expression | None) -> Expression:
    assert value is not None
    return value
