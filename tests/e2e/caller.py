"""A caller: a voice that is not the agent's, and a microphone's file to speak into."""

import base64
import json
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Page, WebSocket

from switchboard_local.engine.parts import Voice
from switchboard_local.engine.samples import RATE_HZ, from_pcm, resampled, to_pcm

PITCH = 1.12
"""The caller's voice is the engine's own, slowed and then played faster: another throat."""

BALANCE = ("1204", "1200 and 4", "one thousand two hundred and four")
"""1,204.50, however the ears write it down."""


def tells_the_balance(heard: str) -> bool:
    return any(fact in heard.replace(",", "") for fact in BALANCE)


async def said(voice: Voice, text: str) -> bytes:
    """`text` in the caller's voice: PCM 24 kHz."""
    pcm = b"".join([piece async for piece in voice.speak(text, speed=1 / PITCH)])
    return to_pcm(resampled(from_pcm(pcm), int(RATE_HZ * PITCH), RATE_HZ))


def microphone(path: Path, *speech: tuple[float, bytes], length_s: float = 90) -> Path:
    """A file that is silent but for `speech`, each piece at its second. It loops at its end."""
    samples = np.zeros(int(length_s * RATE_HZ), np.int16)
    for at_s, pcm in speech:
        piece = np.frombuffer(pcm, np.int16)
        start = int(at_s * RATE_HZ)
        samples[start : start + len(piece)] = piece
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


@dataclass
class Ear:
    """Everything the server sent to the page's socket."""

    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def listen(self, page: Page) -> None:
        page.on("websocket", self._on_socket)

    def _on_socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._on_frame)

    def _on_frame(self, frame: str | bytes) -> None:
        self.messages.append(json.loads(frame))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    def audio(self, item: str) -> bytes:
        """All audio of an item, as it was sent to the page."""
        pieces = [m["audio"] for m in self.of("audio") if m["item"] == item]
        return b"".join(base64.b64decode(piece) for piece in pieces)

    def lines(self, speaker: str, state: str) -> list[dict[str, Any]]:
        return [m for m in self.of("line") if m["speaker"] == speaker and m["state"] == state]
