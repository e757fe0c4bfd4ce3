"""What is said to the product, in every way it can be said."""

import base64
import json
from typing import Final

import anyio
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.browser.peers import Page
from tests.local.realtime.doubles import silence, tone
from tests.secrecy.peers import RESULT, SPOKEN, TYPED, Product

FRAME_BYTES: Final = 960
HUM: Final = base64.b64encode(tone(20)).decode()


async def line_with(page: Page, words: str, speaker: str) -> None:
    with anyio.fail_after(20):
        while True:
            line = await page.next("line")
            if line["speaker"] == speaker and words in line["text"] and line["state"] == "final":
                return


async def typed(page: Page) -> None:
    """A typed turn, which calls both tools, and the answer."""
    await page.say("text", id="typed1", text=TYPED)
    await line_with(page, RESULT, "agent")


async def spoken(page: Page) -> None:
    """A spoken turn, as it is written down."""
    pcm = silence(200) + tone(800) + silence(900)
    for at in range(0, len(pcm), FRAME_BYTES):
        frame = pcm[at : at + FRAME_BYTES]
        await page.say("audio", audio=base64.b64encode(frame).decode())
        await anyio.sleep(0.005)  # faster than speech, slower than the rate that is allowed
    await line_with(page, SPOKEN, "caller")


async def proxied(served: Product, token: str | None = None) -> None:
    """A session of Voice Live through the proxy, with a typed turn."""
    shown = [] if token is None else ["switchboard.proxy.v1", f"token.{token}"]
    async with connect(
        f"ws://127.0.0.1:{served.port}/ws?model=gpt-4.1",
        origin=served.origin,  # pyright: ignore[reportArgumentType]  (text will do)
        subprotocols=[Subprotocol(name) for name in shown] or None,
        proxy=None,
        max_size=None,
    ) as client:
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": TYPED}],
        }
        await client.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await client.send(json.dumps({"type": "response.create"}))
        with anyio.fail_after(20):
            while json.loads(await client.recv())["type"] != "response.done":
                pass
