"""`switchboard tools`: what tools there are, and running one by hand."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO, cast

import anyio

from switchboard.conversation.events import ToolOutcome
from switchboard.conversation.session import ToolSpec
from switchboard.tools.context import Resources, ToolContext
from switchboard.tools.toolbox import Toolbox, realtime_tools

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2


@dataclass(frozen=True, slots=True)
class AgentSheet:
    """What this command must know of an agent."""

    instructions: str
    tools: Sequence[str]
    more_tools: Sequence[ToolSpec] = ()
    """Tools that the model sees and no toolbox holds: hanging up."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where the command speaks and listens."""

    out: TextIO
    err: TextIO
    ask: Callable[[str], str] | None
    """Puts a question and returns the answer; `None` where nobody can be asked."""

    def say(self, line: str) -> None:
        self.out.write(f"{line}\n")

    def complain(self, line: str) -> None:
        self.err.write(f"{line}\n")


def this_terminal() -> Terminal:
    """Standard output and error; questions only if a person sits at the keyboard."""
    return Terminal(sys.stdout, sys.stderr, input if sys.stdin.isatty() else None)


def tools_command(
    argv: Sequence[str],
    *,
    toolbox: Toolbox,
    agents: Mapping[str, AgentSheet],
    resources: Resources,
    terminal: Terminal | None = None,
) -> int:
    """Carry out `switchboard tools …`; the exit status.

    Nothing lists the tools; `--json` prints each agent's instructions and realtime function tools
    (for the operator's own machine: it is no page); `call NAME '{…}'` runs one, after asking for
    consent where the tool wants it.
    """
    terminal = terminal or this_terminal()
    try:
        wish = _parser().parse_args(argv)
    except SystemExit as end:
        return EXIT_OK if end.code in (None, 0) else EXIT_USAGE
    if wish.what == "call":
        return _call(wish, toolbox, resources, terminal)
    if wish.json:
        terminal.say(json.dumps(_sheets(toolbox, agents), indent=2, ensure_ascii=False))
    else:
        _list(toolbox, agents, terminal)
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("switchboard tools", description="The tools of this server.")
    parser.add_argument("--json", action="store_true", help="instructions and tools of each agent")
    call = parser.add_subparsers(dest="what").add_parser("call", help="run one tool")
    call.add_argument("name")
    call.add_argument("arguments", nargs="?", default="{}", help="a JSON object")
    call.add_argument("--yes", action="store_true", help="agree to what the tool asks first")
    call.add_argument("--as", dest="principal", default="", help="the caller's principal id")
    return parser


def _sheets(toolbox: Toolbox, agents: Mapping[str, AgentSheet]) -> Mapping[str, object]:
    return {
        name: {
            "instructions": sheet.instructions,
            "tools": realtime_tools([*toolbox.specs(sheet.tools), *sheet.more_tools]),
        }
        for name, sheet in agents.items()
    }


def _list(toolbox: Toolbox, agents: Mapping[str, AgentSheet], terminal: Terminal) -> None:
    for spec in toolbox.specs(toolbox.names):
        users = [name for name, sheet in agents.items() if spec.name in sheet.tools]
        arguments = ", ".join(_arguments(spec))
        terminal.say(f"{spec.name}({arguments})  {toolbox.title_of(spec.name)}")
        terminal.say(f"    agents: {', '.join(users) or 'none'}")
        question = toolbox.confirm_of(spec.name)
        if question:
            terminal.say(f"    asks first: {question}")


def _arguments(spec: ToolSpec) -> list[str]:
    schema = cast(dict[str, Any], spec.parameters)
    needed = cast(list[str], schema.get("required", []))
    return [name if name in needed else f"{name}?" for name in schema["properties"]]


def _call(
    wish: argparse.Namespace, toolbox: Toolbox, resources: Resources, terminal: Terminal
) -> int:
    question = toolbox.confirm_of(wish.name)
    open_question = question and not wish.yes and toolbox.accepts(wish.name, wish.arguments)
    if question and open_question and not _agreed(question, wish.arguments, terminal):
        return EXIT_FAILED
    context = ToolContext(principal_id=wish.principal, resources=resources)
    result = anyio.run(toolbox.run, wish.name, wish.arguments, context)
    terminal.say(json.dumps(json.loads(result.output), indent=2, ensure_ascii=False))
    terminal.complain(f"{result.outcome}, {result.duration_ms:.0f} ms")
    return EXIT_OK if result.outcome is ToolOutcome.OK else EXIT_FAILED


def _agreed(question: str, arguments: str, terminal: Terminal) -> bool:
    if terminal.ask is None:
        asked = _filled(question, arguments)
        terminal.complain(f"This tool asks first: {asked} Add --yes to agree.")
        return False
    return terminal.ask(f"{_filled(question, arguments)} [y/N] ").strip().lower() in ("y", "yes")


def _filled(question: str, arguments: str) -> str:
    """The question with the arguments in their places; one left to its default stays open."""
    try:
        return question.format(**json.loads(arguments.strip() or "{}"))
    except LookupError:
        return f"{question} {arguments}"
