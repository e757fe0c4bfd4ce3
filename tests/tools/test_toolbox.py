"""What happens between a model that asks for a tool and the answer it gets."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, cast

import anyio
import pytest
from pydantic import BaseModel, Field

from switchboard.conversation.events import ToolOutcome
from switchboard.errors import ConfigurationError
from switchboard.tools import ToolContext, ToolFailed, tool
from switchboard.tools.context import Resources
from switchboard.tools.signature import canonical
from switchboard.tools.toolbox import Toolbox, ToolResult, realtime_tools


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Topping(BaseModel):
    name: Annotated[str, Field(min_length=2)]
    grams: int = 10


@tool(title="Order a pizza", confirm="Order a {size} pizza?")
async def order_pizza(
    ctx: ToolContext,
    size: Size,
    day: Annotated[date, Field(description="when it is wanted")],
    topping: Topping | None = None,
    cut: Literal["yes", "no"] = "yes",
) -> dict[str, object]:
    """Order a pizza.

    It is brought to the door.
    """
    return {"size": size, "day": day, "topping": topping, "cut": cut, "for": ctx.principal_id}


async def say_hello() -> str:
    """Say hello."""
    return "hello"


def body(result: ToolResult) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(result.output))


async def ask(function: Callable[..., Awaitable[object]], arguments: str = "{}") -> ToolResult:
    box = Toolbox(function)
    return await box.run(box.names[0], arguments, ToolContext(call_id="c1", agent_id="a1"))


# -- the contract -------------------------------------------------------------------------------


def test_a_signature_is_the_schema_and_the_docstring_the_description() -> None:
    (spec,) = Toolbox(order_pizza).specs(["order_pizza"])

    assert spec.name == "order_pizza"
    assert spec.description == "Order a pizza.\n\nIt is brought to the door."
    assert spec.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["size", "day"],
        "properties": {
            "size": {"type": "string", "enum": ["small", "large"]},
            "day": {"type": "string", "format": "date", "description": "when it is wanted"},
            "topping": {
                "anyOf": [
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string", "minLength": 2},
                            "grams": {"type": "integer", "default": 10},
                        },
                    },
                    {"type": "null"},
                ],
                "default": None,
            },
            "cut": {"type": "string", "enum": ["yes", "no"], "default": "yes"},
        },
    }


def test_the_realtime_dialect_gets_function_tools() -> None:
    (wire,) = realtime_tools(Toolbox(say_hello).specs(["say_hello"]))

    assert wire["type"] == "function"
    assert wire["name"] == "say_hello"
    assert wire["parameters"] == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def test_titles_and_questions_come_from_the_mark_or_from_the_name() -> None:
    box = Toolbox(order_pizza, say_hello)

    assert box.title_of("order_pizza") == "Order a pizza"
    assert box.title_of("say_hello") == "Say hello"
    assert box.title_of("fly_away") == "Fly away"
    assert box.confirm_of("order_pizza") == "Order a {size} pizza?"
    assert box.confirm_of("say_hello") is None
    assert box.rules(box.names)["order_pizza"].confirm == "Order a {size} pizza?"


def test_confirm_true_asks_with_the_title() -> None:
    @tool(title="Blow up the balloon", confirm=True)
    async def inflate() -> None:
        """Blow it up."""

    assert Toolbox(inflate).confirm_of("inflate") == "Blow up the balloon?"


async def test_parameters_may_have_names_that_mean_something_elsewhere() -> None:
    async def odd(copy: int, schema: str, model_config: str = "x", json: list[int] = []) -> str:  # noqa: B006 - what a beginner writes
        """Take odd names."""
        json.append(copy)
        return f"{copy} {schema} {model_config} {json}"

    once = await ask(odd, '{"copy": 1, "schema": "s"}')
    again = await ask(odd, '{"copy": 2, "schema": "s"}')

    assert body(once) == {"result": "1 s x [1]"}
    assert body(again) == {"result": "2 s x [2]"}


# -- what is refused when a toolbox is built -----------------------------------------------------


def blocking(amount: int) -> int:
    """Do it slowly."""
    return amount


async def wordless(amount: int) -> int:
    return amount


async def untyped(amount: int) -> str:
    """Take anything."""
    return str(amount)


del untyped.__annotations__["amount"]


async def starred(*amounts: int) -> int:
    """Add up."""
    return sum(amounts)


@tool(title="Pay", confirm="Pay {sum}?")
async def misasked(amount: int) -> int:
    """Pay it."""
    return amount


@tool(title="Pay", confirm="Pay {amount:.2f}?")
async def overasked(amount: float) -> float:
    """Pay it."""
    return amount


class Folder(BaseModel):
    inside: "list[Folder]"


async def endless(folder: Folder) -> str:
    """Open a folder."""
    return str(folder)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (blocking, "write `async def`"),
        (wordless, "no docstring"),
        (untyped, "`amount` has no type annotation"),
        (starred, "`amounts` cannot be passed by name"),
        (misasked, "{sum}, which is not a parameter"),
        (overasked, "without a format"),
        (endless, "contains itself"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused_with_its_place(
    function: Callable[..., Awaitable[object]], reason: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Toolbox(function)

    assert reason in str(refusal.value)
    assert str(refusal.value).startswith("test_toolbox.py, line ")


def test_two_tools_of_one_name_are_refused() -> None:
    async def say_hello_too() -> None:
        """Say hello again."""

    say_hello_too.__name__ = "say_hello"

    with pytest.raises(ConfigurationError, match=r"say_hello exists already, at test_toolbox\.py"):
        Toolbox(say_hello, say_hello_too)


# -- arguments ----------------------------------------------------------------------------------


async def test_good_arguments_arrive_typed_and_the_context_with_them() -> None:
    box = Toolbox(order_pizza)

    result = await box.run(
        "order_pizza",
        '{"size": "large", "day": "2026-03-01", "topping": {"name": "olives"}}',
        ToolContext(principal_id="robin"),
    )

    assert result.outcome is ToolOutcome.OK
    assert result.duration_ms >= 0
    assert body(result) == {
        "size": "large",
        "day": "2026-03-01",
        "topping": {"name": "olives", "grams": 10},
        "cut": "yes",
        "for": "robin",
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"size": "large", ', "not valid JSON"),
        ('["large"]', "one JSON object"),
        ('{"size": "large"}', "`day` is missing (when it is wanted)"),
        ('{"size": "huge", "day": "2026-03-01"}', "`size`: input should be 'small' or 'large'"),
        ('{"size": "small", "day": "soon"}', "`day`: input should be a valid date"),
        ('{"size": "small", "day": "2026-03-01", "crust": 1}', "`crust` is not an argument"),
        ('{"size": "small", "day": "2026-03-01", "ctx": {}}', "`ctx` is not an argument"),
        (
            '{"size": "small", "day": "2026-03-01", "topping": {"name": "ham", "x": 1}}',
            "x` is not known",
        ),
        ("[" * 100_000, "too long"),
        ("[" * 5_000, "not valid JSON"),
    ],
)
async def test_bad_arguments_are_answered_with_what_to_put_right(arguments: str, told: str) -> None:
    result = await ask(order_pizza, arguments)

    assert result.outcome is ToolOutcome.FAILED
    assert told in body(result)["error"]


def test_what_would_be_refused_is_known_before_anybody_is_asked() -> None:
    box = Toolbox(order_pizza)

    assert box.accepts("order_pizza", '{"size": "small", "day": "2026-03-01"}')
    assert not box.accepts("order_pizza", '{"size": "small"}')
    assert not box.accepts("order_pizza", "{")
    assert not box.accepts("fly_away", "{}")


async def test_values_are_never_repeated_in_a_refusal() -> None:
    result = await ask(order_pizza, '{"size": "4929123456781234", "day": "2026-03-01"}')

    assert "4929" not in result.output


async def test_no_arguments_at_all_are_as_good_as_an_empty_object() -> None:
    assert body(await ask(say_hello, "")) == {"result": "hello"}


def test_equal_arguments_have_one_canonical_spelling() -> None:
    assert canonical('{"b": 1, "a": [1.5, "é"]}') == canonical('{"a":[1.5,"é"],  "b":1}')
    assert canonical("") == "{}"
    assert canonical(" {broken ") == "{broken"


# -- what tools do ------------------------------------------------------------------------------


async def test_a_failure_is_a_sentence_for_the_model() -> None:
    async def find() -> str:
        """Find it."""
        raise ToolFailed("I could not find that; ask for the number again.")

    result = await ask(find)

    assert result.outcome is ToolOutcome.FAILED
    assert body(result) == {"error": "I could not find that; ask for the number again."}


@pytest.mark.parametrize("error", [KeyError("card 4417"), SystemExit(3), RecursionError("4417")])
async def test_a_tool_that_raises_is_logged_without_what_was_said(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def explode(card: str) -> str:
        """Explode."""
        raise error

    result = await ask(explode, '{"card": "4417"}')

    assert result.outcome is ToolOutcome.FAILED
    assert "Something went wrong" in body(result)["error"]
    (record,) = caplog.records
    fields = vars(record)
    assert record.getMessage() == "tool raised"
    assert (fields["tool"], fields["tool_call"], fields["agent"]) == ("explode", "c1", "a1")
    assert fields["error"] == type(error).__name__
    assert "in explode" in fields["stack"]
    assert "4417" not in str({**fields, "stack": ""}) + logging.Formatter().format(record)


async def test_a_tool_that_hangs_is_stopped_in_time() -> None:
    stopped = anyio.Event()

    @tool(timeout_s=0.05)
    async def hang() -> None:
        """Hang."""
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    result = await ask(hang)

    assert result.outcome is ToolOutcome.TIMED_OUT
    assert "longer than 0.05 seconds" in body(result)["error"]
    assert result.duration_ms >= 40
    assert stopped.is_set()


async def test_a_timeout_inside_a_tool_is_its_own_fault_and_not_ours() -> None:
    async def impatient() -> None:
        """Wait too briefly."""
        with anyio.fail_after(0.001):
            await anyio.sleep_forever()

    assert (await ask(impatient)).outcome is ToolOutcome.FAILED


async def test_a_stray_cancellation_of_the_tools_own_making_is_still_an_answer() -> None:
    async def stray() -> None:
        """Wait for something that was given up."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    assert (await ask(stray)).outcome is ToolOutcome.FAILED


