"""`switchboard tools`, as somebody at a terminal sees it."""

import io
import json
from pathlib import Path

import pytest

from switchboard.tools.cli import AgentSheet, Terminal, tools_command
from switchboard.tools.context import Resources
from switchboard.tools.demo import DemoDatabase
from switchboard.tools.loading import load_toolbox

BOX = load_toolbox(["switchboard.tools.banking"], Path())


class Screen:
    """A terminal, with somebody at it who gives `answer`, or nobody."""

    def __init__(self, folder: Path, answer: str | None = None) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.asked: list[str] = []
        self._answer = answer
        self._resources = Resources(DemoDatabase(folder / "demo.sqlite3"))

    def _ask(self, question: str) -> str:
        self.asked.append(question)
        return self._answer or ""

    def type(self, *argv: str) -> int:
        sheet = AgentSheet("Be brief.", ["get_balance", "block_card"])
        return tools_command(
            argv,
            toolbox=BOX,
            agents={"bank": sheet},
            resources=self._resources,
            terminal=Terminal(self.out, self.err, None if self._answer is None else self._ask),
        )


def test_the_list_tells_name_title_arguments_question_and_who_may(tmp_path: Path) -> None:
    screen = Screen(tmp_path)

    assert screen.type() == 0

    shown = screen.out.getvalue()
    assert "get_balance(account?)  Check the balance\n    agents: bank\n" in shown
    assert "block_card(card)  Block a card\n    agents: bank\n" in shown
    assert "    asks first: Block the card ending in {card}?\n" in shown
    assert "list_payees()  List saved payees\n    agents: none\n" in shown


def test_json_gives_each_agents_instructions_and_realtime_tools(tmp_path: Path) -> None:
    screen = Screen(tmp_path)

    assert screen.type("--json") == 0

    sheet = json.loads(screen.out.getvalue())["bank"]
    assert sheet["instructions"] == "Be brief."
    assert [each["name"] for each in sheet["tools"]] == ["get_balance", "block_card"]
    assert sheet["tools"][1]["parameters"]["required"] == ["card"]


def test_a_harmless_tool_runs_at_once(tmp_path: Path) -> None:
    screen = Screen(tmp_path)

    assert screen.type("call", "get_balance", '{"account": "savings"}') == 0

    assert json.loads(screen.out.getvalue())["balance"] == "8,650.00 EUR"
    assert screen.err.getvalue().startswith("ok, ")


def test_a_dangerous_tool_asks_whoever_sits_there(tmp_path: Path) -> None:
    shy, sure = Screen(tmp_path, answer=""), Screen(tmp_path, answer="y")

    assert shy.type("call", "block_card", '{"card": "4417"}') == 1
    assert shy.asked == ["Block the card ending in 4417? [y/N] "]
    assert shy.out.getvalue() == ""
    assert sure.type("call", "block_card", '{"card": "4417"}') == 0


def test_with_nobody_to_ask_it_needs_yes(tmp_path: Path) -> None:
    screen = Screen(tmp_path)

    assert screen.type("call", "block_card", '{"card": "4417"}') == 1
    assert "Block the card ending in 4417? Add --yes" in screen.err.getvalue()
    assert screen.type("call", "block_card", '{"card": "4417"}', "--yes") == 0


def test_a_refused_call_says_why_and_fails(tmp_path: Path) -> None:
    screen = Screen(tmp_path, answer="y")

    assert screen.type("call", "get_balanse") == 1
    assert screen.type("call", "block_card", "{broken") == 1
    assert screen.asked == []
    assert "Did you mean get_balance?" in screen.out.getvalue()
    assert "not valid JSON" in screen.out.getvalue()


def test_wrong_usage_is_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Screen(tmp_path).type("sing") == 2
    assert Screen(tmp_path).type("--help") == 0
    assert "run one tool" in capsys.readouterr().out
