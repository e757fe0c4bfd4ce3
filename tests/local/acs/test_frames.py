"""Frames from the application are hostile until they have been read."""

import base64
import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from switchboard_local.acs.frames import AudioIn, Misfit, StopAudio, read

texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "Kind", "audioData", "AudioData", "data", "stopAudio", "x"]),
            inner | st.sampled_from(["AudioData", "stopAudio"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(texts)
def test_whatever_comes_is_a_frame_or_a_misfit(value: object) -> None:
    try:
        frame = read(json.dumps(value))
    except Misfit:
        return
    assert isinstance(frame, AudioIn | StopAudio)


@given(st.binary(max_size=64).filter(lambda pcm: len(pcm) % 2 == 0), st.booleans())
def test_audio_arrives_whole_in_either_case(pcm: bytes, pascal: bool) -> None:
    kind, outer, inner = ("Kind", "AudioData", "Data") if pascal else ("kind", "audioData", "data")
    frame = {kind: "AudioData", outer: {inner: base64.b64encode(pcm).decode()}, "stopAudio": None}
    assert read(json.dumps(frame)) == AudioIn(pcm)


@pytest.mark.parametrize("kind", ["StopAudio", "stopAudio"])
def test_stop_is_stop(kind: str) -> None:
    assert read(json.dumps({"kind": kind, "audioData": None, "stopAudio": {}})) == StopAudio()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[" * 5000,
        '{"kind":7}',
        '{"kind":"AudioData"}',
        '{"kind":"AudioData","audioData":{"data":7}}',
        '{"kind":"AudioData","audioData":{"data":"AAAA"}}',
        '{"kind":"AudioData","audioData":{"data":"AA"}}',
        b"\0\1",
    ],
)
def test_nonsense_is_refused(text: str | bytes) -> None:
    with pytest.raises(Misfit):
        read(text)
