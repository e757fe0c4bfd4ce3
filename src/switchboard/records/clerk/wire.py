"""What a server and its clerk tell each other: MessagePack, each message behind its length."""

import asyncio
from typing import Any, Final

import msgspec

from switchboard.conversation.commands import NoteLine
from switchboard.records.redaction.kinds import Redaction

MAX_BYTES: Final = 64 * 1024 * 1024
_LENGTH_BYTES: Final = 4
_encode: Final = msgspec.msgpack.Encoder().encode


class Slip(msgspec.Struct, array_like=True, frozen=True):
    """A row as it was noted, with all that was said in it."""

    table: str
    key: tuple[str, ...]
    rules: int
    """By which of the errand's rules it is kept."""
    values: dict[str, Any] | None
    line: NoteLine | None
    """Instead of values: what they are made of."""


class Hello(msgspec.Struct, array_like=True, frozen=True):
    """Where the records are, and whose."""

    url: str
    replica: str


class Errand(msgspec.Struct, array_like=True, frozen=True):
    """Rows to be written. Their keys differ."""

    rows: list[Slip]
    rules: list[Redaction]
    away: bool
    """The database was, when it was last asked."""
    password: str | None
    """What a new connection shows, where the address has none."""


class Said(msgspec.Struct, array_like=True, frozen=True):
    """A line for the log."""

    logger: str
    level: int
    text: str
    extra: dict[str, Any]


class Done(msgspec.Struct, array_like=True, frozen=True):
    """What became of an errand."""

    left: list[int] = []
    """Which rows are still to be written."""
    away: bool = False
    refused: int = 0
    """Rows that the database will never take."""
    said: list[Said] = []


def framed(message: msgspec.Struct) -> bytes:
    """Raises `ValueError` for a message that is too long, `TypeError` for what has no form here."""
    data = _encode(message)
    if len(data) > MAX_BYTES:
        raise ValueError("This is too much for one message.")
    return len(data).to_bytes(_LENGTH_BYTES) + data


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Raises `asyncio.IncompleteReadError` once the other side has gone, `ValueError` for a length
    that is none."""
    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
    if length > MAX_BYTES:
        raise ValueError("This is too much for one message.")
    return await reader.readexactly(length)
