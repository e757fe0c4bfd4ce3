"""Tokens to expressions: one method for each step of precedence."""

from typing import Final

from tests.infra.bicep.errors import BicepError
from tests.infra.bicep.lexer import Part, Token
from tests.infra.bicep.syntax import (
    Binary,
    Call,
    Choice,
    Constant,
    Expression,
    Fields,
    Gate,
    Index,
    Lambda,
    Loop,
    Member,
    Name,
    Sequence,
    Text,
    Unary,
)

PRECEDENCE: Final = (
    ("??",),
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
WORDS: Final = {"true": True, "false": False, "null": None}


class Reader:
    """A place in the tokens, and how to go on from it."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    def ahead(self, steps: int = 1) -> Token:
        return self._tokens[min(self._at + steps, len(self._tokens) - 1)]

    def is_mark(self, *marks: str) -> bool:
        return self.token.kind == "mark" and self.token.text in marks

    def is_word(self, *words: str) -> bool:
        return self.token.kind == "name" and self.token.text in words

    def take(self) -> Token:
        token = self.token
        if token.kind != "end":
            self._at += 1
        return token

    def need(self, mark: str) -> Token:
        if not self.is_mark(mark):
            raise BicepError(f"{mark!r} is missing before {self.token.text!r}", self.token.line)
        return self.take()

    def name(self) -> str:
        if self.token.kind != "name":
            raise BicepError(f"a name is missing before {self.token.text!r}", self.token.line)
        return self.take().text

    def skip_lines(self) -> None:
        while self.token.kind == "line":
            self.take()

    def end_of_item(self, closing: str) -> None:
        """After an item of a list or object: a comma, a line end, or the end of it all."""
        if self.is_mark(closing):
            return
        if not self.is_mark(",") and self.token.kind != "line":
            raise BicepError(f"{self.token.text!r} is not expected here", self.token.line)
        if self.is_mark(","):
            self.take()
        self.skip_lines()


class Expressions(Reader):
    def expression(self) -> Expression:
        condition = self._binary(0)
        if not self._continues("?"):
            return condition
        line = self.need("?").line
        self.skip_lines()
        yes = self.expression()
        self.skip_lines()
        self.need(":")
        self.skip_lines()
        return Choice(line, condition, yes, self.expression())

    def _continues(self, mark: str) -> bool:
        """Whether `mark` comes next, maybe on a later line; then go there."""
        steps = 0
        while self.ahead(steps).kind == "line":
            steps += 1
        if self.ahead(steps).kind == "mark" and self.ahead(steps).text == mark:
            self.skip_lines()
            return True
        return False

    def _binary(self, level: int) -> Expression:
        if level == len(PRECEDENCE):
            return self._unary()
        left = self._binary(level + 1)
        while self.is_mark(*PRECEDENCE[level]):
            mark = self.take()
            self.skip_lines()
            left = Binary(mark.line, mark.text, left, self._binary(level + 1))
        return left

    def _unary(self) -> Expression:
        if self.is_mark("!", "-"):
            mark = self.take()
            return Unary(mark.line, mark.text, self._unary())
        return self._after(self._primary())

    def _after(self, base: Expression) -> Expression:
        while self.is_mark(".", "[", "!"):
            mark = self.take()
            if mark.text == ".":
                base = self._member(base, mark.line)
            elif mark.text == "[":
                base = Index(mark.line, base, self.expression())
                self.need("]")
        return base  # `!` only says that it is there

    def _member(self, base: Expression, line: int) -> Expression:
        name = self.name()
        if self.is_mark("("):
            return Call(line, name, self._arguments(), base)
        return Member(line, base, name)

    def _primary(self) -> Expression:
        token = self.token
        if token.kind == "number":
            return Constant(token.line, int(self.take().text))
        if token.kind == "text":
            return self.text()
        if token.kind == "name":
            return self._named()
        if self.is_mark("{"):
            return self.fields()
        if self.is_mark("["):
            return self._sequence()
        if self.is_mark("("):
            return self._bracket()
        raise BicepError(f"{token.text!r} begins no expression", token.line)

    def _named(self) -> Expression:
        token = self.take()
        if token.text in WORDS:
            return Constant(token.line, WORDS[token.text])
        if self.is_mark("=>"):
            return self._lambda((token.text,))
        if self.is_mark("("):
            return Call(token.line, token.text, self._arguments())
        return Name(token.line, token.text)

    def _lambda(self, parameters: tuple[str, ...]) -> Lambda:
        line = self.need("=>").line
        self.skip_lines()
        return Lambda(line, parameters, self.expression())

    def _bracket(self) -> Expression:
        self.need("(")
        self.skip_lines()
        inside = self.expression()
        self.skip_lines()
        self.need(")")
        return inside

    def _arguments(self) -> tuple[Expression, ...]:
        self.need("(")
        self.skip_lines()
        found: list[Expression] = []
        while not self.is_mark(")"):
            found.append(self.expression())
            self.end_of_item(")")
        self.need(")")
        return tuple(found)

    def _sequence(self) -> Expression:
        line = self.need("[").line
        self.skip_lines()
        if self.is_word("for"):
            return self._loop(line)
        items: list[Expression] = []
        while not self.is_mark("]"):
            items.append(self.expression())
            self.end_of_item("]")
        self.need("]")
        return Sequence(line, tuple(items))

    def _loop(self, line: int) -> Loop:
        self.take()
        names: list[str] = []
        if self.is_mark("("):
            self.take()
            names.append(self.name())
            self.need(",")
            names.append(self.name())
            self.need(")")
        else:
            names.append(self.name())
        if self.name() != "in":
            raise BicepError("`in` is missing", line)
        source = self.expression()
        self.need(":")
        self.skip_lines()
        body = self.gated()
        self.skip_lines()
        self.need("]")
        return Loop(line, tuple(names), source, body)

    def gated(self) -> Expression:
        """An expression, or `if (condition) { … }`."""
        if not (self.is_word("if") and self.ahead().text == "("):
            return self.expression()
        line = self.take().line
        condition = self._bracket()
        return Gate(line, condition, self.fields())

    def fields(self) -> Fields:
        line = self.need("{").line
        self.skip_lines()
        entries: list[tuple[Expression, Expression]] = []
        while not self.is_mark("}"):
            key = self.text() if self.token.kind == "text" else self._key()
            self.need(":")
            self.skip_lines()
            entries.append((key, self.gated()))
            self.end_of_item("}")
        self.need("}")
        return Fields(line, tuple(entries))

    def _key(self) -> Constant:
        return Constant(self.token.line, self.name())

    def text(self) -> Constant | Text:
        token = self.take()
        if all(isinstance(part, str) for part in token.parts):
            return Constant(
                token.line, "".join(part for part in token.parts if isinstance(part, str))
            )
        return Text(token.line, tuple(_part(part, token.line) for part in token.parts))


def _part(part: Part, line: int) -> Expression:
    if isinstance(part, str):
        return Constant(line, part)
    inside = Expressions(part)
    expression = inside.expression()
    if inside.token.kind != "end":
        raise BicepError("${…} holds more than one expression", line)
    return expression
