"""Ways into a plan's values, which are of any shape."""

from collections.abc import Iterator

from tests.infra.bicep.expand import Plan
from tests.infra.bicep.values import Resource, Value


def at(value: Value, path: str) -> Value:
    """What is at `properties.sku.name` and the like. None where there is nothing."""
    for step in path.split("."):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def listed(value: Value, path: str = "") -> list[Value]:
    found = at(value, path) if path else value
    return found if isinstance(found, list) else []


def texts(value: Value, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value, and where it is."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from texts(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from texts(each, f"{path}.{name}" if path else name)


def container(plan: Plan) -> Value:
    [only] = listed(plan.one("Microsoft.App/containerApps").body, "properties.template.containers")
    return only


def variables(plan: Plan) -> dict[str, str]:
    """The server's environment: name to value, or to `secret:` and the secret's name."""
    found: dict[str, str] = {}
    for each in listed(container(plan), "env"):
        value, secret = at(each, "value"), at(each, "secretRef")
        found[str(at(each, "name"))] = f"secret:{secret}" if value is None else str(value)
    return found


def made(plan: Plan) -> list[Resource]:
    return [each for each in plan.resources if not each.existing]
