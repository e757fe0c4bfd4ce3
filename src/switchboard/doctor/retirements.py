"""When Azure OpenAI retires its realtime models. The one place with these dates: keep it fresh."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

AS_OF: Final = date(2026, 7, 7)
"""The day of Microsoft's schedule (model retirement schedule, articles/foundry/openai)."""
SOON: Final = timedelta(days=90)

RETIRES: Final[Mapping[str, date]] = {
    "gpt-realtime-2.1": date(2027, 6, 25),
    "gpt-realtime-2.1-mini": date(2027, 6, 25),
    "gpt-realtime-2": date(2027, 5, 6),
    "gpt-realtime-1.5": date(2027, 2, 23),
    "gpt-realtime": date(2027, 2, 28),
    "gpt-realtime-mini": date(2026, 12, 15),  # of 2025-12-15, its newest version
    "gpt-4o-realtime-preview": AS_OF,  # no longer on the schedule
    "gpt-4o-mini-realtime-preview": AS_OF,
}
"""By model; the day its newest version is withdrawn."""


def retires(model: str) -> date | None:
    """The day a model goes, or went. `None` for one the schedule does not name."""
    return RETIRES.get(model)
