"""Bodies of requests: bounded, in time, and of a known shape."""

from typing import Final

import anyio
import msgspec
from starlette.requests import Request

from switchboard.browser.problems import Refusal

MAX_BODY_BYTES: Final = 4_096
MAX_OFFER_BODY_BYTES: Final = 160 * 1024
"""64 KiB of SDP, its line ends escaped."""
BODY_S: Final = 10.0


async def body_of(request: Request, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The whole body, if it is small and comes soon. Raises `Refusal`."""
    body = bytearray()
    try:
        with anyio.fail_after(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit_bytes:
                    raise Refusal(413, "too_large", "This request is too large.")
    except TimeoutError as late:
        raise Refusal(408, "too_slow", "This request took too long to arrive.") from late
    return bytes(body)


def understood[T](body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """What a body says. Raises `Refusal`."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as fault:
        raise Refusal(400, "misunderstood", f"This request is not understood: {fault}") from fault
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Refusal(400, "misunderstood", "This request is not JSON.") from fault
