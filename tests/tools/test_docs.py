"""What `docs/tools.md` shows is what works."""

import json
import re
from pathlib import Path

from switchboard.agents.book import AgentBook
from switchboard.conversation.events import ToolOutcome
from switchboard.tools import ToolContext
from switchboard.tools.loading import load_toolbox

ROOT = Path(__file__).parents[2]


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "tools.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


async def test_the_new_tool_in_ten_lines_works_as_printed(tmp_path: Path) -> None:
    snippet, change = blocks("python")[0], json.loads(blocks("json")[0])
    config = json.loads((ROOT / "session_config.json").read_text())
    config["tools"] = change["tools"]
    config["agents"] = [{**config["agents"][2], **change["agents"][0]}]
    del config["agents"][0]["phone"]  # for tools that are not in this file
    config["default_agent"] = change["agents"][0]["id"]
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "banking.md").write_text("Be brief.")
    (tmp_path / "my_tools.py").write_text(snippet)
    (tmp_path / "session_config.json").write_text(json.dumps(config))

    book = AgentBook(tmp_path / "session_config.json", load_toolbox)
    arguments = re.findall(r"call opening_hours '(.*?)'", (ROOT / "docs/tools.md").read_text())[0]
    sunday = await book.edition.tools.run("opening_hours", arguments, ToolContext())
    monday = await book.edition.tools.run("opening_hours", '{"day": "2026-03-02"}', ToolContext())

    assert len([line for line in snippet.splitlines() if line.strip()]) <= 10
    assert sunday.output == '{"result":"closed on Sundays"}'
    assert monday.output == '{"result":"nine to six"}'
    assert "opening_hours" in book.edition.roster.agents["banking"].tools


async def test_the_tool_that_asks_first_works_as_printed(tmp_path: Path) -> None:
    (tmp_path / "hotel.py").write_text(blocks("python")[1])

    box = load_toolbox(["hotel.py"], tmp_path)
    fine = await box.run("check_out", '{"room": "204"}', ToolContext())
    wrong = await box.run("check_out", '{"room": "004"}', ToolContext())

    assert box.confirm_of("check_out") == "Check out of room {room} now?"
    assert fine.outcome is ToolOutcome.OK
    assert "There is no such room" in wrong.output
