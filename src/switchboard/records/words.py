"""Free text as every database can keep it."""

from typing import override

from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator

INSTEAD = "\ufffd"


class Words(TypeDecorator[str]):
    """Text that people and models wrote. PostgreSQL refuses NUL, half a surrogate pair, and more
    characters than a column is wide, and with them the row; SQLite does not. So here NUL and halves
    become U+FFFD, and what is too long is cut."""

    impl = String
    cache_ok = True

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return storable(value)[: getattr(self.impl_instance, "length", None)]


class LongWords(Words):
    """Likewise, of any length."""

    impl = Text
    cache_ok = True


def storable(text: str) -> str:
    """`text`, with U+FFFD in place of what is no character."""
    if text.isascii():
        return text.replace("\0", INSTEAD)
    return text.replace("\0", INSTEAD).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
