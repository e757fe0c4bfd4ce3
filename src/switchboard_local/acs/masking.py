"""What people may see of what passes: bodies and addresses without what opens a door."""

import re
from typing import Final, cast

import msgspec

MAX_CHARS: Final = 4_000
MAX_DEPTH: Final = 20
GONE: Final = "…"
_SECRET: Final = re.compile(
    r"token|ticket|secret|signature|authorization|password|incomingcallcontext|validationcode",
    re.IGNORECASE,
)
"""Names whose values are not shown."""
_QUERY: Final = re.compile(r"([?&][^=&#\s]+=)[^&#\s]+")
_JWT: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def masked(body: bytes) -> tuple[object, str]:
    """A body as JSON and, of at most `MAX_CHARS`, as text; `None` and a word where it is none."""
    if not body:
        return None, ""
    try:
        shown = _masked(msgspec.json.decode(body), 0)
    except (msgspec.DecodeError, RecursionError):
        return None, f"{len(body)} bytes that are no JSON"
    text = msgspec.json.encode(shown).decode()
    return shown, text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + GONE


def masked_text(text: str) -> str:
    """An address or a sentence, without queries' values and without tokens."""
    return _JWT.sub(GONE, _QUERY.sub(rf"\1{GONE}", text))


def _masked(value: object, depth: int) -> object:
    if depth > MAX_DEPTH:
        return GONE
    match value:
        case str():
            return masked_text(value)
        case dict():
            items = cast("dict[str, object]", value).items()
            return {
                name: GONE if _SECRET.search(name) else _masked(each, depth + 1)
                for name, each in items
            }
        case list():
            return [_masked(each, depth + 1) for each in cast("list[object]", value)]
        case _:
            return value
