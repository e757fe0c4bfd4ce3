"""The demo's telephone company: bills, plans, usage, faults."""

from datetime import date, timedelta
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field

from switchboard.errors import ToolFailed
from switchboard.tools.context import ToolContext
from switchboard.tools.demo import Rows, demo_of, person_of
from switchboard.tools.spoken import euros, listed, spoken_day, spoken_euros, working_days
from switchboard.tools.toolbox import tool

type Plan = Literal["basic", "plus", "unlimited"]

_VISIT_DAYS_AHEAD = 10


async def _me(rows: Rows, ctx: ToolContext) -> str:
    return await person_of(rows, ctx, "telecom")


async def _my_line(rows: Rows, ctx: ToolContext) -> Any:  # noqa: ANN401 - a database row
    line = await rows.one("SELECT * FROM line WHERE person = ?", await _me(rows, ctx))
    if line is None:
        raise ToolFailed("There is no telephone line under this caller's name.")
    return line


async def _open_bill(rows: Rows, ctx: ToolContext) -> Any:  # noqa: ANN401 - a database row
    return await rows.one(
        "SELECT * FROM bill WHERE person = ? AND paid_on IS NULL ORDER BY due_on LIMIT 1",
        await _me(rows, ctx),
    )


@tool(title="Check the phone bill")
async def get_bill(ctx: ToolContext) -> dict[str, object]:
    """Tell how much the phone bill is: what the caller owes, for what, and when it is due."""
    async with demo_of(ctx).reading() as rows:
        bill = await _open_bill(rows, ctx)
        if bill is None:
            return {"amount": euros(0), "say": "There is nothing to pay: the bill is settled."}
        items = await rows.all("SELECT text, cents FROM bill_item WHERE bill = ?", bill["id"])
    due_on = date.fromisoformat(bill["due_on"])
    return {
        "amount": euros(bill["cents"]),
        "due_on": due_on,
        "items": [{"text": item["text"], "amount": euros(item["cents"])} for item in items],
        "say": f"Your bill is {spoken_euros(bill['cents'])}, due on {spoken_day(due_on)}.",
    }


@tool(title="Pay the phone bill", confirm="Pay your open phone bill from the account on file?")
async def pay_bill(ctx: ToolContext) -> dict[str, object]:
    """Pay the open phone bill now, from the bank account on file."""
    async with demo_of(ctx).writing() as rows:
        bill = await _open_bill(rows, ctx)
        if bill is None:
            raise ToolFailed("There is no open bill: everything is paid already.")
        await rows.run("UPDATE bill SET paid_on = ? WHERE id = ?", str(rows.today), bill["id"])
    return {
        "status": "paid",
        "amount": euros(bill["cents"]),
        "say": f"I have paid your bill of {spoken_euros(bill['cents'])}.",
    }


@tool(title="Check data usage")
async def get_data_usage(ctx: ToolContext) -> dict[str, object]:
    """Tell how much mobile data and how many call minutes are used and left this month."""
    async with demo_of(ctx).reading() as rows:
        line = await _my_line(rows, ctx)
        plan = await rows.one("SELECT * FROM plan WHERE name = ?", line["plan"])
    assert plan is not None
    used_gb = round(line["used_mb"] / 1_000, 1)
    if plan["data_gb"] is None:
        left, say = "unlimited", f"You have used {used_gb} gigabytes. Your data is unlimited."
    else:
        left_gb = round(max(0.0, plan["data_gb"] - used_gb), 1)
        left = f"{left_gb} GB"
        say = f"You have used {used_gb} of {plan['data_gb']} gigabytes, so {left_gb} are left."
    return {
        "plan": plan["name"],
        "data_used": f"{used_gb} GB",
        "data_left": left,
        "minutes_used": line["used_minutes"],
        "minutes_included": plan["minutes"] or "unlimited",
        "say": say,
    }


@tool(title="List the plans")
async def list_plans(ctx: ToolContext) -> dict[str, object]:
    """List the plans on offer and what each costs, with data and minutes; and the current one."""
    async with demo_of(ctx).reading() as rows:
        line = await _my_line(rows, ctx)
        plans = await rows.all("SELECT * FROM plan ORDER BY cents")
    offers = [
        {
            "plan": plan["name"],
            "price_a_month": euros(plan["cents"]),
            "data": f"{plan['data_gb']} GB" if plan["data_gb"] else "unlimited",
            "minutes": plan["minutes"] or "unlimited",
        }
        for plan in plans
    ]
    spoken = listed([f"{plan['name']} at {spoken_euros(plan['cents'])}" for plan in plans])
    return {
        "plans": offers,
        "current_plan": line["plan"],
        "next_plan": line["next_plan"],
        "say": f"We offer {spoken} a month. You are on {line['plan']}.",
    }


