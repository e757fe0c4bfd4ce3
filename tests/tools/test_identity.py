"""Who the caller is, the server says; what an agent may do, its profile: never the model."""

import ast
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from switchboard.conversation.events import ToolOutcome
from switchboard.tools import banking, government, telecom
from switchboard.tools.context import ToolContext
from switchboard.tools.demo import DemoDatabase, person_of
from switchboard.tools.signature import signature_of
from switchboard.tools.toolbox import Toolbox, is_tool, tool

PACKS = (banking, government, telecom)
IDENTITY = ("caller", "customer", "user", "principal", "person", "account_id", "customer_id")
"""What a parameter would be called that lets a model say who is calling."""
ran: list[str] = []


@tool()
async def whoami(ctx: ToolContext) -> str:
    """Say who is calling."""
    return ctx.principal_id


@tool()
async def forbidden() -> str:
    """Nobody's profile has this."""
    ran.append("forbidden")
    return "done"


def context(who: str = "p-ada") -> ToolContext:
    return ToolContext(call_id="t1", principal_id=who, agent_id="bank")


async def test_the_caller_s_identity_comes_from_the_server() -> None:
    result = await Toolbox(whoami).run("whoami", "{}", context(), offered=["whoami"])
    assert json.loads(result.output) == {"result": "p-ada"}


@pytest.mark.parametrize("name", ["ctx", "principal_id", "context"])
async def test_a_model_that_says_who_is_calling_is_refused(name: str) -> None:
    arguments = json.dumps({name: {"principal_id": "p-victim"}})
    result = await Toolbox(whoami).run("whoami", arguments, context(), offered=["whoami"])
    assert result.outcome is ToolOutcome.FAILED
    assert "victim" not in result.output


async def test_a_tool_outside_the_profile_never_runs_even_if_the_model_asks() -> None:
    box = Toolbox(whoami, forbidden)
    for offered in (["whoami"], []):
        result = await box.run("forbidden", "{}", context(), offered=offered)
        assert result.outcome is ToolOutcome.UNKNOWN
    assert ran == []
    assert (await box.run("forbidden", "{}", context(), offered=["forbidden"])).outcome is (
        ToolOutcome.OK
    )
    assert ran == ["forbidden"]


def tools_of(pack: ModuleType) -> list[Callable[..., Any]]:
    return [each for each in vars(pack).values() if is_tool(each)]


@pytest.mark.parametrize("pack", PACKS, ids=["banking", "government", "telecom"])
def test_no_tool_of_the_demo_asks_a_model_who_is_calling(pack: ModuleType) -> None:
    for each in tools_of(pack):
        assert not {*signature_of(each).names} & {*IDENTITY}, each.__name__


@pytest.mark.parametrize("pack", PACKS, ids=["banking", "government", "telecom"])
def test_every_tool_of_the_demo_that_reads_or_writes_somebody_s_rows_is_told_whose(
    pack: ModuleType,
) -> None:
    for each in tools_of(pack):
        tree = ast.parse(inspect.getsource(each))
        touches = any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "demo_of"
            for node in ast.walk(tree)
        )
        if touches:
            assert signature_of(each).context is not None, each.__name__


async def test_the_demo_knows_a_customer_by_their_principal_and_by_nothing_else(
    tmp_path: Path,
) -> None:
    demo = DemoDatabase(tmp_path / "demo.sqlite3")
    async with demo.writing() as rows:
        demo_customer = await person_of(rows, context("p-anybody"), "banking")
        await rows.run("UPDATE person SET principal = 'p-ben' WHERE id = ?", demo_customer)
        assert await person_of(rows, context("p-ben"), "banking") == demo_customer
        with pytest.raises(LookupError):
            await person_of(rows, context("p-ada"), "banking")


async def test_a_huge_result_is_cut_with_a_mark() -> None:
    @tool()
    async def everything() -> dict[str, object]:
        """Give all there is."""
        return {"rows": [{"text": "x" * 100} for _ in range(1_000)]}

    result = await Toolbox(everything).run("everything", "{}", context())
    assert len(result.output) <= 16_384
    told = json.loads(result.output)
    assert told["note"].startswith(f"Only the first {len(told['rows'])} of 1000")
