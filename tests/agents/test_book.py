"""Edits made while the house is open: good ones are live, bad ones are named and left aside."""

import json
import logging
import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import anyio
import pytest

from switchboard.agents.book import AgentBook
from switchboard.errors import ConfigurationError
from switchboard.tools import ToolContext
from switchboard.tools.loading import load_toolbox
from tests.agents.house import CONFIG, House


def test_the_first_reading_finds_agents_prompts_and_prices(house: House) -> None:
    roster = house.book().edition.roster

    assert list(roster.agents) == ["desk", "night"]
    assert roster.default_agent == "desk"
    assert roster.agents["night"].instructions == "You keep the night desk."
    assert [voice.title for voice in roster.voices] == ["Ash", "Sage"]
    assert roster.prices["big"].output_audio == 4
    assert "small" not in roster.prices


def test_nothing_happens_while_nothing_changes(house: House) -> None:
    book = house.book()
    edition = book.edition

    assert book.look() is False
    assert book.edition is edition


def test_a_prompt_edit_is_live_for_the_next_call_and_not_for_this_one(house: House) -> None:
    book = house.book()
    this_call = book.edition.roster.agents["desk"]

    (house.prompts / "desk.md").write_text("You keep the desk, and smile.")

    assert book.look() is True
    assert book.edition.roster.agents["desk"].instructions.endswith("smile.")
    assert this_call.instructions == "You keep the desk."


def test_a_valid_edit_is_live(house: House) -> None:
    book = house.book()

    house.edit('"title": "The desk"', '"title": "Reception"')

    assert book.look() is True
    assert book.edition.roster.agents["desk"].title == "Reception"


