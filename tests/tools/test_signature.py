"""Whatever a signature lets through, its schema allows: models and the house agree."""

import inspect
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from switchboard.errors import ToolFailed
from switchboard.tools.signature import canonical, signature_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    x: int
    label: Annotated[str, Field(max_length=5)] = "here"


LIKELY: Mapping[Any, st.SearchStrategy[Any]] = {
    int: st.integers(),
    float: st.floats() | st.integers(-10, 10),
    bool: st.booleans(),
    str: st.text(max_size=8),
    date: st.dates().map(str),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str)
    | st.integers(-9, 9),
    Colour: st.sampled_from(["red", "blue"]),
    Literal["a", "b", 3]: st.sampled_from(["a", "b", 3]),
    Annotated[int, Field(ge=1, le=10)]: st.integers(0, 11),
    Annotated[str, Field(pattern="^[0-9]{4}$")]: st.from_regex("^[0-9]{3,4}\n?$"),
    Annotated[list[int], Field(max_length=3)]: st.lists(st.integers(), max_size=4),
    Point: st.fixed_dictionaries(
        {"x": st.integers()}, optional={"label": st.text(max_size=6), "z": st.none()}
    ),
    int | None: st.none() | st.integers(),
    dict[str, Point]: st.dictionaries(
        st.text(max_size=2), st.fixed_dictionaries({"x": st.just(1)})
    ),
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@st.composite
def signatures_and_arguments(draw: st.DrawFn) -> tuple[Any, dict[str, Any]]:
    """A function of random parameters, and arguments that are mostly right for it."""
    kinds = draw(st.lists(st.sampled_from(list(LIKELY)), max_size=4))
    parameters: list[inspect.Parameter] = []
    arguments: dict[str, Any] = {}
    for at, kind in enumerate(kinds):
        optional = draw(st.booleans())
        parameters.append(
            inspect.Parameter(
                f"p{at}",
                inspect.Parameter.KEYWORD_ONLY,
                default=None if optional else inspect.Parameter.empty,
                annotation=kind | None if optional else kind,
            )
        )
        if not optional or draw(st.booleans()):
            arguments[f"p{at}"] = draw(st.one_of(*[LIKELY[kind]] * 9, ANYTHING))
    if draw(st.integers(0, 9)) == 0:
        arguments[draw(st.text(max_size=3))] = draw(ANYTHING)

    async def function(**_: object) -> None:
        """Do something."""

    setattr(function, "__signature__", inspect.Signature(parameters))  # noqa: B010 - pyright knows no such attribute
    function.__annotations__ = {p.name: p.annotation for p in parameters}
    return function, arguments


@settings(deadline=None)  # a busy machine is no fault
@given(signatures_and_arguments())
def test_what_a_signature_lets_through_its_schema_allows(case: tuple[Any, dict[str, Any]]) -> None:
    function, arguments = case
    signature = signature_of(function)
    Draft202012Validator.check_schema(dict(signature.schema))
    allowed = Draft202012Validator(dict(signature.schema))

    try:
        signature.read(json.dumps(arguments))
    except ToolFailed:
        event("refused")
    else:
        event("let through")
        assert allowed.is_valid(arguments)  # pyright: ignore[reportUnknownMemberType] - its stub says Unknown


@settings(deadline=None)  # a busy machine is no fault
@given(st.dictionaries(st.text(max_size=4), ANYTHING))
def test_canonical_spelling_forgets_order_and_nothing_else(arguments: dict[str, Any]) -> None:
    backwards = dict(reversed(arguments.items()))

    assert canonical(json.dumps(arguments, indent=2)) == canonical(json.dumps(backwards))
    assert canonical(canonical(json.dumps(arguments))) == canonical(json.dumps(arguments))