async def test_the_end_of_the_call_cancels_a_tool_and_is_not_answered() -> None:
    started = anyio.Event()

    async def wait() -> None:
        """Wait."""
        started.set()
        await anyio.sleep_forever()

    answers: list[ToolResult] = []

    async def call() -> None:
        answers.append(await ask(wait))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await started.wait()
        tasks.cancel_scope.cancel()

    assert answers == []


async def test_an_unknown_name_is_answered_with_names_that_resemble_it() -> None:
    box = Toolbox(order_pizza, say_hello)

    result = await box.run("order_piza", "{}", ToolContext())
    strange = await box.run("x" * 500, "{}", ToolContext())

    assert result.outcome is ToolOutcome.UNKNOWN
    assert body(result)["error"].endswith("Did you mean order_pizza?")
    assert "Use only the tools you were given." in body(strange)["error"]
    assert len(strange.output) < 200


async def test_a_tool_that_was_not_offered_does_not_run_and_is_not_hinted_at() -> None:
    box = Toolbox(order_pizza, say_hello)

    result = await box.run("say_hello", "{}", ToolContext(), offered=["order_pizza"])

    assert result.outcome is ToolOutcome.UNKNOWN
    assert "Did you mean" not in result.output


async def test_a_resource_is_found_by_its_type_and_its_absence_is_a_fault_of_the_house() -> None:
    async def count(ctx: ToolContext) -> int:
        """Count the pizzas."""
        return ctx.resources.need(Topping).grams

    box = Toolbox(count)
    stocked = ToolContext(resources=Resources(Topping(name="ham", grams=70)))

    assert body(await box.run("count", "{}", stocked)) == {"result": 70}
    assert (await box.run("count", "{}", ToolContext())).outcome is ToolOutcome.FAILED
