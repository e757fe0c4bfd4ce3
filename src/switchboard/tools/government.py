"""The demo's city hall: fines, appointments, applications, waste, things to mend."""

from datetime import date, timedelta
from itertools import islice
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from switchboard.errors import ToolFailed
from switchboard.tools.context import ToolContext
from switchboard.tools.demo import Rows, demo_of, person_of
from switchboard.tools.spoken import euros, listed, spelled, spoken_day, spoken_euros, working_days
from switchboard.tools.toolbox import tool

type Service = Literal["passport", "identity card", "driving licence", "address change"]
type Waste = Literal["general", "organic", "paper", "glass"]
type Trouble = Literal["pothole", "street light", "rubbish", "graffiti", "fallen tree"]
type Reference = Annotated[str, Field(pattern="^[0-9]{4}$")]

SLOTS: Final = ("09:30", "11:00", "14:00", "15:30")
_DAYS_AHEAD: Final = 30


async def _me(rows: Rows, ctx: ToolContext) -> str:
    return await person_of(rows, ctx, "government")


@tool(title="Look up fines")
async def list_fines(ctx: ToolContext) -> dict[str, object]:
    """List the caller's unpaid fines, parking and speeding tickets: reason, amount, due date."""
    async with demo_of(ctx).reading() as rows:
        fines = await rows.all(
            "SELECT * FROM fine WHERE person = ? AND paid_on IS NULL ORDER BY due_on",
            await _me(rows, ctx),
        )
    total = sum(fine["cents"] for fine in fines)
    spoken = [
        f"fine {spelled(fine['id'])}, {spoken_euros(fine['cents'])} for {fine['offence']}"
        for fine in fines
    ]
    return {
        "count": len(fines),
        "total": euros(total),
        "fines": [
            {
                "fine": fine["id"],
                "amount": euros(fine["cents"]),
                "reason": fine["offence"],
                "place": fine["place"],
                "due_on": date.fromisoformat(fine["due_on"]),
            }
            for fine in fines
        ],
        "say": f"You have {len(fines)} unpaid: {listed(spoken)}."
        if fines
        else "You have no unpaid fines.",
    }


@tool(title="Pay a fine", confirm="Pay fine {fine} from the card on file?")
async def pay_fine(
    ctx: ToolContext, fine: Annotated[Reference, Field(description="the fine's four digits")]
) -> dict[str, object]:
    """Pay one fine or parking ticket, given its number."""
    async with demo_of(ctx).writing() as rows:
        me = await _me(rows, ctx)
        found = await rows.one("SELECT * FROM fine WHERE id = ? AND person = ?", fine, me)
        if found is None:
            raise ToolFailed(f"The caller has no fine numbered {spelled(fine)}. Ask once more.")
        if found["paid_on"]:
            raise ToolFailed(f"Fine {spelled(fine)} was paid already, on {found['paid_on']}.")
        await rows.run("UPDATE fine SET paid_on = ? WHERE id = ?", str(rows.today), fine)
    return {
        "status": "paid",
        "fine": fine,
        "amount": euros(found["cents"]),
        "say": f"Fine {spelled(fine)} is paid: {spoken_euros(found['cents'])}.",
    }


async def _taken(rows: Rows, service: str) -> set[tuple[str, str]]:
    booked = await rows.all(
        "SELECT day, time FROM appointment WHERE service = ? AND NOT cancelled", service
    )
    return {(row["day"], row["time"]) for row in booked}


async def _free(rows: Rows, service: str) -> list[tuple[date, str]]:
    taken = await _taken(rows, service)
    days = islice(working_days(rows.today), _DAYS_AHEAD)
    return [(day, time) for day in days for time in SLOTS if (str(day), time) not in taken]


def _spoken_slot(slot: tuple[date, str]) -> str:
    return f"{spoken_day(slot[0])} at {slot[1]}"


@tool(title="Find free appointments")
async def find_appointments(
    ctx: ToolContext,
    service: Annotated[Service, Field(description="what the appointment is for")],
) -> dict[str, object]:
    """Find the next free appointment times at the citizens' office, without booking one."""
    async with demo_of(ctx).reading() as rows:
        # One a day: three times of one morning are no choice to somebody who works.
        free = [slot for slot in await _free(rows, service) if slot[1] in SLOTS[:1] + SLOTS[2:3]]
    return {
        "service": service,
        "free": [{"day": day, "time": time} for day, time in free[:4]],
        "say": f"The next free times for {service} are"
        f" {listed([_spoken_slot(slot) for slot in free[:3]], 'or')}.",
    }


@tool(title="Book an appointment")
async def book_appointment(
    ctx: ToolContext,
    service: Annotated[Service, Field(description="what the appointment is for")],
    day: Annotated[date, Field(description="the day wished for")],
    time: Annotated[
        Literal["first free", "09:30", "11:00", "14:00", "15:30"],
        Field(description="time of day wished for"),
    ] = "first free",
) -> dict[str, object]:
    """Book a new appointment at the citizens' office on a given day."""
    async with demo_of(ctx).writing() as rows:
        free = await _free(rows, service)
        fitting = [slot for slot in free if slot[0] == day and time in ("first free", slot[1])]
        if not fitting:
            nearest = [slot for slot in free if slot[0] >= day][:3] or free[:3]
            offers = listed([_spoken_slot(slot) for slot in nearest], "or")
            raise ToolFailed(f"That time is not free. Offer {offers}.")
        chosen = fitting[0]
        number = await rows.run(
            "INSERT INTO appointment (person, service, day, time) VALUES (?, ?, ?, ?)",
            await _me(rows, ctx),
            service,
            str(chosen[0]),
            chosen[1],
        )
    return {
        "status": "booked",
        "appointment": str(number),
        "service": service,
        "day": chosen[0],
        "time": chosen[1],
        "say": f"You have an appointment for {service} on {_spoken_slot(chosen)}."
        f" Its number is {spelled(str(number))}.",
    }


