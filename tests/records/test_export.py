"""A call as a file that others can read."""

import html
import json
import re

import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.conversation.commands import LineState, NoteLine, NoteTool, Speaker, ToolState
from switchboard.records.export import as_json, as_vtt
from switchboard.records.history import CallHistory, history
from switchboard.records.recorder import Recorder
from switchboard.records.schema import Call, Item
from switchboard.records.store import Store
from tests.records.test_recorder import opened

PATIENT = settings(deadline=None)  # a busy machine is no fault
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",)) | st.sampled_from("<>&-\n\r "),
    max_size=40,
) | st.sampled_from(
    ["a --> b", "<v Agent>x</v>", "&lt;", "\n\nNOTE x", "1\n00:00.000 --> 00:01.000"]
)
LINES = st.lists(
    st.tuples(
        WORDS,
        st.sampled_from(list(Speaker)),
        st.floats(-10, 20_000_000),
        st.none() | st.integers(0, 45),
    ),
    max_size=12,
)


def call_of(lines: list[tuple[str, Speaker, float, int | None]]) -> CallHistory:
    items = [
        Item(
            **{"call_id": "c1", "item_id": f"i{at}", "speaker": speaker.value, "text": text},
            **{"state": "final", "began_ms": began_ms, "heard_chars": heard, "typed": False},
        )
        for at, (text, speaker, began_ms, heard) in enumerate(lines)
    ]
    call = Call(id="c1", agent="bank", began_at=1_800_000_000.0)
    return CallHistory(call, items, [], [], [])


def told(text: str, heard: int | None) -> str:
    if heard is not None and heard < len(text):
        text = f"{text[:heard].rstrip()} …" if text[:heard].rstrip() else ""
    return " ".join(text.replace("\0", " ").split())


@PATIENT
@given(LINES)
def test_every_line_is_a_cue_in_order_and_says_what_was_said(
    lines: list[tuple[str, Speaker, float, int | None]],
) -> None:
    written = as_vtt(call_of(lines))
    cues = webvtt.from_string(written).captions
    spoken = [line for line in lines if told(line[0], line[3])]
    spoken.sort(key=lambda each: max(round(each[2]), 0))
    assert len(cues) == len(spoken)
    begins = [cue.start_in_seconds for cue in cues]
    assert begins == sorted(begins)
    for cue, (text, speaker, began_ms, heard) in zip(cues, spoken, strict=True):
        assert abs(cue.start_time.in_milliseconds() - max(round(began_ms), 0)) == 0
        assert cue.end_time.in_milliseconds() > cue.start_time.in_milliseconds()
        assert re.fullmatch(r"<v (Caller|Agent)>[^<>]*", cue.raw_text)
        assert cue.raw_text.startswith(f"<v {speaker.value.title()}>")
        assert html.unescape(cue.raw_text.partition(">")[2]) == told(text, heard)


async def test_a_call_is_exported_with_everything_that_is_kept_of_it(store: Store) -> None:
    recorder = Recorder(store)
    opened(recorder)
    line = NoteLine("i1", Speaker.CALLER, "Ring 020 7946 0018", LineState.FINAL, 1_500)
    recorder.note("c1", line, 0)
    cut = NoteLine("i2", Speaker.AGENT, "Of course, and", LineState.CUT, 3_000, heard_chars=10)
    recorder.note("c1", cut, 0)
    asked = NoteTool("t1", "ring", '{"to": "+442079460018"}', ToolState.DONE, 20, "{}", 8.0)
    recorder.note("c1", asked, 0)
    recorder.close_call("c1", "goodbye", 160.0)
    await recorder.flush()

    found = await history(store, "c1")
    assert found is not None
    told = json.loads(as_json(found))
    assert told["schema"] == "switchboard.call/1"
    assert told["call"]["endReason"] == "goodbye"
    assert [each["text"] for each in told["lines"]] == ["Ring [phone]", "Of course, and"]
    assert told["toolCalls"][0]["arguments"] == '{"to": "[phone]"}'
    assert as_vtt(found) == (
        "WEBVTT\n\nNOTE Call c1 with bank, began 1970-01-01T00:01:40+00:00\n\n"
        "00:00:01.500 --> 00:00:02.500\n<v Caller>Ring [phone]\n\n"
        "00:00:03.000 --> 00:00:04.000\n<v Agent>Of course, …\n"
    )
