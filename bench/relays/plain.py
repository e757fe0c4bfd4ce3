"""A plain relay as samples write it: FastAPI, uvicorn's own WebSockets, the `websockets` client and
`json`; one task a direction.

Usage: python -m bench.relays.plain PORT MODEL_URL
"""

import asyncio
import json
import ssl
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.websocket("/page")
async def page(caller: WebSocket) -> None:
    await _relay(caller, is_phone=False)


@app.websocket("/phone")
async def phone(caller: WebSocket) -> None:
    await _relay(caller, is_phone=True)


async def _relay(caller: WebSocket, *, is_phone: bool) -> None:
    await caller.accept()
    url, tls = app.state.url, app.state.tls
    async with connect(url, ssl=tls, compression=None, proxy=None, max_size=None) as model:
        await model.send(json.dumps({"type": "response.create"}))
        if not is_phone:
            await caller.send_text(json.dumps({"type": "ready"}))
        down = asyncio.create_task(_down(model, caller, is_phone=is_phone))
        try:
            await _up(caller, model, is_phone=is_phone)
        finally:
            down.cancel()


async def _up(caller: WebSocket, model: ClientConnection, *, is_phone: bool) -> None:
    try:
        while True:
            said: dict[str, Any] = json.loads(await caller.receive_text())
            if is_phone:
                audio = said["audioData"]["data"] if said["kind"] == "AudioData" else None
            else:
                audio = said["audio"] if said["type"] == "audio" else None
            if audio is not None:
                event = {"type": "input_audio_buffer.append", "audio": audio}
                await model.send(json.dumps(event))
    except (WebSocketDisconnect, ConnectionClosed):
        pass


async def _down(model: ClientConnection, caller: WebSocket, *, is_phone: bool) -> None:
    async for message in model:
        event: dict[str, Any] = json.loads(message)
        if event["type"] == "response.output_audio.delta":
            await caller.send_text(json.dumps(_audio(event, is_phone=is_phone)))
        elif event["type"] == "input_audio_buffer.speech_started":
            stop: dict[str, Any] = {"kind": "StopAudio", "audioData": None, "stopAudio": {}}
            await caller.send_text(json.dumps(stop if is_phone else {"type": "flush"}))


def _audio(event: dict[str, Any], *, is_phone: bool) -> dict[str, Any]:
    if is_phone:
        return {"kind": "AudioData", "audioData": {"data": event["delta"]}, "stopAudio": None}
    return {"type": "audio", "item": event["item_id"], "audio": event["delta"]}


if __name__ == "__main__":
    app.state.url = sys.argv[2]
    app.state.tls = ssl.create_default_context() if sys.argv[2].startswith("wss:") else None
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", ws_per_message_deflate=False)
