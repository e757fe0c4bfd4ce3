"""Bicep's functions, as far as `infra/` calls them: how many arguments, and what comes out."""

import hashlib
import ipaddress
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from tests.infra.bicep.values import Function, Runtime, Value

SUBSCRIPTION: Final = "00000000-0000-0000-0000-00000000000a"
TENANT: Final = "00000000-0000-0000-0000-0000000000ff"
ENVIRONMENT: Final[dict[str, Value]] = {
    "name": "AzureCloud",
    "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
    "suffixes": {"storage": "core.windows.net", "acrLoginServer": ".azurecr.io"},
}


@dataclass(frozen=True, slots=True)
class Builtin:
    least: int
    most: int
    call: Callable[..., Any]  # each has types of its own


def unique_string(*seeds: str) -> str:
    """13 letters and digits that depend on the seeds alone, as Azure's are."""
    digest = hashlib.sha256("\n".join(seeds).encode()).hexdigest()
    return "u" + digest[:12]


def cidr_subnet(cidr: str, size: int, index: int) -> str:
    return str(list(ipaddress.ip_network(cidr).subnets(new_prefix=size))[index])


def cidr_host(cidr: str, index: int) -> str:
    return str(ipaddress.ip_network(cidr)[index + 1])


def union(*parts: Value) -> Value:
    if all(isinstance(part, dict) for part in parts):
        merged: dict[str, Value] = {}
        for part in parts:
            merged |= part if isinstance(part, dict) else {}
        return merged
    found: list[Value] = []
    for part in parts:
        found += [each for each in part if each not in found] if isinstance(part, list) else []
    return _unique(found)


def _unique(found: list[Value]) -> list[Value]:
    return [each for index, each in enumerate(found) if each not in found[:index]]


def concat(*parts: Value) -> Value:
    if parts and all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    return list(chain.from_iterable(part for part in parts if isinstance(part, list)))


def text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def apply(source: list[Value], function: Function) -> list[Value]:
    return [function(each) for each in source]


def keep(source: list[Value], function: Function) -> list[Value]:
    return [each for each in source if function(each)]


def items(source: dict[str, Value]) -> list[Value]:
    """By key, as the compiler sorts them."""
    return [{"key": key, "value": source[key]} for key in sorted(source)]


def replace(source: str, old: str, new: str) -> str:
    result = source.replace(old, new)
    return Runtime(result) if isinstance(source, Runtime) else result


def role_id(kind: str, name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/providers/{kind}/{name}"


def is_empty(value: Value) -> bool:
    return not value


def flatten(lists: list[Value]) -> Value:
    return concat(*lists)


def guid(*seeds: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(seeds)))


def join(parts: list[str], between: str) -> str:
    return between.join(parts)


def last(source: list[Value]) -> Value:
    return source[-1]


def numbers(start: int, count: int) -> list[int]:
    return list(range(start, start + count))


def split(source: str, by: str) -> list[str]:
    return source.split(by)


def subscription() -> dict[str, str]:
    return {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION}


def elsewhere(*arguments: Value) -> Value:
    """Known to the evaluator, which alone knows where it is."""
    raise NotImplementedError


FUNCTIONS: Final = {
    "cidrHost": Builtin(2, 2, cidr_host),
    "cidrSubnet": Builtin(3, 3, cidr_subnet),
    "concat": Builtin(1, 99, concat),
    "empty": Builtin(1, 1, is_empty),
    "environment": Builtin(0, 0, lambda: ENVIRONMENT),
    "fail": Builtin(1, 1, elsewhere),
    "filter": Builtin(2, 2, keep),
    "flatten": Builtin(1, 1, flatten),
    "guid": Builtin(1, 15, guid),
    "items": Builtin(1, 1, items),
    "join": Builtin(2, 2, join),
    "json": Builtin(1, 1, json.loads),
    "last": Builtin(1, 1, last),
    "length": Builtin(1, 1, len),
    "loadTextContent": Builtin(1, 2, elsewhere),
    "map": Builtin(2, 2, apply),
    "max": Builtin(1, 99, max),
    "min": Builtin(1, 99, min),
    "range": Builtin(2, 2, numbers),
    "replace": Builtin(3, 3, replace),
    "resourceGroup": Builtin(0, 2, elsewhere),
    "resourceId": Builtin(2, 9, elsewhere),
    "split": Builtin(2, 2, split),
    "string": Builtin(1, 1, text),
    "subscription": Builtin(0, 0, subscription),
    "subscriptionResourceId": Builtin(2, 2, role_id),
    "tenant": Builtin(0, 0, lambda: {"tenantId": TENANT}),
    "toLower": Builtin(1, 1, str.lower),
    "toUpper": Builtin(1, 1, str.upper),
    "union": Builtin(2, 99, union),
    "uniqueString": Builtin(1, 15, unique_string),
}
DECORATORS: Final = frozenset(
    {
        *("description", "export", "secure", "batchSize"),
        *("minValue", "maxValue", "minLength", "maxLength"),
    }
)
