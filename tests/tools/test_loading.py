"""Tools from modules and files, as the configuration names them."""

import textwrap
from pathlib import Path

import pytest

from switchboard.conversation.events import ToolOutcome
from switchboard.errors import ConfigurationError
from switchboard.tools import ToolContext
from switchboard.tools.loading import load_toolbox

TIDE = '''
from __future__ import annotations

from pydantic import BaseModel
from switchboard.tools import tool
from switchboard.tools.banking import get_balance

class Harbour(BaseModel):
    name: str

@tool(title="Tell the tide")
async def next_tide(harbour: Harbour) -> str:
    """Tell when the tide is next high."""
    return f"{harbour.name}: ten past two"

def helper() -> None: ...
'''


def write(folder: Path, text: str, name: str = "my_tools.py") -> Path:
    file = folder / name
    file.write_text(textwrap.dedent(text))
    return file


async def test_a_new_tool_is_one_function_in_one_file(tmp_path: Path) -> None:
    write(tmp_path, TIDE)

    box = load_toolbox(["switchboard.tools.banking", "my_tools.py"], tmp_path)
    result = await box.run("next_tide", '{"harbour": {"name": "Leith"}}', ToolContext())

    assert "get_balance" in box.names
    assert box.names[-1] == "next_tide"
    assert result.output == '{"result":"Leith: ten past two"}'


async def test_an_edit_made_within_the_same_second_is_seen(tmp_path: Path) -> None:
    write(tmp_path, TIDE)
    before = load_toolbox(["my_tools.py"], tmp_path)
    write(tmp_path, TIDE.replace("ten past two", "ten past six"))
    after = load_toolbox(["my_tools.py"], tmp_path)

    old = await before.run("next_tide", '{"harbour": {"name": "Leith"}}', ToolContext())
    new = await after.run("next_tide", '{"harbour": {"name": "Leith"}}', ToolContext())

    assert "ten past two" in old.output
    assert "ten past six" in new.output


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\nasync def broken(:\n", r"my_tools\.py, line 2: .*invalid syntax|line 2: "),
        ("x = 1\n\ny = x / 0\n", r"my_tools\.py, line 3: ZeroDivisionError: division by zero"),
        ("import no_such_module_anywhere\n", r"my_tools\.py, line 1: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", r"my_tools\.py, line 1: SystemExit: 3"),
        ("async def unmarked() -> None: ...\n", r"my_tools\.py: there is no function marked"),
        (
            "from switchboard.tools import tool\n\n@tool()\nasync def wordless() -> None: ...\n",
            r"my_tools\.py, line 3: wordless cannot be a tool: it has no docstring",
        ),
        (
            "from switchboard.tools import tool\n@tool()\ndef slow() -> None:\n    'Be slow.'\n",
            r"my_tools\.py, line 2: slow cannot be a tool: it would block",
        ),
        (
            "from switchboard.tools import tool\n@tool\nasync def bare() -> None:\n    'Be.'\n",
            r"my_tools\.py, line 2: TypeError",
        ),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    write(tmp_path, text)

    with pytest.raises(ConfigurationError, match=reason):
        load_toolbox(["my_tools.py"], tmp_path)


def test_a_missing_file_or_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^not_there\.py: No such file"):
        load_toolbox(["not_there.py"], tmp_path)
    with pytest.raises(ConfigurationError, match=r"^not_there: ModuleNotFoundError"):
        load_toolbox(["not_there"], tmp_path)


def test_a_tool_defined_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, TIDE)
    write(tmp_path, TIDE, "more_tools.py")

    with pytest.raises(
        ConfigurationError, match=r"more_tools\.py, line 11: a tool called next_tide"
    ):
        load_toolbox(["my_tools.py", "more_tools.py"], tmp_path)


async def test_after_a_broken_edit_the_tools_at_work_go_on_working(tmp_path: Path) -> None:
    write(tmp_path, TIDE)
    box = load_toolbox(["my_tools.py"], tmp_path)
    write(tmp_path, TIDE + "\nboom = 1 / 0\n")
    with pytest.raises(ConfigurationError):
        load_toolbox(["my_tools.py"], tmp_path)

    result = await box.run("next_tide", '{"harbour": {"name": "Leith"}}', ToolContext())

    assert result.outcome is ToolOutcome.OK
