"""Text to tokens. A string with `${…}` in it holds the tokens of what is inside."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from tests.infra.bicep.errors import BicepError

type Kind = Literal["name", "number", "text", "mark", "line", "end"]
type Part = str | tuple["Token", ...]

SKIPPED: Final = re.compile(r"[ \t\r]+|//[^\n]*|#disable-[^\n]*|/\*.*?\*/", re.DOTALL)
NAME: Final = re.compile(r"[A-Za-z_]\w*")
NUMBER: Final = re.compile(r"\d+")
PLAIN: Final = re.compile(r"[^'\\\n$]+|\$(?!\{)")
MARK: Final = re.compile(r"=>|==|!=|<=|>=|&&|\|\||\?\?|[=?:!<>+\-*/%@|.,(){}\[\]]")
ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "$": "$"}


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    line: int
    parts: tuple[Part, ...] = ()
    """Of a text: its plain pieces, and the tokens of each `${…}`."""


def tokens(source: str) -> tuple[Token, ...]:
    """All tokens of a file, line ends among them. Raises `BicepError`."""
    return _Lexer(source).read(inside_text=False)


class _Lexer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._line = 1

    def read(self, *, inside_text: bool) -> tuple[Token, ...]:
        found: list[Token] = []
        depth = 0
        while True:
            self._skip()
            if self._at >= len(self._source):
                if inside_text:
                    raise BicepError("a text does not end", self._line)
                return (*found, Token("end", "", self._line))
            token = self._next()
            if inside_text and token.kind == "mark" and token.text in "{}":
                depth += 1 if token.text == "{" else -1
                if depth < 0:
                    return (*found, Token("end", "", self._line))
            found.append(token)

    def _skip(self) -> None:
        while found := SKIPPED.match(self._source, self._at):
            self._line += found[0].count("\n")
            self._at = found.end()

    def _next(self) -> Token:
        line = self._line
        if self._source[self._at] == "\n":
            self._at += 1
            self._line += 1
            return Token("line", "\n", line)
        if self._source[self._at] == "'":
            return Token("text", "", line, self._text())
        kinds: tuple[tuple[Kind, re.Pattern[str]], ...] = (
            ("name", NAME),
            ("number", NUMBER),
            ("mark", MARK),
        )
        for kind, pattern in kinds:
            if found := pattern.match(self._source, self._at):
                self._at = found.end()
                return Token(kind, found[0], line)
        raise BicepError(f"{self._source[self._at]!r} has no meaning here", line)

    def _text(self) -> tuple[Part, ...]:
        parts: list[Part] = []
        self._at += 1
        while True:
            if found := PLAIN.match(self._source, self._at):
                parts.append(found[0])
                self._at = found.end()
            elif self._source.startswith("${", self._at):
                self._at += 2
                parts.append(self.read(inside_text=True))
            elif self._source.startswith("\\", self._at):
                parts.append(self._escape())
            elif self._source.startswith("'", self._at):
                self._at += 1
                return tuple(parts)
            else:
                raise BicepError("a text does not end on its line", self._line)

    def _escape(self) -> str:
        letter = self._source[self._at + 1 : self._at + 2]
        if letter not in ESCAPES:
            raise BicepError(f"\\{letter} is no escape", self._line)
        self._at += 2
        return ESCAPES[letter]
