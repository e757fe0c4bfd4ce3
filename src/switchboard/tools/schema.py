"""JSON Schema as models read it best: closed objects, no references, no decoration."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

type Schema = dict[str, Any]

_MAX_DEPTH = 24


def flat_schema(schema: Mapping[str, Any], order: Sequence[str]) -> Schema:
    """The schema with every `$ref` written out, titles dropped and every object closed.

    `order` is that of the top-level properties. Raises `TypeError` for a type that contains
    itself, which cannot be written out.
    """
    flat = _flatten(dict(schema), schema.get("$defs", {}), 0)
    properties = flat.get("properties", {})
    flat["properties"] = {name: properties[name] for name in order}
    return flat


def _flatten(node: Schema, definitions: Mapping[str, Schema], depth: int) -> Schema:
    if depth > _MAX_DEPTH:
        raise TypeError("a parameter's type contains itself, or is nested too deeply")
    if "$ref" in node:
        target = definitions[str(node["$ref"]).rpartition("/")[2]]
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _flatten({**target, **beside}, definitions, depth + 1)
    flat: Schema = {}
    for key, value in node.items():
        if key not in ("$defs", "title"):
            flat[key] = _part(key, value, definitions, depth + 1)
    if "properties" in flat:
        flat.setdefault("additionalProperties", False)
    return flat


def _part(key: str, value: object, definitions: Mapping[str, Schema], depth: int) -> object:
    match key, value:
        case ("properties" | "patternProperties", dict()):
            members = cast(dict[str, Schema], value)
            return {name: _flatten(each, definitions, depth) for name, each in members.items()}
        case ("items" | "additionalProperties" | "contains" | "propertyNames" | "not", dict()):
            return _flatten(cast(Schema, value), definitions, depth)
        case ("anyOf" | "oneOf" | "allOf" | "prefixItems", list()):
            return [_flatten(each, definitions, depth) for each in cast(list[Schema], value)]
        case _:
            return value
