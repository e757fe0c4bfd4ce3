"""What every answer says about itself, beside what tests/page sees in a browser."""

from typing import Any

import httpx
import pytest

from switchboard.browser.headers import SafeHeaders


@pytest.mark.parametrize(
    ("origins", "strict"),
    [(["https://talk.example"], True), (["https://talk.example", "http://127.0.0.1:1"], False)],
)
async def test_where_every_name_is_https_browsers_are_told_to_stay_there(
    origins: list[str], strict: bool
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    transport = httpx.ASGITransport(SafeHeaders(app, origins))
    async with httpx.AsyncClient(transport=transport, base_url="https://talk.example") as http:
        told = (await http.get("/")).headers.get("strict-transport-security")
    assert told == ("max-age=31536000" if strict else None)


async def test_what_an_answer_says_otherwise_is_said_once_and_strictly() -> None:
    own = [
        (b"x-frame-options", b"ALLOWALL"),
        (b"set-cookie", b"a=1"),
        (b"x-frame-options", b"SAMEORIGIN"),
        (b"set-cookie", b"b=2"),
    ]

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body"})

    transport = httpx.ASGITransport(SafeHeaders(app, ["https://talk.example"]))
    async with httpx.AsyncClient(transport=transport, base_url="https://talk.example") as http:
        headers = (await http.get("/")).headers
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert {"content-security-policy", "referrer-policy"} < set(headers)
    assert len(own) == 4  # which may be the next answer's as well
