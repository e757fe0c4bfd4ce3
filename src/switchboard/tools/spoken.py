"""Facts as a voice says them."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta


def euros(cents: int) -> str:
    """ "1,204.50 EUR" """
    return f"{cents / 100:,.2f} EUR"


def spoken_euros(cents: int) -> str:
    """ "1,204.50 euros", "15 euros" """
    amount = f"{cents / 100:,.2f}".removesuffix(".00")
    return f"{amount} euros"


def spoken_day(day: date) -> str:
    """ "Tuesday 24 November" """
    return f"{day:%A} {day.day} {day:%B}"


def listed(parts: Sequence[str], joint: str = "and") -> str:
    """ "one, two and three" """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


def spelled(code: str) -> str:
    """ "4 4 1 7": a number to be said digit by digit."""
    return " ".join(code)


def working_days(after: date) -> Iterator[date]:
    """The days from Monday to Friday that follow, without end."""
    day = after
    while True:
        day += timedelta(days=1)
        if day.weekday() < 5:
            yield day
