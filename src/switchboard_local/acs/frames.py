"""Frames of the media socket. Text JSON, in either case of keys: SDKs differ in what they send."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

import msgspec

FRAME_MS: Final = 20


class Misfit(Exception):
    """What the application sent is no frame. The text says why, and nothing of its content."""


@dataclass(frozen=True, slots=True)
class AudioIn:
    """The application's audio, in the stream's format."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class StopAudio:
    """Play nothing more of what waits."""


def read(text: str | bytes) -> AudioIn | StopAudio:
    """What the application wants. Raises `Misfit`."""
    if isinstance(text, bytes):
        raise Misfit("a binary message")
    try:
        frame = _lower(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        raise Misfit("no JSON") from None
    kind = frame.get("kind")
    match kind.lower() if isinstance(kind, str) else None:
        case "audiodata":
            return AudioIn(_pcm(_lower(frame.get("audiodata")).get("data")))
        case "stopaudio":
            return StopAudio()
        case _:
            raise Misfit("an unknown kind")


def metadata(subscription_id: str, rate: int) -> str:
    """The first frame: what the others hold."""
    about = {
        "subscriptionId": subscription_id,
        "encoding": "PCM",
        "sampleRate": rate,
        "channels": 1,
        "length": rate * 2 * FRAME_MS // 1000,
    }
    return _text({"kind": "AudioMetadata", "audioMetadata": about})


def audio(pcm: bytes, at: datetime, *, silent: bool, participant: str | None) -> str:
    """20 ms of the call. `participant` is whose, where streams are not mixed."""
    data: dict[str, object] = {"timestamp": stamp(at)}
    if participant is not None:
        data["participantRawID"] = participant
    data |= {"data": base64.b64encode(pcm).decode(), "silent": silent}
    return _text({"kind": "AudioData", "audioData": data})


def dtmf(key: str) -> str:
    """A key that a participant pressed."""
    return _text({"kind": "DtmfData", "dtmfData": {"data": key}})


def stamp(at: datetime) -> str:
    """As the service writes times: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _text(frame: Mapping[str, object]) -> str:
    return msgspec.json.encode(frame).decode()


def _lower(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Misfit("not an object")
    return {key.lower(): item for key, item in cast("dict[str, object]", value).items()}


def _pcm(data: object) -> bytes:
    if not isinstance(data, str):
        raise Misfit("audio without data")
    try:
        pcm = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Misfit("audio that is no base64") from None
    if len(pcm) % 2:
        raise Misfit("half a sample")
    return pcm
