"""Logs: one line a record, constant text and fields, and one filter that takes secrets out.

What was said on a call never reaches a logger; this is for everything else that should not.
"""

import logging
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final, TextIO

import msgspec

HIDDEN: Final = "***"
SENDERS: Final = ("opentelemetry", "azure.monitor")
MOST_COMPLAINTS: Final = 100

_NAMES: Final = (
    r"(?:api[-_]?key|authorization|(?:access_|refresh_|id_)?token|ticket|password|passwd|secret"
    r"|client_secret|sig|signature|subscription-key)"
)
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # Authorization: Bearer …
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+"), rf"\1 {HIDDEN}"),
    # The subprotocols that open a socket.
    (re.compile(r"\bticket\.[A-Za-z0-9_-]+"), f"ticket.{HIDDEN}"),
    (re.compile(r"\btoken\.[A-Za-z0-9_-]{16,}[A-Za-z0-9_.-]*"), f"token.{HIDDEN}"),
    # ?token=…  api-key: …  "password": "…"
    (
        re.compile(rf"(?i)\b({_NAMES}[\"']?\s*[=:]\s*[\"']?)(?!bearer|basic)[^\s\"'&,;]+"),
        rf"\1{HIDDEN}",
    ),
    # JSON Web Tokens, wherever they stand.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),
    # scheme://user:password@host
    (re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+@"), f"{HIDDEN}@"),
)
_QUERY: Final = re.compile(r'("[A-Za-z]+ [^\s?"]*)\?\S*(?="\s|"$| HTTP/)')
"""Of a request line in quotes, as uvicorn writes it."""
_SECRET_FIELD: Final = re.compile(rf"(?i){_NAMES}")
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",  # uvicorn's, with terminal escapes
}


def redact(text: str) -> str:
    """`text` without anything that opens a door."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


class Redaction(logging.Filter):
    """Rewrites each record before anybody formats it: message, fields, traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None
        record.exc_text = redact(record.exc_text) if record.exc_text else None
        for name, value in fields(record).items():
            setattr(record, name, HIDDEN if _SECRET_FIELD.fullmatch(name) else _redacted(value))
        return True


class NoProbes(logging.Filter):
    """Drops the access log of health probes: they come every few seconds and say nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        return not any(f" {path} " in said for path in ("/health", "/readyz", "/livez"))


class NoQueries(logging.Filter):
    """Takes the query out of uvicorn's lines: a token in it may be written in too many ways."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _QUERY.sub(rf"\1?{HIDDEN}", record.getMessage()), ()
        return True


class NoFalseAlarms(logging.Filter):
    """Drops what uvicorn takes for a fault when a socket is refused with an HTTP status."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "without completing handshake" not in record.getMessage()


class Numbered(logging.Filter):
    """Says of each line which worker it is of."""

    def __init__(self, worker: int) -> None:
        super().__init__()
        self._worker = worker

    def filter(self, record: logging.LogRecord) -> bool:
        record.worker = self._worker
        return True


class Seldom(logging.Filter):
    """Lets those who send telemetry complain of a collector once a minute: they try every few
    seconds."""

    def __init__(self, every_s: float = 60.0) -> None:
        super().__init__()
        self._every_s = every_s
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(SENDERS):
            return True
        what = (record.name, str(record.msg))
        last = self._said.get(what)
        if last is not None and 0 <= record.created - last < self._every_s:
            return False
        if len(self._said) >= MOST_COMPLAINTS:
            self._said.clear()
        self._said[what] = record.created
        return True


class TextLines(logging.Formatter):
    """`12:00:00 INFO  switchboard.exchange  call began  call=… agent=bank`"""

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        parts = [f"{clock} {record.levelname:<7} {record.name}  {record.getMessage()}"]
        parts += [f"{name}={_short(value)}" for name, value in fields(record).items()]
        line = "  ".join([parts[0], " ".join(parts[1:])]).rstrip().replace("\n", "\\n")
        return f"{line}\n{record.exc_text}" if record.exc_text else line


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **fields(record),
        }
        if record.exc_text:
            line["exception"] = record.exc_text
        return msgspec.json.encode(line, enc_hook=repr).decode()


FORMATS: Final[Mapping[str, Callable[[], logging.Formatter]]] = {
    "text": TextLines,
    "json": JsonLines,
}


def configure_logging(
    level: str, log_format: str, stream: TextIO | None = None, *, worker: int | None = None
) -> None:
    """Send every log of this process through the one filter to `stream` (standard error). `worker`
    is its number, where there are several."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(FORMATS[log_format]())
    handler.addFilter(Seldom())  # before the next one, which fills texts in
    handler.addFilter(Redaction())
    if worker is not None:
        handler.addFilter(Numbered(worker))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("uvicorn.access").addFilter(NoProbes())
    logging.getLogger("uvicorn.error").addFilter(NoFalseAlarms())
    for lines in ("uvicorn.access", "uvicorn.error"):
        logging.getLogger(lines).addFilter(NoQueries())
    # At debug level it writes every header and frame of a socket: tokens, and what was said.
    logging.getLogger("uvicorn.error").setLevel(max(root.level, logging.INFO))
    # Theirs are not ours to read at debug level: headers, frames, statements.
    for chatty in (
        "azure",
        "msal",  # its cache's log has tokens in it
        "aiohttp",
        "urllib3",
        "websockets",
        "httpx",
        "httpcore",
        "sqlalchemy",
        "aiosqlite",
        "alembic",
        "opentelemetry",
    ):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def fields(record: logging.LogRecord) -> dict[str, object]:
    """What `extra=` added."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _redacted(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(value if isinstance(value, str) else repr(value))


def _short(value: object) -> str:
    text = str(value)
    return repr(text) if " " in text else text