def change(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Set what a dotted path leads to."""

    def edit(config: dict[str, Any]) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        here: Any = config
        for part in way:
            here = here[part]
        here[last] = value

    return edit


PRICE = CONFIG["prices"]["models"]["big"]
WRONG = [
    ("agents.1.voice", "sag", '"sag"', "agents[1].voice: there is no voice sag; did you mean sage"),
    ("agents.0.voice", "zoe", '"zoe"', "there is no voice zoe; there are: ash, sage"),
    ("agents.0.model", 7, '"model": 7', "agents[0].model: Input should be a valid string"),
    ("agents.0.speed", "fast", '"fast"', "agents[0].speed: Input should be a valid number"),
    ("agents.0.colour", "red", '"red"', "agents[0].colour: Extra inputs are not permitted"),
    (
        "agents.0.accent",
        "#ffff00",
        '"#ffff00"',
        "agents[0].accent: its contrast on #ffffff is 1.07",
    ),
    ("agents.0.tools.1", "lookup", '"lookup"', "agents[0].tools[1]: there is no tool lookup; did"),
    ("agents.0.tools.1", "look_up", None, "agents[0].tools[1]: look_up is listed twice"),
    ("agents.0.tools.1", "end_call", '"end_call"', "`can_hang_up` switches it on and off"),
    ("agents.1.id", "desk", None, "agents[1].id: there is another agent desk"),
    ("prices.models.bog", PRICE, '"bog"', "prices.models.bog: there is no model bog; did you mean"),
    ("agents.1.prompt", None, None, "the agent night needs a `prompt`"),
    ("agents.1.prompt", "../x.md", '"../x.md"', "a prompt must lie beside or below this file"),
    ("agents.1.prompt", "prompts/x.md", '"prompts/x.md"', "cannot be read: No such file"),
    ("default_agent", "dusk", '"dusk"', "default_agent: there is no agent dusk; did you mean desk"),
    (
        "tools",
        {"modules": ["no.such"]},
        '"no.such"',
        "tools.modules[0]: there is no module no.such",
    ),
    ("tools", {"modules": ["x.py"]}, '"x.py"', "tools.modules[0]: there is no file x.py"),
    (
        "agents.0.turn_detection",
        {"type": "server_vad", "threshold": 3},
        '"threshold"',
        "agents[0].turn_detection.server_vad.threshold: Input should be less than or equal to 1",
    ),
]


@pytest.mark.parametrize(("path", "value", "at", "reason"), WRONG)
def test_an_invalid_edit_is_refused_with_file_line_and_reason(
    house: House, path: str, value: object, at: str | None, reason: str
) -> None:
    book = house.book()
    before = book.edition
    config = deepcopy(CONFIG)
    change(path, value)(config)
    house.write(config)

    assert book.look() is False

    assert book.edition is before
    assert book.problem is not None
    assert reason in book.problem
    lines = house.path.read_text().split("\n")
    if at is not None:
        (line,) = [number for number, text in enumerate(lines, 1) if at in text]
        assert book.problem.startswith(f"session_config.json, line {line}: ")


def test_broken_json_is_refused_with_its_line(house: House) -> None:
    book = house.book()

    line = house.edit('"voice": "ash",', '"voice": "ash"')

    assert book.look() is False
    assert book.problem == (
        f"session_config.json, line {line + 1}, column 7: Expecting ',' delimiter"
    )


def test_a_key_given_twice_is_refused(house: House) -> None:
    book = house.book()

    line = house.edit('"voice": "ash",', '"voice": "ash",\n"voice": "sage",')

    assert book.look() is False
    assert book.problem == (
        f"session_config.json, line {line + 1}: agents[0].voice: it is given twice"
    )


def test_an_endlessly_nested_file_is_refused(house: House) -> None:
    book = house.book()

    house.path.write_text('{"agents": ' + "[" * 100_000 + "]" * 100_000 + "}")

    assert book.look() is False
    assert book.problem == "session_config.json: it is nested too deeply"


@pytest.mark.parametrize("words", ["", " \n", "x" * 60_001])
def test_a_prompt_that_is_empty_or_endless_is_refused(house: House, words: str) -> None:
    book = house.book()

    (house.prompts / "night.md").write_text(words)

    assert book.look() is False
    assert book.problem is not None
    line = house.path.read_text().split("prompts/night.md")[0].count("\n") + 1
    told = f"session_config.json, line {line}: agents[1].prompt: prompts/night.md is "
    assert book.problem.startswith(told)


def test_a_file_that_vanishes_or_is_no_text_leaves_the_last_good_one(house: House) -> None:
    book = house.book()

    house.path.write_bytes(b"\xff\xfe\x00")
    book.look()
    assert book.problem == "session_config.json: it cannot be read: it is not UTF-8 text"
    house.path.unlink()
    book.look()
    assert book.problem == "session_config.json: it cannot be read: No such file or directory"
    assert "desk" in book.edition.roster.agents


def test_a_problem_is_logged_once_and_gone_when_put_right(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    book = house.book()
    house.edit('"voice": "ash"', '"voice": "asp"')

    book.look()
    os.utime(house.path, ns=(1, 1))  # saved again, as wrong as before
    book.look()
    book.look()
    refused = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(refused) == 1
    assert "there is no voice asp" in vars(refused[0])["problem"]

    house.edit('"voice": "asp"', '"voice": "ash"')
    assert book.look() is True
    assert book.problem is None


def test_a_house_does_not_open_with_a_wrong_book(house: House) -> None:
    line = house.edit('"voice": "ash"', '"voice": "asp"')

    with pytest.raises(ConfigurationError, match=f"session_config.json, line {line}: "):
        house.book()


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not true():  # noqa: ASYNC110 - a watcher of files has no event to wait for
            await anyio.sleep(0.01)


async def test_an_edit_is_noticed_by_watching(house: House) -> None:
    book = house.book()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(book.watch, 0.01)
        (house.prompts / "desk.md").write_text("You keep the desk, and sing.")
        await until(lambda: "sing" in book.edition.roster.agents["desk"].instructions)
        house.path.write_text("{")
        await until(lambda: book.problem is not None)
        tasks.cancel_scope.cancel()

    assert "desk" in book.edition.roster.agents


TIDE = """
from switchboard.tools import tool

@tool()
async def next_tide() -> str:
    'Tell the tide.'
    return "ten past two"
"""


async def test_a_new_tool_in_a_new_file_joins_while_the_house_is_open(house: House) -> None:
    """The tool's file, a broken edit of it and its repair: each without a restart."""
    tools = house.path.parent / "my_tools.py"
    config = deepcopy(CONFIG)
    config["agents"][0]["tools"] = []
    house.write(config)
    book = AgentBook(house.path, load_toolbox)

    async def tide() -> str:
        return (await book.edition.tools.run("next_tide", "{}", ToolContext())).output

    tools.write_text(TIDE)
    config["tools"] = {"modules": ["my_tools.py"]}
    config["agents"][0]["tools"] = ["next_tide"]
    house.write(config)
    assert book.look() is True
    assert json.loads(await tide()) == {"result": "ten past two"}

    tools.write_text(TIDE + "\nboom = 1 / 0\n")
    assert book.look() is False
    assert book.problem == "my_tools.py, line 9: ZeroDivisionError: division by zero"
    assert json.loads(await tide()) == {"result": "ten past two"}

    tools.write_text(TIDE.replace("two", "six"))
    assert book.look() is True
    assert json.loads(await tide()) == {"result": "ten past six"}


def test_a_file_named_before_it_exists_joins_when_it_comes(house: House, tmp_path: Path) -> None:
    config = deepcopy(CONFIG)
    config["agents"][0]["tools"] = []
    house.write(config)
    book = AgentBook(house.path, load_toolbox)
    config["tools"] = {"modules": ["late.py"]}
    house.write(config)
    assert book.look() is False

    (tmp_path / "late.py").write_text(TIDE)

    assert book.look() is True
    assert "next_tide" in book.edition.tools.names
