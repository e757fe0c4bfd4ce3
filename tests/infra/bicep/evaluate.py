"""Expressions to values. Names are looked up by whoever evaluates: a deployment, or a function."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.infra.bicep.errors import BicepError
from tests.infra.bicep.functions import FUNCTIONS
from tests.infra.bicep.syntax import (
    Binary,
    Call,
    Choice,
    Constant,
    Expression,
    Fields,
    Index,
    Lambda,
    Loop,
    Member,
    Name,
    Sequence,
    Text,
    Unary,
)
from tests.infra.bicep.values import Deployed, Function, Module, Runtime, Value, written

type Locals = Mapping[str, Value]

COMPARED: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
RECKONED: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left // right,
    "%": lambda left, right: left % right,
}


class Evaluator:
    """Subclasses say what a name is, and what some functions know of their surroundings."""

    def lookup(self, name: str, line: int) -> Value:
        raise NotImplementedError

    def surroundings(self, call: Call, arguments: list[Value]) -> Value:
        """The functions that depend on where they are called. Raises `NotImplementedError`."""
        raise NotImplementedError

    def value(self, expression: Expression, local: Locals) -> Value:
        match expression:
            case Constant(value=value):
                return value
            case Text(parts=parts):
                return self._text([self.value(part, local) for part in parts])
            case Name(name=name, line=line):
                return local[name] if name in local else self.lookup(name, line)
            case Sequence(items=items):
                return [self.value(item, local) for item in items]
            case Fields(entries=entries):
                return {
                    written(self.value(key, local)): self.value(each, local)
                    for key, each in entries
                }
            case Choice(condition=condition, yes=yes, no=no):
                return self.value(yes if self.value(condition, local) else no, local)
            case _:
                return self._more(expression, local)

    def _more(self, expression: Expression, local: Locals) -> Value:
        match expression:
            case Member(base=base, name=name, line=line):
                return member(self.value(base, local), name, line)
            case Index(base=base, index=index, line=line):
                return item(self.value(base, local), self.value(index, local), line)
            case Unary(mark=mark, of=of):
                operand = self.value(of, local)
                return not operand if mark == "!" else -_number(operand, expression.line)
            case Binary():
                return self._binary(expression, local)
            case Lambda():
                return self._function(expression, local)
            case Loop():
                return [
                    self.value(expression.body, each) for each in self.rounds(expression, local)
                ]
            case Call():
                return self._call(expression, local)
            case _:
                raise BicepError(
                    "a condition belongs before a resource or a module", expression.line
                )

    def _text(self, parts: list[Value]) -> Value:
        joined = "".join(written(part) for part in parts)
        return Runtime(joined) if any(isinstance(part, Runtime) for part in parts) else joined

    def _binary(self, expression: Binary, local: Locals) -> Value:
        left = self.value(expression.left, local)
        match expression.mark:
            case "||":
                return bool(left) or bool(self.value(expression.right, local))
            case "&&":
                return bool(left) and bool(self.value(expression.right, local))
            case "??":
                return self.value(expression.right, local) if left is None else left
            case "==":
                return left == self.value(expression.right, local)
            case "!=":
                return left != self.value(expression.right, local)
            case mark:
                right = _number(self.value(expression.right, local), expression.line)
                number = _number(left, expression.line)
                known = COMPARED.get(mark) or RECKONED[mark]
                return known(number, right)

    def _function(self, expression: Lambda, local: Locals) -> Value:
        def call(*arguments: Value) -> Value:
            named = zip(expression.parameters, arguments, strict=True)
            return self.value(expression.body, {**local, **dict(named)})

        return Function(call)

    def rounds(self, loop: Loop, local: Locals) -> list[dict[str, Value]]:
        """The local names of each round of a loop."""
        source = self.value(loop.source, local)
        if not isinstance(source, list):
            raise BicepError("a loop needs a list", loop.line)
        return [
            {**local, **dict(zip(loop.names, (each, index), strict=False))}
            for index, each in enumerate(source)
        ]

    def _call(self, call: Call, local: Locals) -> Value:
        arguments = [self.value(each, local) for each in call.arguments]
        if call.base is not None:
            return Runtime(f"<{call.name}>")
        try:
            return self.surroundings(call, arguments)
        except NotImplementedError:
            pass
        if call.name not in FUNCTIONS:
            raise BicepError(f"there is no function {call.name}", call.line)
        try:
            return FUNCTIONS[call.name].call(*arguments)
        except (TypeError, ValueError, AttributeError, IndexError) as reason:
            raise BicepError(f"{call.name}: {reason}", call.line) from None


def member(base: Value, name: str, line: int) -> Value:
    match base:
        case dict():
            if name not in base:
                raise BicepError(f"there is no .{name}", line)
            return base[name]
        case Module(outputs=outputs):
            if outputs is None:
                raise BicepError("this module is not deployed here", line)
            return outputs if name == "outputs" else name
        case Deployed(resource=None):
            raise BicepError("this resource is not deployed here", line)
        case Deployed(resource=resource, shape=shape) if resource is not None:
            known = {"id": resource.id, "name": resource.name}
            if name in known:
                return known[name]
            return _unknown(Runtime(resource.id, shape), name, line)
        case Runtime():
            return _unknown(base, name, line)
        case _:
            raise BicepError(f"{base!r} has no .{name}", line)


def _unknown(base: Runtime, name: str, line: int) -> Runtime:
    try:
        shape = base.shape.member(name) if base.shape else None
    except KeyError:
        raise BicepError(f"Azure gives it no .{name}", line) from None
    return Runtime(f"<{base}.{name}>", shape)


def item(base: Value, index: Value, line: int) -> Value:
    if isinstance(base, list) and isinstance(index, int):
        if not 0 <= index < len(base):
            raise BicepError(f"there is no item {index}", line)
        return base[index]
    if isinstance(index, str):
        return member(base, index, line)
    raise BicepError(f"{base!r} has no item {index!r}", line)


def _number(value: Value, line: int) -> int:
    if not isinstance(value, int):
        raise BicepError(f"{value!r} is not a number", line)
    return value
