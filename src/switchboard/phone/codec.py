"""ACS's media wire: its frames become events, our audio becomes frames. Pure.

Text frames of JSON (protocol: media-streaming WebSocket). Microsoft's own samples write its keys,
and the names of its kinds, with a small and with a capital first letter; we write them small, and
read either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, cast

import msgspec
from msgspec import Meta

from switchboard.conversation.audio import PcmFormat, is_pcm

MAX_FRAME_CHARS: Final = 98_304
"""ACS speaks of 64 KiB of audio at most, which is this much in base64 with its envelope."""
RATES_HZ: Final = (16_000, 24_000)
"""What a stream may be asked to be: `pcm16KMono`, `pcm24KMono`."""
_AUDIO: Final = 'udioData"'
_LOOKED_AT: Final = 32
KEYS: Final = frozenset("0123456789*#")
STOP_AUDIO: Final = '{"kind":"StopAudio","audioData":null,"stopAudio":{}}'
"""Play nothing more of what was sent."""

_NAMED_KEYS: Final = {"star": "*", "asterisk": "*", "pound": "#"}
_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NAMES: Final[Mapping[str, str]] = _NAMED_KEYS | {
    name: str(digit) for digit, name in enumerate(_DIGITS)
}


class Misheard(Exception):
    """A frame that is not of this wire. The text quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The first frame: what the audio that follows is."""

    format: PcmFormat


@dataclass(frozen=True, slots=True)
class Sound:
    """Some of the caller's audio, base64 in the stream's format."""

    audio: str
    """Empty where ACS says only that a frame is silent."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the telephone: 0-9, `*`, `#`."""

    key: str = field(repr=False)
    """It may be one of a PIN's."""


type MediaEvent = StreamOpened | Sound | Key

type _Audio = Annotated[str, Meta(max_length=MAX_FRAME_CHARS)]
type _Name = Annotated[str, Meta(max_length=64)]


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    encoding: _Name
    sample_rate: int
    channels: int


class _AudioData(msgspec.Struct, frozen=True, gc=False):
    data: _Audio | None = None
    silent: bool = False


class _DtmfData(msgspec.Struct, frozen=True):
    data: _Name

    def __repr__(self) -> str:
        return "_DtmfData()"  # what was pressed is nobody's business


class _Frame(msgspec.Struct, frozen=True, rename="camel"):
    kind: _Name
    audio_data: _AudioData | None = None
    audio_metadata: _Metadata | None = None
    dtmf_data: _DtmfData | None = None


class _SoundFrame(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A frame of audio as it mostly comes."""

    kind: Literal["AudioData", "audioData"]
    audio_data: _AudioData


_sound_decoder: Final = msgspec.json.Decoder(_SoundFrame)
_decoder: Final = msgspec.json.Decoder(_Frame)
_any: Final = msgspec.json.Decoder(dict[str, object])


def decode(frame: str) -> MediaEvent | None:
    """What a text frame says; `None` for a kind that we have no use for. Raises `Misheard`."""
    if len(frame) > MAX_FRAME_CHARS:
        raise Misheard("a frame is too large")
    try:
        said = _read(frame)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as fault:
        # Its own words could quote the frame.
        raise Misheard(f"a frame is not understood ({type(fault).__name__})") from None
    return _event_of(said)


def audio_of(frame: str) -> str | None:
    """The audio in a frame that has nothing else; `None` leaves it to `decode`."""
    if len(frame) > MAX_FRAME_CHARS or frame.find(_AUDIO, 0, _LOOKED_AT) < 0:
        return None
    try:
        audio = _sound_decoder.decode(frame).audio_data.data
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    return audio if audio and is_pcm(audio) else None


def encode(audio: str) -> str:
    """The frame that plays `audio`, base64 in the stream's format."""
    return f'{{"kind":"AudioData","audioData":{{"data":"{audio}"}},"stopAudio":null}}'


def _read(frame: str) -> _Frame:
    try:
        said = _decoder.decode(frame)
        if said.audio_data is None or said.audio_data.data is not None:
            return said
    except msgspec.ValidationError:
        pass  # what it lacks may be there in capitals
    return msgspec.convert(_small(_any.decode(frame)), _Frame)


def _event_of(said: _Frame) -> MediaEvent | None:
    match said.kind[:1].lower() + said.kind[1:]:
        case "audioData" if said.audio_data is not None:
            return _sound(said.audio_data)
        case "audioMetadata" if said.audio_metadata is not None:
            return StreamOpened(_format(said.audio_metadata))
        case "dtmfData" if said.dtmf_data is not None:
            return Key(_key(said.dtmf_data.data))
        case "audioData" | "audioMetadata" | "dtmfData":
            raise Misheard("a frame lacks what its kind promises")
        case _:
            return None


def _sound(said: _AudioData) -> Sound:
    audio = said.data or ""
    if not audio and not said.silent:
        raise Misheard("a frame has no audio")
    if not is_pcm(audio):
        raise Misheard("audio is not base64 of 16-bit samples")
    return Sound(audio)


def _format(said: _Metadata) -> PcmFormat:
    if said.encoding.upper() != "PCM" or said.channels != 1 or said.sample_rate not in RATES_HZ:
        raise Misheard("this stream's format is not one we speak")
    return PcmFormat(said.sample_rate)


def _key(name: str) -> str:
    key = _NAMES.get(name.lower(), name)
    if key not in KEYS:
        raise Misheard("there is no such key")
    return key


def _small(fields: Mapping[str, object], *, levels: int = 2) -> dict[str, object]:
    """The same with small first letters, as many levels deep as this wire goes."""
    return {
        name[:1].lower() + name[1:]: _small(cast("dict[str, object]", value), levels=levels - 1)
        if levels > 1 and isinstance(value, dict)
        else value
        for name, value in fields.items()
    }
