"""A file to its declarations."""

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from tests.infra.bicep.errors import BicepError
from tests.infra.bicep.expressions import Expressions
from tests.infra.bicep.lexer import tokens
from tests.infra.bicep.syntax import (
    ArrayType,
    Call,
    Constant,
    Declaration,
    Expression,
    Field,
    NamedType,
    ObjectType,
    OneOf,
    TypeExpression,
)


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed file."""

    path: Path
    scope: str
    """`subscription` or `resourceGroup`."""
    declarations: dict[str, Declaration] = field(default_factory=dict[str, Declaration])
    outputs: dict[str, Declaration] = field(default_factory=dict[str, Declaration])

    def of(self, kind: str) -> list[Declaration]:
        return [each for each in self.declarations.values() if each.kind == kind]

    def beside(self, path: str) -> Path:
        """Where a path in this file leads."""
        return (self.path.parent / path).resolve()


def read(path: Path) -> Template:
    """Raises `BicepError` naming the file."""
    try:
        return replace(_parsed(path.read_text(encoding="utf-8")), path=path)
    except FileNotFoundError:
        raise BicepError("there is no such file", 0, path.name) from None
    except BicepError as fault:
        raise BicepError(fault.what, fault.line, path.name) from None


@cache
def _parsed(source: str) -> Template:
    return _Statements(tokens(source)).template()


class _Statements(Expressions):
    def template(self) -> Template:
        scope = "resourceGroup"
        found = Template(Path(), scope)
        self.skip_lines()
        while self.token.kind != "end":
            if self.is_word("targetScope"):
                self.take()
                self.need("=")
                scope = self._plain_text()
            else:
                for declaration in self._declarations():
                    self._add(found, declaration)
            if self.token.kind not in ("line", "end"):
                raise BicepError(f"{self.token.text!r} is not expected here", self.token.line)
            self.skip_lines()
        return replace(found, scope=scope)

    def _add(self, template: Template, declaration: Declaration) -> None:
        names = template.outputs if declaration.kind == "output" else template.declarations
        if declaration.name in names:
            raise BicepError(f"{declaration.name} is declared twice", declaration.line)
        names[declaration.name] = declaration

    def _declarations(self) -> list[Declaration]:
        decorators = self._decorators()
        line = self.token.line
        kind = self.name()
        if kind == "import":
            return self._imports(line)
        name = self.name()
        base = Declaration(kind, name, line, decorators)
        match kind:
            case "param" | "output" | "var":
                return [self._value(base)]
            case "type":
                self.need("=")
                return [replace(base, type=self.type())]
            case "func":
                return [self._function(base)]
            case "resource" | "module":
                return [self._deployed(base)]
            case _:
                raise BicepError(f"{kind!r} declares nothing that is known here", line)

    def _decorators(self) -> tuple[Call, ...]:
        found: list[Call] = []
        while self.is_mark("@"):
            self.take()
            decorator = self.expression()
            if not isinstance(decorator, Call):
                raise BicepError("a decorator is a call", self.token.line)
            found.append(decorator)
            self.skip_lines()
        return tuple(found)

    def _imports(self, line: int) -> list[Declaration]:
        self.need("{")
        names: list[str] = []
        while not self.is_mark("}"):
            names.append(self.name())
            self.end_of_item("}")
        self.need("}")
        if self.name() != "from":
            raise BicepError("`from` is missing", line)
        path = self._plain_text()
        return [Declaration("import", name, line, target=path) for name in names]

    def _value(self, base: Declaration) -> Declaration:
        kind: TypeExpression | None = None
        value: Expression | None = None
        if not self.is_mark("="):
            kind = self.type()
        if self.is_mark("="):
            self.take()
            self.skip_lines()
            value = self.expression()
        if value is None and base.kind != "param":
            raise BicepError(f"{base.name} has no value", base.line)
        return replace(base, type=kind, value=value)

    def _function(self, base: Declaration) -> Declaration:
        self.need("(")
        parameters: list[tuple[str, TypeExpression]] = []
        while not self.is_mark(")"):
            name = self.name()
            parameters.append((name, self.type()))
            self.end_of_item(")")
        self.need(")")
        result = self.type()
        self.need("=>")
        self.skip_lines()
        return replace(base, type=result, value=self.expression(), parameters=tuple(parameters))

    def _deployed(self, base: Declaration) -> Declaration:
        target = self._plain_text()
        existing = self.is_word("existing")
        if existing:
            self.take()
        self.need("=")
        self.skip_lines()
        return replace(base, target=target, existing=existing, value=self.gated())

    def _plain_text(self) -> str:
        text = self.text() if self.token.kind == "text" else None
        if not isinstance(text, Constant):
            raise BicepError("a plain text is missing", self.token.line)
        return str(text.value)

    def type(self) -> TypeExpression:
        found = self._one_type()
        while self.is_mark("[") and self.ahead().text == "]":
            self.take()
            found = ArrayType(self.take().line, found)
        return found

    def _one_type(self) -> TypeExpression:
        line = self.token.line
        if self.token.kind == "name":
            return NamedType(line, self.name())
        if self.token.kind == "text":
            values = [self._plain_text()]
            while self.is_mark("|"):
                self.take()
                values.append(self._plain_text())
            return OneOf(line, tuple(values))
        self.need("{")
        self.skip_lines()
        fields: list[Field] = []
        while not self.is_mark("}"):
            decorators = self._decorators()
            name = self.name()
            self.need(":")
            fields.append(Field(name, self.type(), decorators))
            self.end_of_item("}")
        self.need("}")
        return ObjectType(line, tuple(fields))
