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
