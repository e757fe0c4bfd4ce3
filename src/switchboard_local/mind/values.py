"""Looks into JSON that others wrote, without trusting its shape."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

type JsonObject = Mapping[str, object]


def as_object(value: object) -> JsonObject:
    """`value` when it is an object, else an empty one."""
    return cast(JsonObject, value) if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """`value` when it is an array, else an empty one."""
    return cast(Sequence[object], value) if isinstance(value, list | tuple) else ()


def is_array(value: object) -> bool:
    """Whether `value` is an array."""
    return isinstance(value, list)


def is_object(value: object) -> bool:
    """Whether `value` is an object."""
    return isinstance(value, Mapping)


def as_text(value: object) -> str:
    """`value` when it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def parse(text: str) -> object:
    """The JSON in `text`; the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def canonical(value: object) -> str:
    """JSON text that is the same for the same value."""
    return json.dumps(value, ensure_ascii=False, default=str)
