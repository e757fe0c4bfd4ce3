"""Whether a value is what a parameter asks for."""

from collections.abc import Callable, Iterator

from tests.infra.bicep.syntax import (
    ArrayType,
    Call,
    Constant,
    NamedType,
    ObjectType,
    OneOf,
    TypeExpression,
)
from tests.infra.bicep.values import Runtime, Value

type Types = Callable[[str], TypeExpression | None]

PRIMITIVE: dict[str, type] = {
    "string": str,
    "int": int,
    "bool": bool,
    "object": dict,
    "array": list,
}


def misfits(kind: TypeExpression, value: Value, path: str, types: Types) -> Iterator[str]:
    """What of `value` is not of that type. `types` knows those that were declared."""
    match kind:
        case NamedType(name=name):
            yield from _named(name, value, path, types)
        case ArrayType(item=item):
            if not isinstance(value, list):
                yield f"{path} is no list: {value!r}"
                return
            for index, each in enumerate(value):
                yield from misfits(item, each, f"{path}[{index}]", types)
        case OneOf(values=values):
            if value not in values:
                yield f"{path} is {value!r}, not one of {', '.join(values)}"
        case ObjectType():
            yield from _object(kind, value, path, types)


def _named(name: str, value: Value, path: str, types: Types) -> Iterator[str]:
    declared = types(name)
    if name in PRIMITIVE:
        if not _is(value, PRIMITIVE[name]):
            yield f"{path} is no {name}: {value!r}"
    elif declared is None:
        yield f"{path}: there is no type {name}"
    else:
        yield from misfits(declared, value, path, types)


def _object(kind: ObjectType, value: Value, path: str, types: Types) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no object: {value!r}"
        return
    names = {field.name for field in kind.fields}
    yield from (f"{path}.{name} is not known" for name in value.keys() - names)
    for field in kind.fields:
        if field.name not in value:
            yield f"{path}.{field.name} is missing"
            continue
        at = f"{path}.{field.name}"
        yield from misfits(field.type, value[field.name], at, types)
        yield from limits(field.decorators, value[field.name], at)


def _is(value: Value, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def limits(decorators: tuple[Call, ...], value: Value, path: str) -> Iterator[str]:
    """What the decorators `@minLength`, `@maxValue` and so on would refuse."""
    if isinstance(value, Runtime):
        return
    size = (
        len(value) if isinstance(value, str | list) else value if isinstance(value, int) else None
    )
    for decorator in decorators:
        bound = decorator.arguments[0] if decorator.arguments else None
        if not isinstance(bound, Constant) or not isinstance(bound.value, int) or size is None:
            continue
        if decorator.name in ("minLength", "minValue") and size < bound.value:
            yield f"{path} is {value!r}, below its {decorator.name} of {bound.value}"
        if decorator.name in ("maxLength", "maxValue") and size > bound.value:
            yield f"{path} is {value!r}, above its {decorator.name} of {bound.value}"
