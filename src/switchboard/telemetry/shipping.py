"""The log lines of this server on their way to a collector: redacted like all others."""

import logging
from collections.abc import Callable
from typing import Final

from opentelemetry._logs import (  # pyright: ignore[reportPrivateUsage]  (the signal is stable, its module is named so yet)
    Logger,
    SeverityNumber,
)
from opentelemetry.context import Context

from switchboard.telemetry.logs import Redaction, fields

OURS: Final = "switchboard"
"""Not those of libraries: a collector that cannot be reached must not be told of it."""
NOT_THESE: Final = "switchboard.telemetry"
SERVER: Final = "uvicorn.error"
"""Its faults only: the rest names whoever opens a socket."""
_SEVERITY: Final = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


class Shipping(logging.Handler):
    """Hands each line to `ship`, with the trace of its call where it names one."""

    def __init__(self, ship: Logger, context_of: Callable[[str], Context | None]) -> None:
        super().__init__(logging.INFO)
        self._ship = ship
        self._context_of = context_of
        self.addFilter(_is_ours)
        self.addFilter(Redaction())

    def emit(self, record: logging.LogRecord) -> None:
        about = {name: _plain(value) for name, value in fields(record).items()}
        about["logger"] = record.name
        if record.exc_text:
            about["exception.stacktrace"] = record.exc_text
        call_id = about.get("call")
        self._ship.emit(
            timestamp=round(record.created * 1e9),
            context=self._context_of(call_id) if isinstance(call_id, str) else None,
            severity_number=_SEVERITY.get(record.levelno, SeverityNumber.UNSPECIFIED),
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes=about,
        )


def _is_ours(record: logging.LogRecord) -> bool:
    if record.name == SERVER:
        return record.levelno >= logging.WARNING
    return record.name.startswith(OURS) and not record.name.startswith(NOT_THESE)


def _plain(value: object) -> str | bool | int | float:
    return value if isinstance(value, str | bool | int | float) else str(value)
