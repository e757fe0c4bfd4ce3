"""What expressions come to. What only Azure knows is a text that says where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.infra.bicep.catalogue import Shape

type Value = (
    bool
    | int
    | str
    | list["Value"]
    | dict[str, "Value"]
    | "Deployed"
    | "Module"
    | "Function"
    | None
)


@dataclass(frozen=True, slots=True)
class Function:
    """A lambda, or a function that a template declares."""

    call: Callable[..., Value]

    def __call__(self, *arguments: Value) -> Value:
        return self.call(*arguments)


class Runtime(str):
    """A text that is known only once something is deployed, so nothing may depend on it before."""

    __slots__ = ("shape",)
    shape: Shape | None

    def __new__(cls, text: str, shape: Shape | None = None) -> "Runtime":
        made = super().__new__(cls, text)
        made.shape = shape
        return made


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it would be asked for."""

    kind: str
    version: str
    name: str
    id: str
    body: dict[str, Value]
    existing: bool
    file: str
    symbol: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.symbol} ({self.kind} {self.name})"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A symbol that stands for a resource. None: its condition is false."""

    resource: Resource | None
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """A symbol that stands for a module. None: its condition is false."""

    outputs: dict[str, Value] | None
    resources: list[Resource] = field(default_factory=list[Resource])


def written(value: Value) -> str:
    """A value in the middle of a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def started(value: Value) -> Value:
    """The same, where it crosses into a module: there it is known from the start."""
    if isinstance(value, Runtime):
        return str(value)
    if isinstance(value, list):
        return [started(each) for each in value]
    if isinstance(value, dict):
        return {key: started(each) for key, each in value.items()}
    return value


def finished(value: Value) -> Value:
    """The same, where it comes out of a module: known once that is deployed."""
    if isinstance(value, str):
        return Runtime(value)
    if isinstance(value, list):
        return [finished(each) for each in value]
    if isinstance(value, dict):
        return {key: finished(each) for key, each in value.items()}
    return value
