"""Strict checking of what a client sent, with errors in the dialect's words."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from switchboard_local.realtime.refusals import Refused

_CODES: Mapping[str, str] = {
    "extra_forbidden": "unknown_parameter",
    "missing": "missing_required_parameter",
}


class Strict(BaseModel):
    """An object of the dialect: no unknown keys, no coerced types."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", strict=True, protected_namespaces=()
    )


def check[M: BaseModel](model: type[M], data: object, at: str = "") -> M:
    """`data` as a `model`. Raises `Refused` naming the first wrong place, below `at`."""
    try:
        return model.model_validate(data)
    except ValidationError as wrong:
        raise _refusal(wrong, data, at) from None


def _refusal(wrong: ValidationError, data: object, at: str) -> Refused:
    # An unknown key is worth more than what else is wrong: it is most often the cause.
    errors = sorted(
        wrong.errors(include_url=False, include_context=False),
        key=lambda error: error["type"] != "extra_forbidden",
    )
    first = errors[0]
    kind = first["type"]
    param = _path(first["loc"], data, at, keep_last=kind == "missing")
    code = _CODES.get(kind, "invalid_value")
    match code:
        case "unknown_parameter":
            message = f"Unknown parameter: '{param}'."
        case "missing_required_parameter":
            message = f"Missing required parameter: '{param}'."
        case _:
            message = f"Invalid value for '{param}': {first['msg']}."
    return Refused(code, message[:500], param[:200])


def _path(loc: Sequence[int | str], data: object, at: str, *, keep_last: bool) -> str:
    """`loc` as `session.tools[0].name`. Pydantic also names the union member it tried: left out."""
    path, here = at, data
    for index, step in enumerate(loc):
        inside, known = _step(here, step)
        if not known and not (keep_last and index == len(loc) - 1):
            continue
        here = inside
        path = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}".lstrip(".")
    return path


def _step(here: object, step: int | str) -> tuple[Any, bool]:
    """What `step` leads to from `here`, and whether it leads anywhere."""
    if isinstance(here, dict) and step in here:
        return here[step], True  # pyright: ignore[reportUnknownVariableType] - any JSON
    if isinstance(here, list) and isinstance(step, int) and step < len(here):  # pyright: ignore[reportUnknownArgumentType] - any JSON
        return here[step], True  # pyright: ignore[reportUnknownVariableType] - any JSON
    return None, False
