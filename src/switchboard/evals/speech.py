"""A simulated caller's voice and ears: text to speech and speech to text over HTTP.

`/openai/v1/audio/speech` and `/audio/transcriptions`, as Azure OpenAI has them; offline, the local
cloud's. With Azure, `--speech-model` and `--hearing-model` name the deployments.
"""

import io
import wave
from typing import Any, Final

import httpx

from switchboard.errors import ConfigurationError, ModelUnavailable
from switchboard.model.credentials import TokenSource

RATE_HZ: Final = 24_000
TIMEOUT_S: Final = 60.0
MOST_BYTES: Final = 32 * 1024 * 1024
LONGEST_HEARD_S: Final = 25
"""Longer stretches are cut: recognisers lose their way."""


class Speech:
    """Speaks and hears. What was said once is remembered: a script is said again and again."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        endpoint: str,
        tokens: TokenSource,
        *,
        speaks: str,
        hears: str,
    ) -> None:
        self._http = http
        self._base = f"{endpoint.rstrip('/')}/openai/v1/audio"
        self._tokens = tokens
        self._speaks = speaks
        self._hears = hears
        self._said: dict[tuple[str, str, float], bytes] = {}

    async def say(self, text: str, *, voice: str, speed: float) -> bytes:
        """PCM 24 kHz mono. Raises `ConfigurationError` where it cannot be had."""
        key = (text, voice, speed)
        if key not in self._said:
            wanted = {
                "model": self._speaks,
                "input": text,
                "voice": voice,
                "speed": speed,
                "response_format": "pcm",
            }
            self._said[key] = await self._post("speech", json=wanted)
        return self._said[key]

    async def hear(self, pcm: bytes) -> str:
        """What a listener understands of PCM 24 kHz mono."""
        most = LONGEST_HEARD_S * RATE_HZ * 2
        texts: list[str] = []
        for at in range(0, len(pcm), most):
            file = ("heard.wav", wav(pcm[at : at + most]), "audio/wav")
            data = {"model": self._hears, "response_format": "text"}
            texts.append(
                (await self._post("transcriptions", files={"file": file}, data=data)).decode()
            )
        return " ".join(text.strip() for text in texts)

    async def _post(self, path: str, **body: Any) -> bytes:  # noqa: ANN401  (httpx's own)
        try:
            token = await self._tokens.token(TIMEOUT_S)
            answer = await self._http.post(
                f"{self._base}/{path}", headers={"Authorization": f"Bearer {token}"}, **body
            )
        except (httpx.HTTPError, ModelUnavailable) as reason:
            raise ConfigurationError(f"No voice or ears: {type(reason).__name__}.") from reason
        if not answer.is_success or len(answer.content) > MOST_BYTES:
            raise ConfigurationError(
                f"{self._base}/{path} answered {answer.status_code}. Name deployments that speak "
                "and hear by --speech-model and --hearing-model."
            )
        return answer.content


def wav(pcm: bytes, *, channels: int = 1) -> bytes:
    """A WAV file of 16-bit PCM at 24 kHz."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(pcm)
    return out.getvalue()
