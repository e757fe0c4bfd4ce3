"""docs/reliability.md says what each fault does, for every upstream, and names a test that proves
it. Every row is there, and so is its test."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/reliability.md"
FAULTS: Final = ("slow", "refusing", "half-open", "garbage", "gone")
MODES: Final = {
    "slow": {"SLOW"},
    "refusing": {"REFUSE", "FAILING", "refuse()"},
    "gone": {"GONE", "FAILING"},
    "half-open": {"HOLE", "FAILING"},
    "garbage": {"NOISE", "FAILING"},
}
"""What of the proxy's makes each fault, by its name in a test."""
UPSTREAMS: Final = {
    "model": ("at start", "mid-call"),
    "model's WebRTC signalling": ("at start",),
    "ACS operations": ("at start", "mid-call"),
    "ACS media": ("mid-call",),
    "signing keys (Event Grid, ACS, Entra)": ("at start", "mid-call"),
    "database": ("at start", "mid-call"),
    "Entra tokens": ("at start", "mid-call"),
    "Key Vault": ("at start", "mid-call"),
    "telemetry": ("at start", "mid-call"),
}
"""Each, and when it can fail. Signalling is over once a call has begun; media begin with it."""


@dataclass(frozen=True)
class Row:
    upstream: str
    when: str
    faults: tuple[str, ...]
    test: str


def rows() -> list[Row]:
    found: list[Row] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and cells[0] in UPSTREAMS:
            assert all(cells), line
            faults = tuple(fault.strip() for fault in cells[2].split(","))
            found.append(Row(cells[0], cells[1], faults, cells[6].strip("`")))
    return found


def named() -> list[str]:
    return re.findall(r"`(tests/[\w/]+\.py::\w+)`", PAGE.read_text(encoding="utf-8"))


def source_of(node: str) -> str:
    """The test that a node id names, its decorators included."""
    path, _, name = node.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    for each in ast.parse(text).body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name:
            begin = min([each.lineno, *(mark.lineno for mark in each.decorator_list)])
            return "\n".join(text.splitlines()[begin - 1 : each.end_lineno])
    raise AssertionError(f"there is no {node}")


def test_each_upstream_has_a_row_for_each_fault_at_start_and_in_mid_call() -> None:
    told = {(row.upstream, row.when, fault) for row in rows() for fault in row.faults}
    wanted = {
        (upstream, when, fault)
        for upstream, moments in UPSTREAMS.items()
        for when in moments
        for fault in FAULTS
    }
    assert told == wanted


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.upstream}, {row.when}")
def test_the_test_of_a_row_does_what_the_row_says(row: Row) -> None:
    source = source_of(row.test)
    for fault in row.faults:
        assert any(mode in source for mode in MODES[fault]), f"{fault} is not in {row.test}"


@pytest.mark.parametrize("node", sorted(set(named())))
def test_no_test_that_is_named_is_skipped(node: str) -> None:
    assert "skip" not in source_of(node).partition("def test_")[0]
    assert "xfail" not in source_of(node)