@tool(title="Change the plan", confirm="Change your plan to {plan} from next month?")
async def change_plan(
    ctx: ToolContext, plan: Annotated[Plan, Field(description="the plan to change to")]
) -> dict[str, object]:
    """Switch, upgrade or downgrade the mobile plan from the first of next month."""
    async with demo_of(ctx).writing() as rows:
        line = await _my_line(rows, ctx)
        if line["plan"] == plan and not line["ends_on"]:
            raise ToolFailed(f"The caller is on the {plan} plan already.")
        cents = await rows.value("SELECT cents FROM plan WHERE name = ?", plan)
        await rows.run(
            "UPDATE line SET next_plan = ?, ends_on = NULL WHERE number = ?", plan, line["number"]
        )
        starts_on = (rows.today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return {
        "status": "changed",
        "plan": plan,
        "starts_on": starts_on,
        "price_a_month": euros(cents),
        "say": f"From {spoken_day(starts_on)} you are on {plan}, {spoken_euros(cents)} a month.",
    }


@tool(title="Cancel the plan", confirm="Cancel your plan, so that your number ends in 30 days?")
async def cancel_plan(ctx: ToolContext) -> dict[str, object]:
    """Cancel the contract: the caller leaves and gives up the number, at thirty days' notice."""
    async with demo_of(ctx).writing() as rows:
        line = await _my_line(rows, ctx)
        if line["ends_on"]:
            raise ToolFailed(f"It is cancelled already and ends on {line['ends_on']}.")
        ends_on = rows.today + timedelta(days=30)
        await rows.run(
            "UPDATE line SET ends_on = ?, next_plan = NULL WHERE number = ?",
            str(ends_on),
            line["number"],
        )
    return {
        "status": "cancelled",
        "ends_on": ends_on,
        "say": f"Your plan is cancelled and ends on {spoken_day(ends_on)}.",
    }


@tool(title="Check for an outage")
async def check_outage(
    ctx: ToolContext,
    area: Annotated[
        str, Field(max_length=60, description="part of town; left out, it is the caller's own")
    ] = "",
) -> dict[str, object]:
    """Check whether internet, network or phone service is down in an area, and until when."""
    async with demo_of(ctx).reading() as rows:
        place = area.strip() or str((await _my_line(rows, ctx))["area"])
        fault = await rows.one("SELECT * FROM outage WHERE lower(area) = lower(?)", place)
    if fault is None:
        return {"area": place, "outage": False, "say": f"There is no known outage in {place}."}
    fixed_by = date.fromisoformat(fault["fixed_by"])
    return {
        "area": fault["area"],
        "outage": True,
        "service": fault["service"],
        "cause": fault["cause"],
        "since": date.fromisoformat(fault["since_on"]),
        "expected_back": fixed_by,
        "say": f"Yes: {fault['service']} is down in {fault['area']} because of {fault['cause']}."
        f" It should work again by {spoken_day(fixed_by)}.",
    }


@tool(title="Turn roaming on or off")
async def set_roaming(
    ctx: ToolContext,
    roaming: Annotated[Literal["on", "off"], Field(description="on or off")],
) -> dict[str, object]:
    """Turn data roaming for travel abroad on or off."""
    async with demo_of(ctx).writing() as rows:
        line = await _my_line(rows, ctx)
        await rows.run(
            "UPDATE line SET roaming = ? WHERE number = ?", roaming == "on", line["number"]
        )
    was = "on" if line["roaming"] else "off"
    say = f"Roaming was {roaming} already." if was == roaming else f"Roaming is now {roaming}."
    return {"roaming": roaming, "before": was, "say": say}


@tool(title="Book a technician")
async def book_technician(
    ctx: ToolContext,
    day: Annotated[date, Field(description="the day of the visit")],
    part: Annotated[
        Literal["morning", "afternoon"], Field(description="which half of the day")
    ] = "morning",
) -> dict[str, object]:
    """Book a free visit by an engineer at home, to repair or install the internet connection."""
    async with demo_of(ctx).writing() as rows:
        possible = list(islice(working_days(rows.today), _VISIT_DAYS_AHEAD))
        if day not in possible:
            first = listed([spoken_day(each) for each in possible[:3]], "or")
            raise ToolFailed(f"No technician can come on {spoken_day(day)}. Offer {first}.")
        person = await _me(rows, ctx)
        await rows.run("DELETE FROM visit WHERE person = ? AND day >= ?", person, str(rows.today))
        number = await rows.run(
            "INSERT INTO visit (person, day, part) VALUES (?, ?, ?)", person, str(day), part
        )
    return {
        "status": "booked",
        "visit": str(number),
        "day": day,
        "part": part,
        "say": f"A technician comes on {spoken_day(day)} in the {part}.",
    }
