"""A function's signature, read as the contract of a tool: JSON Schema one way, arguments back."""

import copy
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, make_dataclass
from typing import Any, cast, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from switchboard.errors import ToolFailed
from switchboard.tools.context import ToolContext
from switchboard.tools.schema import flat_schema

MAX_ARGUMENT_CHARS = 65_536
_MAX_FAULTS_TOLD = 4
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a tool takes."""

    schema: Mapping[str, Any]
    """JSON Schema of the arguments: one object, closed, without references."""
    names: tuple[str, ...]
    context: str | None
    """The parameter that wants the `ToolContext`, where there is one."""
    adapter: TypeAdapter[Any] = field(repr=False)

    def read(self, arguments: str) -> dict[str, Any]:
        """The checked arguments, ready to call with.

        Raises `ToolFailed` with a sentence that tells the model what to put right. It never
        repeats a value.
        """
        if len(arguments) > MAX_ARGUMENT_CHARS:
            raise ToolFailed("The arguments are far too long. Call it again with short ones.")
        try:
            # Some models send nothing at all for a tool that needs nothing.
            checked = self.adapter.validate_json(
                arguments.strip() or "{}", strict=True, extra="forbid"
            )
        except ValidationError as refusal:
            raise ToolFailed(self._sentence(refusal)) from None
        return {name: getattr(checked, name) for name in self.names}

    def _sentence(self, refusal: ValidationError) -> str:
        details = refusal.errors(include_url=False, include_input=False, include_context=False)
        faults = "; ".join(self._fault(detail) for detail in details[:_MAX_FAULTS_TOLD])
        return f"The arguments were not right: {faults}. Put that right and call it again."

    def _fault(self, detail: ErrorDetails) -> str:
        place = ".".join(str(part) for part in detail["loc"])
        match detail["type"]:
            case "json_invalid":
                return "they are not valid JSON"
            case "dataclass_type":
                return "they must be one JSON object"
            case "missing" | "missing_keyword_only_argument" | "missing_argument":
                return f"`{place}` is missing{self._hint(detail)}"
            case "extra_forbidden":
                return f"`{place}` is not known"
            case "unexpected_keyword_argument":
                known = ", ".join(self.names) or "none"
                return f"`{place}` is not an argument (there are: {known})"
            case _:
                told = detail["msg"]
                return f"`{place}`: {told[0].lower()}{told[1:]}{self._hint(detail)}"

    def _hint(self, detail: ErrorDetails) -> str:
        loc = detail["loc"]
        properties: dict[str, dict[str, Any]] = self.schema["properties"]
        known = properties.get(str(loc[0]), {}) if loc else {}
        return f" ({known['description']})" if "description" in known else ""


def signature_of(function: Callable[..., object]) -> Signature:
    """Read a function's parameters. Raises `TypeError`, saying which one will not do."""
    hints = get_type_hints(function, include_extras=True)
    context: str | None = None
    fields: list[tuple[str, Any, Any]] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if hints.get(name) is ToolContext:
            context = name
        else:
            fields.append((name, _hint_of(name, parameter, hints), _default_of(parameter)))
    adapter = _adapter(fields)
    names = tuple(name for name, _, _ in fields)
    return Signature(flat_schema(adapter.json_schema(), names), names, context, adapter)


def _hint_of(name: str, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> object:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise TypeError(f"parameter `{name}` cannot be passed by name, as a model passes it")
    if name not in hints:
        raise TypeError(f"parameter `{name}` has no type annotation")
    return hints[name]


def _default_of(parameter: inspect.Parameter) -> object:
    default = parameter.default
    if default is parameter.empty:
        return field()
    if isinstance(default, FieldInfo):
        return default
    if isinstance(default, list | dict | set):
        kept = cast(list[Any] | dict[str, Any] | set[Any], default)
        return field(default_factory=lambda: copy.deepcopy(kept))
    return field(default=default)


def _adapter(fields: list[tuple[str, Any, Any]]) -> TypeAdapter[Any]:
    # A dataclass, not a model: a parameter may then be called `copy`, `schema` or `json`.
    plain = make_dataclass("Arguments", fields, kw_only=True)
    return TypeAdapter(checked_dataclass(plain, config=_STRICT))


def canonical(arguments: str) -> str:
    """One spelling for equal arguments: sorted keys, no spaces. What is not JSON stays as it is."""
    try:
        value = json.loads(arguments.strip() or "{}")
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return arguments.strip()
