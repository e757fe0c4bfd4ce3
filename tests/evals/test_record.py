"""A call from the records becomes a scenario."""

from pathlib import Path

from switchboard.evals.reading import read
from switchboard.evals.record import scenario_of
from switchboard.records.history import CallHistory
from switchboard.records.schema import Call, Item, ToolCall


def call(end_reason: str | None = "agent_ended") -> Call:
    return Call(id="c1", agent="banking", end_reason=end_reason)


def item(speaker: str, text: str, at_ms: float) -> Item:
    return Item(call_id="c1", item_id=f"i{at_ms}", speaker=speaker, text=text, began_ms=at_ms)


def tool(name: str, state: str, arguments: str = "{}") -> ToolCall:
    return ToolCall(
        call_id="c1", tool_call_id=f"{name}{state}", name=name, arguments=arguments, state=state
    )


def test_what_was_said_and_done_is_said_and_expected(tmp_path: Path) -> None:
    found = CallHistory(
        call(),
        [
            item("agent", "Welcome.", 0.0),
            item("caller", "Transfer 50 euros to Alex: now!", 900.0),
            item("caller", "Yes", 4_000.0),
        ],
        [
            tool("transfer_money", "done", '{"payee": "Alex", "amount": 50}'),
            tool("block_card", "declined", "no JSON"),
        ],
        [],
        [],
    )
    path = tmp_path / "made.yaml"
    path.write_text(scenario_of(found))
    [made] = read(path)
    caller, expect = made.scenario.caller, made.scenario.expect

    assert [*(caller.says or ())] == ["Transfer 50 euros to Alex: now!", "Yes"]
    assert [each.name for each in expect.tools] == ["transfer_money", "block_card"]
    assert expect.tools[0].arguments == {"payee": "Alex", "amount": 50}
    assert expect.tools[1].outcome == "declined"
    assert [*expect.not_done] == ["block_card"]
    assert [*expect.ends] == ["agent_ended"]


def test_a_call_in_which_nothing_was_said_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "made.yaml"
    path.write_text(scenario_of(CallHistory(call(None), [], [], [], [])))

    assert read(path)[0].scenario.agent == "banking"
