"""The toolbox: typed functions, offered to models and run for them."""

import asyncio
import difflib
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Formatter
from time import perf_counter
from typing import Any, Final

import anyio

from switchboard.conversation.events import ToolOutcome
from switchboard.conversation.rules import ToolRule
from switchboard.conversation.session import ToolSpec
from switchboard.errors import ConfigurationError, ToolFailed
from switchboard.tools.answer import answer_text, failure_text
from switchboard.tools.context import ToolContext
from switchboard.tools.signature import Signature, signature_of

logger = logging.getLogger(__name__)

type ToolFunction = Callable[..., Awaitable[object]]

DEFAULT_TIMEOUT_S: Final = 10.0
_MARK: Final = "__switchboard_tool__"
_BROKEN: Final = "Something went wrong with this tool. Say so, and offer to try again or go on."


@dataclass(frozen=True, slots=True)
class ToolMark:
    """What `@tool` says of a function."""

    title: str | None = None
    confirm: str | bool | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S


def tool[F: ToolFunction](
    *,
    title: str | None = None,
    confirm: str | bool | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> Callable[[F], F]:
    """Mark an async function as a tool. It is registered nowhere: a `Toolbox` takes it in.

    `title` is what the caller's screen says it does: "Block a card". `confirm` is the question to
    be agreed to first, with `{argument}` places: "Block the card ending in {card}?" (`True` makes
    one of the title). `timeout_s` is how long one run may take.
    """

    def mark(function: F) -> F:
        setattr(function, _MARK, ToolMark(title, confirm, timeout_s))
        return function

    return mark


def is_tool(thing: object) -> bool:
    """Was this function marked with `@tool`?"""
    return callable(thing) and hasattr(thing, _MARK)


@dataclass(frozen=True, slots=True)
class Tool:
    """One function, read and checked."""

    name: str
    title: str
    description: str
    confirm: str | None
    timeout_s: float
    signature: Signature
    function: ToolFunction
    where: str
    """File and line of its definition."""

    async def __call__(self, arguments: str, context: ToolContext) -> str:
        """JSON text of the answer. Raises `ToolFailed`, or whatever the function does."""
        given = self.signature.read(arguments)
        if self.signature.context:
            given[self.signature.context] = context
        return answer_text(await self.function(**given))


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How one run ended."""

    output: str
    """JSON text for the model: an object of at most 16 KiB."""
    outcome: ToolOutcome
    duration_ms: float


class Toolbox:
    """The tools of this house, by name.

    Raises `ConfigurationError` for a function that cannot be a tool: a blocking one, one without
    docstring or annotations, a second one of the same name. The text says where it stands.
    """

    def __init__(self, *functions: ToolFunction) -> None:
        self._tools: dict[str, Tool] = {}
        for function in functions:
            made = _made(function)
            other = self._tools.setdefault(made.name, made)
            if other is not made:
                raise ConfigurationError(
                    f"{made.where}: a tool called {made.name} exists already, at {other.where}"
                )

    @property
    def names(self) -> Sequence[str]:
        """In the order they were given."""
        return tuple(self._tools)

    def joined(self, others: "Toolbox") -> "Toolbox":
        """These tools, and those of the others whose names are free."""
        both = Toolbox()
        both._tools = {**others._tools, **self._tools}
        return both

    def specs(self, names: Iterable[str]) -> list[ToolSpec]:
        """These tools as a model sees them. Raises `KeyError` for a name that is not here."""
        return [
            ToolSpec(tool.name, tool.description, tool.signature.schema)
            for tool in map(self._tools.__getitem__, names)
        ]

    def rules(self, names: Iterable[str]) -> dict[str, ToolRule]:
        """What the conversation must know of these tools."""
        return {
            name: ToolRule(self.confirm_of(name), partial(self.accepts, name)) for name in names
        }

    def title_of(self, name: str) -> str:
        """What it does, in words; a name that is not here speaks for itself."""
        known = self._tools.get(name)
        return known.title if known else _in_words(name)

    def confirm_of(self, name: str) -> str | None:
        """The question to be agreed to first, with `{argument}` places."""
        known = self._tools.get(name)
        return known.confirm if known else None

    def accepts(self, name: str, arguments: str) -> bool:
        """Would it run with these? There is no sense in asking consent to what it would refuse."""
        if (known := self._tools.get(name)) is None:
            return False
        try:
            known.signature.read(arguments)
        except ToolFailed:
            return False
        return True

    def near(self, name: str) -> list[str]:
        """Names that resemble this one, nearest first."""
        return difflib.get_close_matches(name, self._tools, n=3, cutoff=0.6)

    async def run(
        self,
        name: str,
        arguments: str,
        context: ToolContext,
        *,
        offered: Iterable[str] | None = None,
    ) -> ToolResult:
        """Run a tool for a model. Whatever happens is an answer; only cancellation is raised.

        `offered` are the names the profile allows: any other is as good as unknown.
        """
        started = perf_counter()
        known = self._tools.get(name) if offered is None or name in set(offered) else None
        if known is None:
            output, outcome = failure_text(self._unknown(name, offered)), ToolOutcome.UNKNOWN
        else:
            output, outcome = await _attempt(known, arguments, context)
        return ToolResult(output, outcome, (perf_counter() - started) * 1_000)

    def _unknown(self, name: str, offered: Iterable[str] | None) -> str:
        allowed = set(self._tools if offered is None else offered)
        near = [each for each in self.near(name) if each in allowed]
        hint = (
            f"Did you mean {' or '.join(near)}?" if near else "Use only the tools you were given."
        )
        return f"There is no tool of the name {name[:64]!r}. {hint}"


async def _attempt(tool: Tool, arguments: str, context: ToolContext) -> tuple[str, ToolOutcome]:
    try:
        with anyio.move_on_after(tool.timeout_s) as allowed:
            return await _uncancelled(tool, arguments, context), ToolOutcome.OK
    except ToolFailed as failure:
        return failure_text(str(failure)), ToolOutcome.FAILED
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool's fault must not end a call
        _report(tool, context, error)
        return failure_text(_BROKEN), ToolOutcome.FAILED
    assert allowed.cancelled_caught
    logger.warning("tool timed out", extra={"tool": tool.name, "tool_call": context.call_id})
    sentence = f"It took longer than {tool.timeout_s:g} seconds and was stopped. Say so."
    return failure_text(sentence), ToolOutcome.TIMED_OUT


async def _uncancelled(tool: Tool, arguments: str, context: ToolContext) -> str:
    """Run it; a stray `CancelledError` of the tool's own making is a fault like any other."""
    try:
        return await tool(arguments, context)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("the tool was cancelled from within") from None


def _report(tool: Tool, context: ToolContext, error: BaseException) -> None:
    # Not exc_info: an exception's own words may repeat what the caller said.
    logger.error(
        "tool raised",
        extra={
            "tool": tool.name,
            "tool_call": context.call_id,
            "agent": context.agent_id,
            "error": type(error).__name__,
            "stack": "".join(traceback.format_tb(error.__traceback__)),
        },
    )


def _made(function: ToolFunction) -> Tool:
    """The tool a function is. Raises `ConfigurationError`, naming the place."""
    where = _where(function)
    name = getattr(function, "__name__", "")
    try:
        _check(function, name)
        mark: ToolMark = getattr(function, _MARK, ToolMark())
        title = mark.title or _in_words(name)
        signature = signature_of(function)
        confirm = _question(mark.confirm, title, signature.names)
    except Exception as error:  # annotations are evaluated here, and may raise anything
        label = name or repr(function)
        raise ConfigurationError(f"{where}: {label} cannot be a tool: {error}") from error
    description = inspect.cleandoc(function.__doc__ or "")
    return Tool(name, title, description, confirm, mark.timeout_s, signature, function, where)


def _check(function: ToolFunction, name: str) -> None:
    if not (name.isascii() and name.isidentifier() and len(name) <= 64):
        raise TypeError("a tool needs a plain name of at most 64 letters, digits and underscores")
    if not inspect.iscoroutinefunction(function):
        raise TypeError("it would block every call while it runs; write `async def`")
    if not (function.__doc__ or "").strip():
        raise TypeError("it has no docstring, which is how a model knows what it is for")


def _question(confirm: str | bool | None, title: str, names: Sequence[str]) -> str | None:
    if not confirm:
        return None
    question = f"{title}?" if confirm is True else confirm
    for _, place, how, conversion in Formatter().parse(question):
        if how or conversion:
            raise TypeError("the question's places are plain: {name}, without a format")
        if place is not None and place not in names:
            raise TypeError(f"the question asks for {{{place}}}, which is not a parameter")
    return question


def _where(function: ToolFunction) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{Path(code.co_filename).name}, line {code.co_firstlineno}" if code else "a toolbox"


def _in_words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def realtime_tools(specs: Iterable[ToolSpec]) -> list[Mapping[str, Any]]:
    """Function tools as the realtime dialect spells them."""
    return [
        {
            "type": "function",
            "name": spec.name,
            "description": spec.description,
            "parameters": dict(spec.parameters),
        }
        for spec in specs
    ]
