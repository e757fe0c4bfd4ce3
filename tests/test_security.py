"""SECURITY.md says nothing that no code answers and no test shows."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
TEXT: Final = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
KINDS: Final = "STRIDE"


def rows_of(heading: str) -> Sequence[Sequence[str]]:
    """The cells of the table below a heading."""
    part = TEXT.partition(f"### {heading}\n")[2].partition("\n### ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


THREATS: Final = rows_of("Threats")
FIELD: Final = rows_of("What the field is weak in")
NAMED: Final = sorted(
    {test for row in (*THREATS, *FIELD) for test in re.findall(r"`(tests/[^`]+)`", row[-1])}
)


def test_every_kind_of_threat_is_thought_of() -> None:
    kinds = [row[0] for row in THREATS]
    assert set(kinds) == set(KINDS)
    assert all(len(row) == 5 for row in THREATS)
    assert kinds == sorted(kinds, key=KINDS.index)


def test_every_row_names_a_test() -> None:
    assert len(THREATS) >= 40
    for row in (*THREATS, *FIELD):
        assert re.fullmatch(r"`tests/[^`]+::[^`]+`", row[-1]), row


@pytest.mark.parametrize("row", THREATS, ids=lambda row: row[1][:40])
def test_every_row_names_code_that_exists(row: Sequence[str]) -> None:
    files = re.findall(r"`([^`]+)`", row[3])
    assert files
    for name in files:
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("test", NAMED)
def test_every_named_test_is_there_and_runs(test: str) -> None:
    """In CI: a test that is skipped there fails the run (`--fail-on-skip`)."""
    file, _, name = test.partition("::")
    found = {each.name: each for each in _tests(ROOT / file)}
    assert name in found, f"{name} is not in {file}"
    marks = set(_marks(found[name])) | set(_module_marks(ROOT / file))
    assert not marks & {"skip", "xfail", "long"}, marks


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _tests(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in _tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
        # Of a state machine: `TestCalls = Calls.TestCase`.
        if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name):
            yield ast.ClassDef(
                name=target.id, bases=[], keywords=[], body=[], decorator_list=[], type_params=[]
            )


def _marks(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    for each in node.decorator_list:
        yield from re.findall(r"pytest\.mark\.(\w+)", ast.unparse(each))


def _module_marks(path: Path) -> Iterator[str]:
    for node in _tree(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            yield from re.findall(r"pytest\.mark\.(\w+)", ast.unparse(node.value))
