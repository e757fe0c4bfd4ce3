"""Checks a value against the JSON Schema of an argument: the part of it that tools use."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from switchboard_local.mind.catalogue import Tool, resolve
from switchboard_local.mind.values import JsonObject, as_list, as_object, as_text, is_array

_TYPES: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _number(value) and float(str(value)).is_integer(),
    "number": lambda value: _number(value),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
    "null": lambda value: value is None,
}


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def fits(value: object, schema: JsonObject) -> bool:
    """Whether `value` may stand where `schema` is asked for."""
    return (
        _type_fits(value, schema)
        and _choice_fits(value, schema)
        and _string_fits(value, schema)
        and _range_fits(value, schema)
        and _array_fits(value, schema)
    )


def arguments_fit(arguments: JsonObject, tool: Tool) -> bool:
    """Whether a whole call may be made: what is required is there, and all of it fits."""
    if any(slot.name not in arguments for slot in tool.required):
        return False
    for name, value in arguments.items():
        slot = tool.slot(name)
        if slot is None or not fits(value, slot.schema):
            return False
    return True


def _type_fits(value: object, schema: JsonObject) -> bool:
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else [as_text(one) for one in as_list(kind)]
    return not kinds or any(_TYPES[one](value) for one in kinds if one in _TYPES)


def _choice_fits(value: object, schema: JsonObject) -> bool:
    if "const" in schema and value != schema["const"]:
        return False
    return "enum" not in schema or value in as_list(schema["enum"])


def _string_fits(value: object, schema: JsonObject) -> bool:
    if not isinstance(value, str):
        return True
    pattern = compiled(as_text(schema.get("pattern")))
    if pattern is not None and not pattern.search(value):
        return False
    return _between(len(value), schema.get("minLength"), schema.get("maxLength"))


def _range_fits(value: object, schema: JsonObject) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    low, high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    inside = not (_number(low) and value <= float(str(low))) and not (
        _number(high) and value >= float(str(high))
    )
    return (
        inside
        and _between(value, schema.get("minimum"), schema.get("maximum"))
        and (_is_multiple(float(value), schema.get("multipleOf")))
    )


def _is_multiple(value: float, step: object) -> bool:
    if not isinstance(step, int | float) or isinstance(step, bool) or not step:
        return True
    ratio = value / step
    return abs(ratio - round(ratio)) < 1e-9


def _between(value: float, least: object, most: object) -> bool:
    return not (isinstance(least, int | float) and value < least) and not (
        isinstance(most, int | float) and value > most
    )


def _array_fits(value: object, schema: JsonObject) -> bool:
    if not is_array(value):
        return True
    inner = resolve(as_object(schema.get("items")), schema)
    listed = as_list(value)
    return all(fits(one, inner) for one in listed) and _between(
        len(listed), schema.get("minItems"), schema.get("maxItems")
    )


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The regular expression, or `None` for an empty or invalid one, which bars nothing."""
    if not pattern or len(pattern) > 500:
        return None
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
