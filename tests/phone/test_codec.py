"""ACS's media frames, in every spelling it is known for, and hostile ones."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.conversation.audio import PcmFormat
from switchboard.phone.codec import (
    KEYS,
    MAX_FRAME_CHARS,
    STOP_AUDIO,
    Key,
    Misheard,
    Sound,
    StreamOpened,
    decode,
    encode,
)

pcm = st.integers(0, 480).flatmap(lambda n: st.binary(min_size=2 * n + 2, max_size=2 * n + 2))


def as_base64(audio: bytes) -> str:
    return base64.b64encode(audio).decode()


def respelled(fields: dict[str, object], *, capital: bool) -> dict[str, object]:
    """First letters of keys large or small."""
    first = str.upper if capital else str.lower
    return {first(name[0]) + name[1:]: value for name, value in fields.items()}


def frame(kind: str, part: str, *, outer: bool, inner: bool, named: bool, **fields: object) -> str:
    """A frame with each kind of key written as told: `True` for a capital."""
    name = kind[0].upper() + kind[1:] if named else kind[0].lower() + kind[1:]
    said: dict[str, object] = {"kind": name, part: respelled(fields, capital=inner)}
    return json.dumps(respelled(said, capital=outer))


@given(pcm, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_audio_passes_as_it_came_however_its_keys_are_written(
    audio: bytes, outer: bool, inner: bool, named: bool, silent: bool
) -> None:
    text = as_base64(audio)
    said = frame(
        "AudioData",
        "audioData",
        outer=outer,
        inner=inner,
        named=named,
        timestamp="2026-11-26T10:00:00Z",
        participantRawID="4:+15550100",
        data=text,
        silent=silent,
    )
    assert decode(said) == Sound(text)


@given(st.sampled_from(sorted(KEYS)), st.booleans(), st.booleans(), st.booleans())
def test_keys_are_heard_however_they_are_written(
    key: str, outer: bool, inner: bool, named: bool
) -> None:
    said = frame("DtmfData", "dtmfData", outer=outer, inner=inner, named=named, data=key)
    assert decode(said) == Key(key)


@pytest.mark.parametrize(
    ("name", "key"),
    [("five", "5"), ("Zero", "0"), ("star", "*"), ("asterisk", "*"), ("pound", "#")],
)
def test_keys_have_names_too(name: str, key: str) -> None:
    assert decode(json.dumps({"kind": "DtmfData", "dtmfData": {"data": name}})) == Key(key)


@pytest.mark.parametrize("rate_hz", [16_000, 24_000])
@pytest.mark.parametrize("capital", [True, False])
def test_a_stream_says_what_it_is(rate_hz: int, capital: bool) -> None:
    said = frame(
        "AudioMetadata",
        "audioMetadata",
        outer=capital,
        inner=capital,
        named=True,
        subscriptionId="s1",
        encoding="PCM",
        sampleRate=rate_hz,
        channels=1,
        length=640,  # as the documentation has it, whatever the rate
    )
    assert decode(said) == StreamOpened(PcmFormat(rate_hz))


def test_a_silent_frame_needs_no_audio() -> None:
    assert decode('{"kind":"AudioData","audioData":{"silent":true}}') == Sound("")
    assert decode('{"kind":"AudioData","audioData":{"data":"","silent":true}}') == Sound("")


@pytest.mark.parametrize("kind", ["TranscriptionData", "somethingNew", ""])
def test_what_we_have_no_use_for_is_passed_over(kind: str) -> None:
    assert decode(json.dumps({"kind": kind, "transcriptionData": {"text": "hello"}})) is None


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "{",
        "null",
        "[]",
        '"AudioData"',
        "{}",
        '{"kind":7}',
        '{"kind":"AudioData"}',
        '{"kind":"AudioData","audioData":null}',
        '{"kind":"AudioData","audioData":[]}',
        '{"kind":"AudioData","audioData":{}}',
        '{"kind":"AudioData","audioData":{"data":""}}',
        '{"kind":"AudioData","audioData":{"data":7}}',
        '{"kind":"AudioData","audioData":{"data":"not base64!"}}',
        '{"kind":"AudioData","audioData":{"data":"AAA"}}',
        '{"kind":"AudioData","audioData":{"data":"AAAA"}}',  # a sample and a half
        '{"kind":"AudioData","audioData":{"data":"AAA=","silent":"yes"}}',
        '{"kind":"AudioMetadata"}',
        '{"kind":"AudioMetadata","audioMetadata":{"encoding":"PCM","sampleRate":8000,"channels":1}}',
        '{"kind":"AudioMetadata","audioMetadata":{"encoding":"PCM","sampleRate":0,"channels":1}}',
        '{"kind":"AudioMetadata","audioMetadata":{"encoding":"PCM","sampleRate":24000,"channels":2}}',
        '{"kind":"AudioMetadata","audioMetadata":{"encoding":"MP3","sampleRate":24000,"channels":1}}',
        '{"kind":"DtmfData","dtmfData":{}}',
        '{"kind":"DtmfData","dtmfData":{"data":""}}',
        '{"kind":"DtmfData","dtmfData":{"data":"A"}}',
        '{"kind":"DtmfData","dtmfData":{"data":"55"}}',
        '{"kind":"' + "k" * 65 + '"}',
        '{"kind":"AudioData","audioData":' + "[" * 5_000 + "]" * 5_000 + "}",
        '{"kind":"AudioData","audioData":{"data":"' + "A" * MAX_FRAME_CHARS + '"}}',
        '{"kind":"\ud800"}',
    ],
)
def test_what_is_not_of_this_wire_is_refused_and_not_repeated(hostile: str) -> None:
    with pytest.raises(Misheard) as refusal:
        decode(hostile)
    assert len(str(refusal.value)) < 100


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    try:
        decode(text)
    except Misheard as refusal:
        assert len(text) < 20 or text not in str(refusal)


@given(pcm)
def test_what_we_send_is_json_and_says_the_same(audio: bytes) -> None:
    said = json.loads(encode(as_base64(audio)))
    assert said == {
        "kind": "AudioData",
        "audioData": {"data": as_base64(audio)},
        "stopAudio": None,
    }


def test_stop_is_what_acs_expects() -> None:
    assert json.loads(STOP_AUDIO) == {"kind": "StopAudio", "audioData": None, "stopAudio": {}}
