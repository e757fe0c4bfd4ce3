"""Weaknesses of other servers of this kind, where no other test says that they are not here."""

import subprocess
import sys
from pathlib import Path

import pytest

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from tests.exchange.house import House, house, told
from tests.exchange.legs import Caller, Model, until
from tests.test_app import open_house

EVIL = "https://evil.example"


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api/config", "/api/calls", "/api/console/live", "/health"])
async def test_no_other_page_is_ever_allowed_to_read(
    tmp_path: Path, method: str, path: str
) -> None:
    asks = {
        "Origin": EVIL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    async with open_house(tmp_path) as home:
        answer = await home.http.request(method, path, headers=asks)
    allowed = [name for name in answer.headers if name.startswith("access-control-")]
    assert allowed == []
    assert "set-cookie" not in answer.headers


async def test_two_calls_whose_tools_have_the_same_id_get_each_their_own_answer(
    tmp_path: Path,
) -> None:
    """What is pending is a call's own: the ids are the service's, and it may use them again."""
    async with house(tmp_path) as here:
        models = await both(here)
        for model, numbers in zip(models, ((1, 2), (20, 22)), strict=True):
            arguments = f'{{"first": {numbers[0]}, "second": {numbers[1]}}}'
            model.does(
                e.ReplyStarted("r1"),
                e.ToolRequested("r1", "f1", "c1", "add_up", arguments),
                e.ReplyDone("r1", e.ReplyStatus.COMPLETED),
            )

        for model, answer in zip(models, ("3", "42"), strict=True):
            [output] = await until(lambda model=model: told(model, c.AddToolOutput))
            assert answer in output.output


async def both(here: House) -> list[Model]:
    """Two calls, connected."""
    for number in (1, 2):
        here.join(here.place(), Caller())
        model = (await until(lambda number=number: here.service.dialled[number - 1 : number]))[0]
        model.does(e.ModelReady(f"s{number}"))
    return here.service.dialled[:2]


IMPORT_ALL = """
import importlib, pkgutil, switchboard
for found in pkgutil.walk_packages(switchboard.__path__, "switchboard."):
    if ".migrations." not in found.name and not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print("all")
"""


@pytest.mark.timeout(320)
def test_no_variable_is_needed_to_import_the_product() -> None:
    bare = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        env=bare,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout == "all\n", done.stderr[-2_000:]
