"""`/openai/v1/audio`: text to speech and speech to text over plain HTTP, as Azure OpenAI has them.

Only what callers of the local engine need: 24 kHz PCM or WAV out, WAV in, JSON or text back.
"""

import io
import logging
import wave
from collections.abc import AsyncIterator
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from switchboard_local.engine.parts import Ears, Voice
from switchboard_local.realtime.keeper import Keeper

logger = logging.getLogger(__name__)

PREFIX: Final = "/openai/v1/audio"
MAX_JSON_BYTES: Final = 64 * 1024
MAX_AUDIO_BYTES: Final = 25 * 1024 * 1024
"""The service's own limit."""
RATE_HZ: Final = 24_000
LONGEST_S: Final = 300


class Speech(BaseModel):
    """Body of `POST /speech`. The local engine has one voice, whatever `voice` says."""

    model_config = ConfigDict(extra="ignore")

    model: str
    input: Annotated[str, Field(min_length=1, max_length=4096)]
    voice: str = "alloy"
    response_format: Literal["pcm", "wav"] = "pcm"
    speed: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0


class _Bad(Exception):
    """The message is for whoever asked."""


def audio_router(keeper: Keeper, voice: Voice, ears: Ears) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.post("/speech")
    async def speech(request: Request) -> Response:
        if (refusal := keeper.refusal(request.headers, request.query_params)) is not None:
            return JSONResponse(dict(refusal.body()), refusal.status)
        try:
            asked = Speech.model_validate_json(await _body(request, MAX_JSON_BYTES))
        except (_Bad, ValidationError) as wrong:
            return _refused(wrong)
        pieces = voice.speak(asked.input, speed=asked.speed)
        if asked.response_format == "pcm":
            return StreamingResponse(pieces, media_type="audio/pcm")
        return Response(_wav(await _joined(pieces)), media_type="audio/wav")

    @router.post("/transcriptions")
    async def transcriptions(request: Request) -> Response:
        if (refusal := keeper.refusal(request.headers, request.query_params)) is not None:
            return JSONResponse(dict(refusal.body()), refusal.status)
        try:
            parts = _parts(request, await _body(request, MAX_AUDIO_BYTES))
            pcm = _pcm(parts.get("file", b""))
        except _Bad as wrong:
            return _refused(wrong)
        text = await ears.transcribe(pcm)
        if parts.get("response_format") == b"text":
            return PlainTextResponse(text)
        return JSONResponse({"text": text})

    return router


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise _Bad(f"The body is larger than {most} bytes.")
    return bytes(body)


def _parts(request: Request, body: bytes) -> dict[str, bytes]:
    """The named parts of a multipart body."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise _Bad("The body has to be multipart/form-data.")
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    parts: dict[str, bytes] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + body).walk():
        name = _name_of(part)
        content = part.get_payload(decode=True) if name else None
        if name and isinstance(content, bytes):
            parts[name] = content
    return parts


def _name_of(part: Message) -> str | None:
    name = part.get_param("name", header="content-disposition")
    return name if isinstance(name, str) else None


def _pcm(file: bytes) -> bytes:
    """24 kHz mono of a WAV file that is so already."""
    try:
        with wave.open(io.BytesIO(file)) as sound:
            shape = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
            if shape != (1, 2, RATE_HZ):
                raise _Bad("The file has to be WAV: mono, 16 bits, 24 kHz.")
            if sound.getnframes() > LONGEST_S * RATE_HZ:
                raise _Bad(f"The file is longer than {LONGEST_S} seconds.")
            return sound.readframes(sound.getnframes())
    except (wave.Error, EOFError):
        raise _Bad("The file is no WAV.") from None


async def _joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def _wav(pcm: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(pcm)
    return out.getvalue()


def _refused(wrong: Exception) -> Response:
    message = str(wrong) if isinstance(wrong, _Bad) else "The body is not what it has to be."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return JSONResponse({"error": error}, 400)
