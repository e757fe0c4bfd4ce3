"""A telephone in a terminal's hands: what it is told, what it tells, and that it hangs up."""

# pyright: reportUnknownMemberType=false
# (the SDK leaves its keyword arguments untyped)

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from switchboard_local.acs.softphone import Parts, softphone_router
from switchboard_local.serving import serving
from tests.local.acs.peers import Town, eventually
from tests.local.realtime.doubles import HummingVoice, ScriptedEars, tone


@asynccontextmanager
async def softphone(town: Town, number: str = "%2B15550100") -> AsyncGenerator[ClientConnection]:
    app = FastAPI()
    app.include_router(
        softphone_router(town.acs, Parts(HummingVoice(), ScriptedEars(["good day"])))
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"ws://127.0.0.1:{listener.getsockname()[1]}/local/phone?number={number}"
        async with serving(app, listener), connect(address, proxy=None) as phone:
            yield phone


async def told(phone: ClientConnection, kind: str) -> str:
    """The text of the next telling of that kind."""
    async with asyncio.timeout(20):
        async for message in phone:
            if isinstance(message, str) and json.loads(message)["type"] == kind:
                return json.loads(message)["text"]
    raise AssertionError(f"never told {kind}")


async def answered(town: Town) -> str:
    """The application answers with media; the connection's id."""
    incoming = await town.app.called()
    call = await town.sdk.answer_call(
        incoming["incomingCallContext"], town.callback_url, media_streaming=town.streaming()
    )
    assert call.call_connection_id is not None
    return call.call_connection_id


async def test_it_speaks_presses_hears_and_hangs_up(quick: Town) -> None:
    await quick.subscribe()
    async with softphone(quick) as phone:
        await answered(quick)
        await told(phone, "answered")
        media = await quick.app.dialled()
        await phone.send('{"type":"say","text":"hello"}')
        await told(phone, "spoken")
        await phone.send('{"type":"press","keys":"12"}')
        await media.until(lambda it: it.keys() == "12")
        assert media.pcm().rstrip(b"\0") == (tone(250) + tone(50)).rstrip(b"\0")
        await media.say(tone(400))
        assert await told(phone, "words") == "good day"
        await phone.send('{"type":"hang_up"}')
        await quick.app.told("CallDisconnected")
    await eventually(lambda: not quick.acs.calls)


async def test_whoever_goes_away_has_hung_up(quick: Town) -> None:
    await quick.subscribe()
    async with softphone(quick) as phone:
        await answered(quick)
        await told(phone, "answered")
    await quick.app.told("CallDisconnected")


@pytest.mark.parametrize("wish", ['{"type":"dance"}', '{"type":"press","keys":"x"}', "[", "{}"])
async def test_who_says_what_is_none_of_this_is_hung_up_on(quick: Town, wish: str) -> None:
    await quick.subscribe()
    async with softphone(quick) as phone:
        await answered(quick)
        await told(phone, "answered")
        await phone.send(wish)
        with pytest.raises(ConnectionClosed):
            while True:
                await phone.recv()
    await quick.app.told("CallDisconnected")


async def test_a_number_that_is_none_is_not_answered(quick: Town) -> None:
    async with softphone(quick, "12") as phone:
        assert await told(phone, "unanswered")
