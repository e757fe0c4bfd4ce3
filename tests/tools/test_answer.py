"""What a model is given of a result."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from switchboard.conversation.events import ToolOutcome
from switchboard.errors import ToolFailed
from switchboard.tools import ToolContext
from switchboard.tools.answer import MAX_ANSWER_BYTES, answer_text, failure_text
from switchboard.tools.toolbox import Toolbox


@dataclass
class Bill:
    due: Decimal
    on: date


class Tide(BaseModel):
    high_at: datetime


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, '{"status":"done"}'),
        ("fine", '{"result":"fine"}'),
        (3, '{"result":3}'),
        ([], '{"result":[]}'),
        (Bill(Decimal("42.10"), date(2026, 3, 1)), '{"due":"42.10","on":"2026-03-01"}'),
        (
            Tide(high_at=datetime(2026, 3, 1, 14, 10, tzinfo=UTC)),
            '{"high_at":"2026-03-01T14:10:00Z"}',
        ),
        ({"wait": timedelta(minutes=5), "rate": float("nan")}, '{"wait":"PT5M","rate":null}'),
        ({1: {"a"}, "é": (1, 2)}, '{"1":["a"],"é":[1,2]}'),
    ],
)
def test_results_become_one_json_object(result: object, text: str) -> None:
    assert answer_text(result) == text


@pytest.mark.parametrize("rows", [[{"n": n, "text": "x" * 80} for n in range(9_000)]])
def test_a_list_of_a_megabyte_is_cut_short_and_says_so(rows: Sequence[object]) -> None:
    text = answer_text({"account": "current", "rows": rows})

    given = json.loads(text)
    assert len(text.encode()) <= MAX_ANSWER_BYTES
    assert given["account"] == "current"
    assert given["rows"] == rows[: len(given["rows"])]
    assert len(given["rows"]) > 100
    assert given["note"].startswith(f"Only the first {len(given['rows'])} of 9000 ")


@pytest.mark.parametrize(
    "result", ["x" * 1_000_000, {"a": "x" * 20_000, "b": [1, 2]}, ["x" * 20_000]]
)
def test_any_other_answer_of_a_megabyte_is_a_failure_in_words(result: object) -> None:
    with pytest.raises(ToolFailed, match="too long to read out"):
        answer_text(result)


async def test_a_tool_that_returns_a_megabyte_gets_a_short_answer() -> None:
    async def everything() -> str:
        """Tell everything."""
        return "x" * 1_000_000

    result = await Toolbox(everything).run("everything", "{}", ToolContext())

    assert result.outcome is ToolOutcome.FAILED
    assert len(result.output) < 200


async def test_a_result_that_is_no_json_is_a_fault_of_the_tool() -> None:
    async def lock() -> object:
        """Give something strange."""
        return object()

    async def circle() -> object:
        """Give something without end."""
        ring: list[object] = []
        ring.append(ring)
        return ring

    for function in (lock, circle):
        result = await Toolbox(function).run(function.__name__, "{}", ToolContext())
        assert result.outcome is ToolOutcome.FAILED
        assert "Something went wrong" in result.output


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(st.text(), inner, max_size=8),
    max_leaves=200,
)


@settings(deadline=None)  # a busy machine is no fault
@given(JSON)
def test_no_answer_is_ever_too_long_or_anything_but_an_object(result: object) -> None:
    try:
        text = answer_text(result)
    except ToolFailed as failure:
        text = failure_text(str(failure))

    assert isinstance(json.loads(text), dict)
    assert len(text.encode()) <= MAX_ANSWER_BYTES
