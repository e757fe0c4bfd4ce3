"""The demo packs: every tool runs, and what one call changes the next call sees."""

import json
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from switchboard.conversation.events import ToolOutcome
from switchboard.tools import ToolContext
from switchboard.tools.context import Resources
from switchboard.tools.demo import DemoDatabase
from switchboard.tools.loading import load_toolbox
from switchboard.tools.toolbox import ToolResult

PACKS = tuple(f"switchboard.tools.{pack}" for pack in ("telecom", "government", "banking"))
BOX = load_toolbox(PACKS, Path())

SUNDAY = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class Desk:
    """A demo database of its own, a clock to be set, and somebody who calls tools."""

    def __init__(self, path: Path, now: datetime = SUNDAY) -> None:
        self.now = now
        self.path = path
        self.resources = Resources(DemoDatabase(path, lambda: self.now))

    async def run(self, name: str, principal: str = "", /, **arguments: object) -> ToolResult:
        context = ToolContext(principal_id=principal, resources=self.resources)
        return await BOX.run(name, json.dumps(arguments), context)

    async def ok(self, name: str, /, **arguments: object) -> dict[str, Any]:
        result = await self.run(name, **arguments)
        assert result.outcome is ToolOutcome.OK, result.output
        return cast(dict[str, Any], json.loads(result.output))

    async def refusal(self, name: str, /, **arguments: object) -> str:
        result = await self.run(name, **arguments)
        assert result.outcome is ToolOutcome.FAILED
        return str(json.loads(result.output)["error"])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "data" / "demo.sqlite3")


SCRIPT: Sequence[tuple[str, dict[str, object], str]] = [
    ("get_bill", {}, "42.10 EUR"),
    ("pay_bill", {}, "paid"),
    ("get_data_usage", {}, "6.4 GB"),
    ("list_plans", {}, "unlimited"),
    ("change_plan", {"plan": "unlimited"}, "2026-12-01"),
    ("cancel_plan", {}, "2026-12-22"),
    ("check_outage", {}, "damaged fibre cable"),
    ("set_roaming", {"roaming": "on"}, "Roaming is now on."),
    ("book_technician", {"day": "2026-11-24", "part": "afternoon"}, "Tuesday 24 November"),
    ("list_fines", {}, "125.00 EUR"),
    ("pay_fine", {"fine": "2041"}, "45.00 EUR"),
    ("find_appointments", {"service": "passport"}, "Monday 23 November at 09:30"),
    ("book_appointment", {"service": "passport", "day": "2026-11-25"}, "3101"),
    ("list_my_appointments", {}, "Wednesday 25 November at 09:30"),
    ("cancel_appointment", {"appointment": "3101"}, "cancelled"),
    ("application_status", {}, "building permit is being reviewed"),
    ("waste_collection", {"kind": "organic"}, "2026-11-27"),
    ("report_issue", {"kind": "pothole", "place": "Mill Road"}, "7401"),
    ("get_balance", {}, "1,204.50 EUR"),
    ("list_transactions", {"count": 2}, "Corner Market"),
    ("list_cards", {}, "4417"),
    ("block_card", {"card": "4417"}, "blocked"),
    ("replace_card", {"card": "4417"}, "2026-11-27"),
    ("set_card_limit", {"card": "9082", "limit": 300}, "300.00 EUR"),
    ("transfer_money", {"payee": "Alex", "amount": 50}, "Alex Moreno"),
    ("list_payees", {}, "Priya Shah"),
]


async def test_every_demo_tool_runs_on_a_fresh_database(desk: Desk) -> None:
    assert [name for name, _, _ in SCRIPT] == list(BOX.names)
    for name, arguments, fact in SCRIPT:
        answer = await desk.ok(name, **arguments)
        assert fact in json.dumps(answer), name
        assert len(answer["say"]) < 260, name


def test_what_costs_or_cannot_be_undone_asks_first() -> None:
    asking = {name for name in BOX.names if BOX.confirm_of(name)}

    assert asking == {
        "pay_bill",
        "change_plan",
        "cancel_plan",
        "pay_fine",
        "cancel_appointment",
        "block_card",
        "replace_card",
        "set_card_limit",
        "transfer_money",
    }


async def test_a_paid_bill_stays_paid_when_the_server_comes_back(desk: Desk) -> None:
    await desk.ok("pay_bill")

    again = Desk(desk.path)

    assert (await again.ok("get_bill"))["amount"] == "0.00 EUR"
    assert "paid already" in await again.refusal("pay_bill")


async def test_a_paid_fine_is_gone_from_the_list(desk: Desk) -> None:
    await desk.ok("pay_fine", fine="2041")

    fines = await desk.ok("list_fines")

    assert [fine["fine"] for fine in fines["fines"]] == ["2077"]
    assert "paid already" in await desk.refusal("pay_fine", fine="2041")
    assert "2 0 9 9" in await desk.refusal("pay_fine", fine="2099")


async def test_a_transfer_moves_the_balance_and_shows_on_the_statement(desk: Desk) -> None:
    sent = await desk.ok("transfer_money", payee="priya shah", amount=4.5)

    assert sent["balance"] == "1,200.00 EUR"
    assert (await desk.ok("get_balance"))["balance_eur"] == 1200.0
    newest = (await desk.ok("list_transactions", count=1))["transactions"][0]
    assert (newest["text"], newest["amount"]) == ("Priya Shah", "-4.50 EUR")


