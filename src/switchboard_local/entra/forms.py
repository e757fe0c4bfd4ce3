"""What token requests are made of, and how they are refused."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

MAX_FORM_BYTES: Final = 16_384
_MAX_FIELDS: Final = 40


class NoToken(Exception):
    """A token request that is refused, as OAuth puts it: `code` and words."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form. Raises `NoToken`."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise NoToken("invalid_request", "The form is too large.")
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise NoToken("invalid_request", "The body is no form.") from None