async def _my_appointments(rows: Rows, ctx: ToolContext) -> list[Any]:
    return await rows.all(
        "SELECT * FROM appointment WHERE person = ? AND NOT cancelled AND day >= ?"
        " ORDER BY day, time",
        await _me(rows, ctx),
        str(rows.today),
    )


@tool(title="List my appointments")
async def list_my_appointments(ctx: ToolContext) -> dict[str, object]:
    """Tell when the caller's own appointments are, those already made, and what they are for."""
    async with demo_of(ctx).reading() as rows:
        booked = await _my_appointments(rows, ctx)
    spoken = [
        f"{row['service']} on {spoken_day(date.fromisoformat(row['day']))} at {row['time']}"
        for row in booked
    ]
    return {
        "appointments": [
            {
                "appointment": str(row["id"]),
                "service": row["service"],
                "day": row["day"],
                "time": row["time"],
            }
            for row in booked
        ],
        "say": f"Your appointments are {listed(spoken)}."
        if booked
        else "You have no appointments.",
    }


@tool(title="Cancel an appointment", confirm="Cancel appointment {appointment}?")
async def cancel_appointment(
    ctx: ToolContext,
    appointment: Annotated[Reference, Field(description="the appointment's four digits")],
) -> dict[str, object]:
    """Cancel or call off an appointment that the caller cannot keep, given its number."""
    async with demo_of(ctx).writing() as rows:
        booked = {str(row["id"]): row for row in await _my_appointments(rows, ctx)}
        if appointment not in booked:
            known = listed([spelled(number) for number in booked]) or "none"
            raise ToolFailed(f"There is no such appointment. The caller has {known}.")
        await rows.run("UPDATE appointment SET cancelled = 1 WHERE id = ?", int(appointment))
    return {
        "status": "cancelled",
        "appointment": appointment,
        "say": f"Appointment {spelled(appointment)} is cancelled.",
    }


@tool(title="Check an application")
async def application_status(
    ctx: ToolContext,
    application: Annotated[
        str,
        Field(
            pattern="^([0-9]{4})?$", description="its four digits; left out, all of the caller's"
        ),
    ] = "",
) -> dict[str, object]:
    """Tell how far the caller's permit applications are: state, next step, decision date."""
    async with demo_of(ctx).reading() as rows:
        found = await rows.all(
            "SELECT * FROM application WHERE person = ? AND ? IN ('', id) ORDER BY id",
            await _me(rows, ctx),
            application,
        )
    if not found:
        raise ToolFailed("The caller has no such application.")
    return {
        "applications": [
            {
                "application": row["id"],
                "kind": row["kind"],
                "state": row["state"],
                "next_step": row["next_step"],
                "submitted_on": row["submitted_on"],
                "decision_by": row["decision_by"],
            }
            for row in found
        ],
        "say": " ".join(
            f"Your {row['kind']} is {row['state']}: {row['next_step']}."
            f" You will hear by {spoken_day(date.fromisoformat(row['decision_by']))}."
            for row in found
        ),
    }


@tool(title="Look up waste collection")
async def waste_collection(
    ctx: ToolContext,
    kind: Annotated[Waste, Field(description="which bin")] = "general",
) -> dict[str, object]:
    """Tell on which day the rubbish, recycling, paper, glass or organic bin is next emptied."""
    async with demo_of(ctx).reading() as rows:
        row = await rows.one("SELECT * FROM collection WHERE kind = ?", kind)
        today = rows.today
    assert row is not None
    day = today + timedelta(days=(row["weekday"] - today.weekday()) % 7)
    while (day.toordinal() // 7) % row["every_weeks"]:
        day += timedelta(days=7)
    return {
        "kind": kind,
        "next_on": day,
        "every_weeks": row["every_weeks"],
        "say": f"The {kind} bin is next emptied on {spoken_day(day)}.",
    }


@tool(title="Report something broken")
async def report_issue(
    ctx: ToolContext,
    kind: Annotated[Trouble, Field(description="what is wrong")],
    place: Annotated[str, Field(min_length=3, max_length=120, description="street or place")],
) -> dict[str, object]:
    """Report something broken in the street: a pothole, dark street light, rubbish, graffiti."""
    async with demo_of(ctx).writing() as rows:
        number = await rows.run(
            "INSERT INTO report (person, kind, place, reported_on) VALUES (?, ?, ?, ?)",
            await _me(rows, ctx),
            kind,
            place.strip(),
            str(rows.today),
        )
        look_on = next(working_days(rows.today + timedelta(days=1)))
    return {
        "status": "reported",
        "report": str(number),
        "kind": kind,
        "place": place.strip(),
        "look_on": look_on,
        "say": f"I have reported the {kind} at {place.strip()} as number {spelled(str(number))}."
        f" Somebody will look by {spoken_day(look_on)}.",
    }
