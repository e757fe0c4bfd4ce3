"""A resource's body, compared with its type. Each fault is a sentence."""

from collections.abc import Iterator
from typing import Any

from tests.infra.bicep.catalogue import READ_ONLY, REQUIRED, Shape
from tests.infra.bicep.values import Runtime, Value


def faults(shape: Shape, value: Value, path: str) -> Iterator[str]:
    """What of `value` Azure would refuse. Null is as good as absent."""
    if value is None or shape.kind in ("AnyType", "ResourceType"):
        return
    if isinstance(value, Runtime) and shape.kind not in ("ObjectType", "ArrayType"):
        return  # nobody knows yet
    match shape.kind:
        case "StringLiteralType" | "StringType" | "BooleanType" | "IntegerType":
            yield from _simple(shape, value, path)
        case "UnionType":
            yield from _union(shape, value, path)
        case "ArrayType":
            yield from _array(shape, value, path)
        case "ObjectType":
            yield from _object(shape, shape.properties(), value, path)
        case "DiscriminatedObjectType":
            yield from _discriminated(shape, value, path)
        case other:
            yield f"{path}: the type {other} is not known here"


def _simple(shape: Shape, value: Value, path: str) -> Iterator[str]:
    raw = shape.raw
    match shape.kind:
        case "StringLiteralType":
            if value != raw["value"]:
                yield f"{path}: {value!r} is not {raw['value']!r}"
        case "BooleanType":
            if not isinstance(value, bool):
                yield f"{path}: {value!r} is neither true nor false"
        case "IntegerType":
            if not isinstance(value, int) or isinstance(value, bool):
                yield f"{path}: {value!r} is not a number"
            elif not raw.get("minValue", value) <= value <= raw.get("maxValue", value):
                yield f"{path}: {value} is out of range"
        case _:
            if not isinstance(value, str):
                yield f"{path}: {value!r} is not a text"
            elif not raw.get("minLength", 0) <= len(value) <= raw.get("maxLength", len(value)):
                yield f"{path}: {value!r} is too short or too long"


def _union(shape: Shape, value: Value, path: str) -> Iterator[str]:
    choices = list(shape.choices())
    literals = [choice.raw["value"] for choice in choices if choice.kind == "StringLiteralType"]
    if isinstance(value, str) and literals:
        # Where the union is open, other texts would be taken, and refused by the service.
        if value not in literals:
            yield f"{path}: {value!r} is not one of {', '.join(literals)}"
        return
    if not any(not list(faults(choice, value, path)) for choice in choices):
        yield f"{path}: {value!r} is none of what it may be"


def _array(shape: Shape, value: Value, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is not a list"
        return
    item = shape.follow(shape.raw["itemType"])
    for index, each in enumerate(value):
        yield from faults(item, each, f"{path}[{index}]")


def _object(
    shape: Shape, properties: dict[str, tuple[Shape, int]], value: Value, path: str
) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not an object"
        return
    others: dict[str, Any] | None = shape.raw.get("additionalProperties")
    for name, (_, flags) in properties.items():
        if flags & REQUIRED and not flags & READ_ONLY and value.get(name) is None:
            yield f"{path}.{name} is required"
    for name, each in value.items():
        if name in properties:
            kind, flags = properties[name]
            if flags & READ_ONLY and not flags & REQUIRED and each is not None:
                yield f"{path}.{name} can only be read"
            yield from faults(kind, each, f"{path}.{name}")
        elif others is not None:
            yield from faults(shape.follow(others), each, f"{path}.{name}")
        else:
            yield f"{path}.{name} is not known"


def _discriminated(shape: Shape, value: Value, path: str) -> Iterator[str]:
    key = shape.raw["discriminator"]
    if not isinstance(value, dict) or not isinstance(value.get(key), str):
        yield f"{path}.{key} is required"
        return
    elements: dict[str, Any] = shape.raw["elements"]
    chosen = str(value[key])
    if chosen not in elements:
        yield f"{path}.{key}: {chosen!r} is not one of {', '.join(elements)}"
        return
    element = shape.follow(elements[chosen])
    yield from _object(element, {**shape.properties(), **element.properties()}, value, path)