async def test_a_transfer_that_cannot_be_is_refused_in_words(desk: Desk) -> None:
    assert "1,204.50 euros" in await desk.refusal("transfer_money", payee="Alex", amount=2000)
    unknown = await desk.refusal("transfer_money", payee="Zoltan", amount=1)
    assert "Alex Moreno, Halden Tennis Club or Priya Shah" in unknown
    assert (await desk.ok("transfer_money", payee="Alexx Morreno", amount=1))["to"] == "Alex Moreno"
    assert (await desk.ok("get_balance"))["balance"] == "1,203.50 EUR"


async def test_a_blocked_card_is_blocked_for_the_next_call(desk: Desk) -> None:
    await desk.ok("block_card", card="4417")
    await desk.ok("replace_card", card="4417")

    card = (await desk.ok("list_cards"))["cards"][0]

    assert (card["state"], card["replacement_on"]) == ("blocked", "2026-11-27")
    assert "blocked already" in await desk.refusal("block_card", card="4417")
    assert "debit card 4 4 1 7 and credit card 9 0 8 2" in await desk.refusal(
        "block_card", card="1234"
    )
    assert (await desk.ok("get_balance"))["balance"] == "1,194.50 EUR"


async def test_a_booked_time_is_no_longer_free(desk: Desk) -> None:
    first = (await desk.ok("find_appointments", service="passport"))["free"][0]
    await desk.ok("book_appointment", service="passport", **first)

    free = (await desk.ok("find_appointments", service="passport"))["free"]

    assert first not in free
    refused = await desk.refusal("book_appointment", service="passport", **first)
    assert "not free" in refused
    assert "Monday 23 November at 11:00" in refused
    mine = (await desk.ok("list_my_appointments"))["appointments"]
    await desk.ok("cancel_appointment", appointment=mine[0]["appointment"])
    assert first in (await desk.ok("find_appointments", service="passport"))["free"]


async def test_nobody_is_booked_on_a_sunday_or_in_the_past(desk: Desk) -> None:
    for day in ("2026-11-22", "2026-11-29", "2026-11-01"):
        assert "Monday 23 November" in await desk.refusal("book_technician", day=day)
        assert "not free" in await desk.refusal("book_appointment", service="passport", day=day)


async def test_another_caller_has_other_things(desk: Desk) -> None:
    result = await desk.run("get_balance", "demo-2")
    await desk.run("pay_bill", "demo-2")

    assert "310.00 EUR" in result.output
    assert (await desk.ok("get_bill"))["amount"] == "42.10 EUR"
    theirs = await desk.run("block_card", "demo-2", card="4417")
    assert theirs.outcome is ToolOutcome.FAILED


async def test_seeded_dates_keep_their_distance_and_written_ones_stay(desk: Desk) -> None:
    await desk.ok("pay_fine", fine="2041")
    await desk.ok("transfer_money", payee="Alex", amount=1)
    desk.now += timedelta(days=45)

    bill = await desk.ok("get_bill")
    fines = await desk.ok("list_fines")
    days = [row["day"] for row in (await desk.ok("list_transactions", count=8))["transactions"]]

    assert date.fromisoformat(bill["due_on"]) == desk.now.date() + timedelta(days=9)
    assert date.fromisoformat(fines["fines"][0]["due_on"]) > desk.now.date()
    assert days[0] == str(desk.now.date() - timedelta(days=1))
    assert days[-1] == "2026-11-22"
    assert "2026-11-22" in await desk.refusal("pay_fine", fine="2041")


async def test_appointments_of_the_past_are_not_listed(desk: Desk) -> None:
    await desk.ok("book_appointment", service="passport", day="2026-11-25")
    desk.now += timedelta(days=10)

    assert (await desk.ok("list_my_appointments"))["appointments"] == []


async def test_every_collection_comes_on_its_own_weekday(desk: Desk) -> None:
    for offset in range(40):
        desk.now = SUNDAY + timedelta(days=offset)
        for kind, weekday in (("general", 1), ("organic", 4), ("paper", 3), ("glass", 0)):
            answer = await desk.ok("waste_collection", kind=kind)
            day = date.fromisoformat(answer["next_on"])
            assert day.weekday() == weekday
            assert 0 <= (day - desk.now.date()).days < 7 * answer["every_weeks"]


async def test_twenty_transfers_at_once_lose_nothing(desk: Desk) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(lambda: desk.ok("transfer_money", payee="Alex", amount=10))

    assert (await desk.ok("get_balance"))["balance"] == "1,004.50 EUR"


def connections() -> list[str]:
    """Open connections to SQLite: each is a thread."""
    return [thread.name for thread in threading.enumerate() if "_connection_worker" in thread.name]


async def test_an_open_transaction_is_a_thread(desk: Desk) -> None:
    async with desk.resources.need(DemoDatabase).reading():
        assert connections()


async def test_a_transaction_that_is_cut_off_changes_nothing_and_leaves_no_thread(
    desk: Desk,
) -> None:
    database = desk.resources.need(DemoDatabase)
    await desk.ok("get_balance")

    with anyio.move_on_after(0.05):
        async with database.writing() as rows:
            await rows.run("UPDATE account SET cents = 0")
            await anyio.sleep_forever()
    with pytest.raises(ValueError, match="half way"):
        async with database.writing() as rows:
            await rows.run("UPDATE account SET cents = 0")
            raise ValueError("half way")

    assert (await desk.ok("get_balance"))["balance"] == "1,204.50 EUR"
    with anyio.fail_after(20):
        while connections():  # noqa: ASYNC110 - a thread answers before it ends
            await anyio.sleep(0.01)


async def test_the_same_answers_come_from_every_fresh_database(tmp_path: Path) -> None:
    desks = [Desk(tmp_path / name) for name in ("one.sqlite3", "two.sqlite3")]

    for name, arguments, _ in SCRIPT:
        one, two = [await desk.ok(name, **arguments) for desk in desks]
        assert one == two
