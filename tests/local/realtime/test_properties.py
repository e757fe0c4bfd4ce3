"""Whatever happens in whatever order, a session keeps the dialect's promises."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.reply import (
    SentenceBegun,
    SentenceOver,
    Sound,
    ToolWanted,
    Words,
)
from switchboard_local.realtime.wire import decode, parse
from tests.local.realtime.bench import Bench, Event
from tests.local.realtime.doubles import silence, tone

AFTER: Final[Mapping[str, frozenset[str]]] = {
    "response.output_item.added": frozenset({"response.created", "response.output_item.done"}),
    "response.content_part.added": frozenset({"response.output_item.added"}),
    "response.function_call_arguments.done": frozenset(
        {"response.output_item.added", "response.function_call_arguments.delta"}
    ),
    "response.content_part.done": frozenset(
        {"response.output_audio_transcript.done", "response.output_text.done"}
    ),
    "response.output_item.done": frozenset(
        {"response.content_part.done", "response.function_call_arguments.done"}
    ),
    "response.done": frozenset({"response.created", "response.output_item.done"}),
}
"""Which event of the same response may come right before."""


class Sessions(RuleBasedStateMachine):
    """A client, a caller, the ears and the engine, each doing as they please."""

    @initialize(
        vad=st.sampled_from(
            [
                None,
                {"type": "server_vad"},
                {"type": "server_vad", "idle_timeout_ms": 5000},
                {"type": "server_vad", "interrupt_response": False},
                {"type": "server_vad", "create_response": False},
                {"type": "semantic_vad", "eagerness": "high"},
            ]
        ),
        aloud=st.booleans(),
    )
    def open(self, vad: Mapping[str, Any] | None, aloud: bool) -> None:
        self.bench = Bench()
        self.bench.update(
            audio={"input": {"turn_detection": vad, "transcription": {"model": "whisper-1"}}},
            output_modalities=["audio" if aloud else "text"],
        )
        self.seen = 0
        self.last: dict[str, str] = {}
        self.ended: set[str] = set()
        self.items: list[str] = []
        self.open_default: str | None = None

    # The caller

    @rule(speech_ms=st.sampled_from([60, 200, 800]), pause_ms=st.sampled_from([0, 260, 700]))
    def caller_speaks(self, speech_ms: int, pause_ms: int) -> None:
        self.bench.hear(tone(speech_ms), silence(pause_ms))

    @rule(text=st.sampled_from(["", "yes", "I would like to", "block my card.", None]))
    def ears_answer(self, text: str | None) -> None:
        self.bench.understand(text)

    @rule(seconds=st.sampled_from([0.5, 6.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.tick(seconds)

    # The client

    @rule(beside=st.booleans(), tokens=st.sampled_from(["inf", 1, 40]))
    def client_asks_for_a_reply(self, beside: bool, tokens: int | str) -> None:
        conversation = "none" if beside else "auto"
        self.bench.client(
            "response.create", response={"conversation": conversation, "max_output_tokens": tokens}
        )

    @rule()
    def client_cancels(self) -> None:
        self.bench.client("response.cancel")

    @rule(kind=st.sampled_from(["commit", "clear"]))
    def client_handles_the_buffer(self, kind: str) -> None:
        self.bench.client(f"input_audio_buffer.{kind}")

    @rule(where=st.sampled_from([None, "root", "nobody"]))
    def client_writes(self, where: str | None) -> None:
        part = {"type": "input_text", "text": "hello"}
        item = {"type": "message", "role": "user", "content": [part]}
        self.bench.client("conversation.item.create", item=item, previous_item_id=where)

    @precondition(lambda self: self.items)
    @rule(data=st.data(), verb=st.sampled_from(["retrieve", "delete"]))
    def client_handles_an_item(self, data: st.DataObject, verb: str) -> None:
        item_id = data.draw(st.sampled_from(self.items))
        self.bench.client(f"conversation.item.{verb}", item_id=item_id)

    @precondition(lambda self: self.items)
    @rule(data=st.data(), audio_end_ms=st.integers(0, 3000))
    def client_truncates(self, data: st.DataObject, audio_end_ms: int) -> None:
        item_id = data.draw(st.sampled_from(self.items))
        self.bench.client(
            "conversation.item.truncate",
            item_id=item_id,
            content_index=0,
            audio_end_ms=audio_end_ms,
        )

    @rule(vad=st.sampled_from([None, {"type": "server_vad"}, {"type": "semantic_vad"}]))
    def client_changes_turn_detection(self, vad: Mapping[str, Any] | None) -> None:
        self.bench.update(audio={"input": {"turn_detection": vad}})

    # The engine

    @precondition(lambda self: self.bench.making)
    @rule(data=st.data(), audio_ms=st.sampled_from([0, 300]))
    def engine_says(self, data: st.DataObject, audio_ms: int) -> None:
        reply_id = data.draw(st.sampled_from(self.bench.making))
        self.bench.piece(SentenceBegun("Some words."), reply_id)
        self.bench.piece(Words("Some words."), reply_id)
        if audio_ms and self.bench.session.plan(reply_id).aloud:
            self.bench.piece(Sound(tone(audio_ms)), reply_id)
        self.bench.piece(SentenceOver(), reply_id)

    @precondition(lambda self: self.bench.making)
    @rule(data=st.data())
    def engine_calls_a_tool(self, data: st.DataObject) -> None:
        reply_id = data.draw(st.sampled_from(self.bench.making))
        self.bench.piece(ToolWanted("look_up", '{"what": "it"}'), reply_id)

    @precondition(lambda self: self.bench.making)
    @rule(data=st.data(), error=st.sampled_from([None, "It broke."]))
    def engine_is_done(self, data: st.DataObject, error: str | None) -> None:
        self.bench.finish(data.draw(st.sampled_from(self.bench.making)), error)

    # The promises

    @invariant()
    def events_keep_the_order_of_the_dialect(self) -> None:
        for event in self.bench.events[self.seen :]:
            self._note(event)
        self.seen = len(self.bench.events)

    def _note(self, event: Event) -> None:
        kind: str = event["type"]
        if kind == "conversation.item.added":
            self.items.append(event["item"]["id"])
        if not kind.startswith("response."):
            return
        response_id = event.get("response_id") or event["response"]["id"]
        assert response_id not in self.ended, "nothing comes after response.done"
        before = self.last.get(response_id)
        assert (before is None) == (kind == "response.created")
        if before is not None and kind in AFTER:
            assert before in AFTER[kind], (before, kind)
        self.last[response_id] = kind
        if kind == "response.created" and event["response"]["conversation_id"]:
            assert self.open_default is None, "two replies to the conversation at once"
            self.open_default = response_id
        if kind == "response.done":
            self._note_end(response_id, event["response"])

    def _note_end(self, response_id: str, response: Event) -> None:
        self.ended.add(response_id)
        if self.open_default == response_id:
            self.open_default = None
        assert response["status"] != "in_progress"
        assert all(item["status"] != "in_progress" for item in response["output"])
        usage = response["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        if response["max_output_tokens"] != "inf":
            assert (
                usage["output_tokens"] <= response["max_output_tokens"]
                or response["status"] == "cancelled"
            )

    @invariant()
    def what_is_stopped_was_being_made(self) -> None:
        known = set(self.last)
        assert set(self.bench.stopping) <= known

    def teardown(self) -> None:
        """Whatever is still being made can be ended."""
        if not hasattr(self, "bench"):
            return
        for reply_id in list(self.bench.making):
            self.bench.finish(reply_id)
        self.events_keep_the_order_of_the_dialect()
        assert self.open_default is None


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS: Final[Sequence[str]] = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.delete",
    "conversation.item.truncate",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
)
FIELDS: Final = (
    "session",
    "audio",
    "item",
    "item_id",
    "previous_item_id",
    "content_index",
    "audio_end_ms",
    "response",
    "response_id",
    "event_id",
)
plausible = st.recursive(
    json_values,
    lambda inner: st.dictionaries(
        st.sampled_from(
            [
                *("type", "role", "content", "text", "audio", "input", "output", "format"),
                *("turn_detection", "tools", "name", "parameters", "instructions", "voice"),
                *("conversation", "metadata", "call_id", "arguments", "model", "transcription"),
            ]
        ),
        inner
        | st.sampled_from(
            ["realtime", "message", "user", "input_text", "function", "server_vad", "audio/pcm"]
        ),
        max_size=6,
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        parse(text)
    except Refused as refused:
        assert refused.code in {"invalid_json", "invalid_event"}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), plausible, max_size=4)
        ),
        max_size=5,
    )
)
def test_no_event_breaks_a_session(events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    bench = Bench()
    for kind, fields in events:
        try:
            event = decode({"type": kind, **fields}, 100)
        except Refused as refused:
            assert refused.code
            continue
        bench.take(bench.session.apply(event))
    bench.hear(tone(300), silence(600))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=5000))
def test_any_bytes_are_audio(data: bytes) -> None:
    for format in ("audio/pcm", "audio/pcmu", "audio/pcma"):
        bench = Bench()
        bench.update(audio={"input": {"format": {"type": format}}})
        bench.take(bench.session.hear(data))
        part = {"type": "input_audio", "audio": b64encode(data).decode()}
        item = {"type": "message", "role": "user", "content": [part]}
        bench.client("conversation.item.create", item=item)
