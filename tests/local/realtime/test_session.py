"""Scenes of one session: who says what, and what the client is sent, in which order."""

import json
from base64 import b64decode, b64encode

import pytest

from switchboard_local.realtime.reply import SentenceBegun, Sound, ToolWanted, Words
from tests.local.realtime.bench import Bench, Event, kinds, only
from tests.local.realtime.doubles import silence, tone

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
BEGINNING = ["response.created", "rate_limits.updated"]
MESSAGE_BEGINS = [
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
]
MESSAGE_ENDS = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
]


def hello(bench: Bench, text: str = "hello") -> None:
    """The caller writes something."""
    part = {"type": "input_text", "text": text}
    bench.client(
        "conversation.item.create", item={"type": "message", "role": "user", "content": [part]}
    )


def error_of(events: list[Event] | object) -> Event:
    assert isinstance(events, list)
    return only(events, "error")["error"]  # pyright: ignore[reportUnknownArgumentType]


def test_a_session_opens_with_all_its_settings() -> None:
    bench = Bench()
    assert kinds(bench.events) == ["session.created", "conversation.created"]
    session = bench.events[0]["session"]
    assert session["model"] == "gpt-realtime"
    assert session["expires_at"] == 4_000_000_000
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"


def test_a_spoken_turn_is_answered_in_the_documented_order() -> None:
    bench = Bench()
    bench.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    heard = bench.turn(text="what is my balance")
    assert kinds(heard) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        *BEGINNING,
    ]
    assert len({event["item_id"] for event in heard if "item_id" in event}) == 1
    said = [*bench.say("Ten pounds."), *bench.finish()]
    assert kinds(said) == [
        *MESSAGE_BEGINS,
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        *MESSAGE_ENDS,
        "response.done",
    ]
    done = said[-1]["response"]
    assert done["status"] == "completed"
    assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": "Ten pounds."}]


def test_the_mind_reads_the_callers_words_even_when_the_client_asked_for_no_transcript() -> None:
    bench = Bench()
    heard = bench.turn(text="what is my balance")
    assert not [kind for kind in kinds(heard) if "transcription" in kind]
    request = bench.session.request(bench.making[-1])
    assert request is not None
    assert request.items[0]["content"][0]["transcript"] == "what is my balance"


def test_a_reply_waits_for_the_ears() -> None:
    bench = Bench()
    bench.hear(silence(200), tone(600), silence(800))
    reply_id = bench.making[-1]
    assert bench.session.request(reply_id) is None
    bench.understand("late words")
    request = bench.session.request(reply_id)
    assert request is not None
    assert request.items[0]["content"][0]["transcript"] == "late words"


def test_a_pause_is_transcribed_on_speculation_and_forgotten_when_speech_goes_on() -> None:
    bench = Bench()
    bench.hear(tone(600), silence(260))
    assert len(bench.ears) == 1
    first = next(iter(bench.ears))
    bench.hear(tone(300))
    assert not bench.ears
    assert not bench.take(bench.session.transcribed(first, "half a sentence"))
    bench.hear(silence(260))
    assert list(bench.ears) != [first]
    bench.understand("the whole sentence")
    bench.hear(silence(300))
    request = bench.session.request(bench.making[-1])
    assert request is not None
    assert request.items[0]["content"][0]["transcript"] == "the whole sentence"


def test_ears_that_fail_are_reported_and_do_not_hold_up_the_turn() -> None:
    bench = Bench()
    bench.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    bench.hear(tone(600), silence(800))
    events = bench.understand(None)
    failed = only(events, "conversation.item.input_audio_transcription.failed")
    assert failed["error"]["message"]
    assert bench.session.request(bench.making[-1]) is not None


def test_semantic_turns_wait_longer_for_a_sentence_that_is_not_finished() -> None:
    waits: dict[str, int] = {}
    for text in ("I would like to", "Please block my card."):
        bench = Bench()
        turns = {"type": "semantic_vad", "eagerness": "high"}
        bench.update(audio={"input": {"turn_detection": turns}})
        bench.hear(tone(900), silence(250))
        bench.understand(text)
        waits[text] = 0
        while not bench.making:
            bench.hear(silence(20))
            waits[text] += 20
    assert waits["I would like to"] > 1500
    assert waits["Please block my card."] < 400


def test_without_turn_detection_the_client_commits_and_asks() -> None:
    bench = Bench()
    bench.update(audio={"input": {"turn_detection": None}})
    assert not bench.hear(silence(200), tone(600), silence(900))
    assert kinds(bench.client("input_audio_buffer.commit")) == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert len(next(iter(bench.ears.values()))) == 1700 * 48
    assert kinds(bench.client("response.create")) == BEGINNING


def test_an_empty_buffer_cannot_be_committed() -> None:
    bench = Bench()
    error = error_of(bench.client("input_audio_buffer.commit"))
    assert error["code"] == "input_audio_buffer_commit_empty"


def test_clearing_drops_the_open_turn() -> None:
    bench = Bench()
    bench.hear(tone(600))
    assert kinds(bench.client("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert not bench.hear(silence(1000))


def test_a_written_turn_is_answered_in_text_when_asked() -> None:
    bench = Bench()
    hello(bench)
    bench.client("response.create", response={"output_modalities": ["text"]})
    events = [*bench.piece(SentenceBegun("Hi you.")), *bench.piece(Words("Hi you."))]
    events += bench.finish()
    assert kinds(events) == [
        *MESSAGE_BEGINS,
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    assert events[-1]["response"]["output"][0]["content"] == [
        {"type": "output_text", "text": "Hi you."}
    ]


def test_a_tool_call_is_streamed_and_its_result_taken() -> None:
    bench = Bench()
    bench.update(tools=[WEATHER])
    hello(bench, "weather?")
    bench.client("response.create")
    arguments = json.dumps({"city": "Oslo", "days": [1, 2, 3, 4, 5, 6, 7, 8]})
    events = [*bench.piece(ToolWanted("get_weather", arguments)), *bench.finish()]
    assert kinds(events) == [
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    done = only(events, "response.function_call_arguments.done")
    assert done["arguments"] == arguments
    streamed = [e["delta"] for e in events if e["type"].endswith("arguments.delta")]
    assert "".join(streamed) == arguments
    assert events[-1]["response"]["output"][0]["call_id"] == done["call_id"]

    output = {"type": "function_call_output", "call_id": done["call_id"], "output": "rain"}
    assert kinds(bench.client("conversation.item.create", item=output)) == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    bench.client("response.create")
    request = bench.session.request(bench.making[-1])
    assert request is not None
    assert [item["type"] for item in request.items] == [
        "message",
        "function_call",
        "function_call_output",
    ]


def test_a_result_for_no_call_is_refused() -> None:
    bench = Bench()
    output = {"type": "function_call_output", "call_id": "call_x", "output": "{}"}
    error = error_of(bench.client("conversation.item.create", item=output))
    assert error["code"] == "invalid_tool_call_id"


def test_a_reply_may_speak_and_then_call_a_tool() -> None:
    bench = Bench()
    bench.client("response.create")
    bench.say("One moment.")
    bench.piece(ToolWanted("look_up", "{}"))
    done = bench.finish()[-1]["response"]
    assert [item["type"] for item in done["output"]] == ["message", "function_call"]


def test_a_second_reply_to_the_conversation_is_refused() -> None:
    bench = Bench()
    bench.client("response.create")
    error = error_of(bench.client("response.create", event_id="mine"))
    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] == "mine"
    assert len(bench.making) == 1


def test_replies_out_of_band_run_beside_and_leave_no_trace() -> None:
    bench = Bench()
    hello(bench)
    bench.client("response.create")
    part = {"type": "input_text", "text": "classify"}
    side = {
        "conversation": "none",
        "metadata": {"topic": "mood"},
        "output_modalities": ["text"],
        "instructions": "Say the mood.",
        "input": [{"type": "message", "role": "user", "content": [part]}],
    }
    created = only(bench.client("response.create", response=side), "response.created")
    assert created["response"]["conversation_id"] is None
    assert created["response"]["metadata"] == {"topic": "mood"}
    side_id = bench.making[-1]
    request = bench.session.request(side_id)
    assert request is not None
    assert len(request.items) == 1
    assert request.response_instructions == "Say the mood."
    said = [*bench.piece(Words("calm"), side_id), *bench.finish(side_id)]
    assert not [kind for kind in kinds(said) if kind.startswith("conversation.")]
    bench.say("Hello!")
    bench.finish()
    bench.client("response.create")
    request = bench.session.request(bench.making[-1])
    assert request is not None
    assert [item["role"] for item in request.items] == ["user", "assistant"]


def test_too_many_replies_out_of_band_are_refused() -> None:
    bench = Bench()
    for _ in range(8):
        bench.client("response.create", response={"conversation": "none"})
    error = error_of(bench.client("response.create", response={"conversation": "none"}))
    assert error["code"] == "too_many_responses"
    assert kinds(bench.client("response.create")) == BEGINNING


def test_a_response_may_refer_to_items_of_the_conversation() -> None:
    bench = Bench()
    hello(bench, "one")
    hello(bench, "two")
    first = next(e for e in bench.events if e["type"] == "conversation.item.added")["item"]["id"]
    reference = {"type": "item_reference", "id": first}
    bench.client("response.create", response={"conversation": "none", "input": [reference]})
    request = bench.session.request(bench.making[-1])
    assert request is not None
    assert request.items[0]["content"][0]["text"] == "one"
    missing = {"type": "item_reference", "id": "item_x"}
    error = error_of(bench.client("response.create", response={"input": [missing]}))
    assert error["code"] == "item_reference_invalid_item_id"


def test_speech_cuts_the_reply_off_and_late_audio_leaks_before_the_end() -> None:
    bench = Bench()
    hello(bench)
    bench.client("response.create")
    bench.say("A long story about", 800)
    begun = bench.hear(tone(200))
    assert kinds(begun) == ["input_audio_buffer.speech_started"]
    reply_id = bench.making[-1]
    assert bench.stopping == [reply_id]
    late = [*bench.piece(Sound(tone(100))), *bench.piece(Sound(tone(100)))]
    assert kinds(late) == ["response.output_audio.delta"]
    assert not bench.piece(Words(" more")), "words are not leaked"
    end = bench.finish()
    assert kinds(end) == [*MESSAGE_ENDS, "response.done"]
    response = end[-1]["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert response["output"][0]["status"] == "incomplete"


def test_speech_lets_the_reply_go_on_when_the_session_says_so() -> None:
    bench = Bench()
    turns = {"type": "server_vad", "interrupt_response": False}
    bench.update(audio={"input": {"turn_detection": turns}})
    bench.client("response.create")
    events = bench.turn()
    assert not bench.stopping
    assert error_of(list(events))["code"] == "conversation_already_has_active_response"


def test_truncation_leaves_the_mind_only_what_was_heard() -> None:
    bench = Bench()
    hello(bench)
    bench.client("response.create")
    bench.say("One two three four five six seven eight.", 4000)
    bench.say("Nine ten.", 1000)
    item_id = bench.finish()[-1]["response"]["output"][0]["id"]
    cut = bench.client(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=2000
    )
    assert cut[0]["type"] == "conversation.item.truncated"
    assert cut[0]["audio_end_ms"] == 2000
    shown = bench.client("conversation.item.retrieve", item_id=item_id)
    transcript = shown[0]["item"]["content"][0]["transcript"]
    assert transcript == "One two three four"
    bench.client("response.create")
    request = bench.session.request(bench.making[-1])
    assert request is not None
    assert request.items[1]["content"][0]["transcript"] == transcript


@pytest.mark.parametrize("audio_end_ms", [1002, 5000])
def test_what_was_never_said_cannot_be_truncated(audio_end_ms: int) -> None:
    bench = Bench()
    bench.client("response.create")
    bench.say("Hello there.", 1000)
    item_id = bench.finish()[-1]["response"]["output"][0]["id"]
    error = error_of(
        bench.client(
            "conversation.item.truncate",
            item_id=item_id,
            content_index=0,
            audio_end_ms=audio_end_ms,
        )
    )
    assert error["code"] == "invalid_value"
    assert "already shorter" in error["message"]


def test_only_the_agents_audio_can_be_truncated() -> None:
    bench = Bench()
    hello(bench)
    item_id = bench.events[-1]["item"]["id"]
    where = {"content_index": 0, "audio_end_ms": 0}
    assert error_of(bench.client("conversation.item.truncate", item_id=item_id, **where))
    unknown = error_of(bench.client("conversation.item.truncate", item_id="item_x", **where))
    assert unknown["code"] == "item_truncate_invalid_item_id"


def test_truncation_in_the_middle_of_a_reply_holds_when_it_ends() -> None:
    bench = Bench()
    bench.client("response.create")
    bench.say("One two three four.", 2000)
    item_id = bench.events[-1]["item_id"]
    bench.client("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1000)
    bench.say("Five six.", 1000)
    done = bench.finish()[-1]["response"]
    assert done["output"][0]["content"][0]["transcript"] == "One two"


def test_the_client_may_cancel_once() -> None:
    bench = Bench()
    bench.client("response.create")
    assert not bench.client("response.cancel")
    assert error_of(bench.client("response.cancel"))["code"] == "response_cancel_not_active"
    response = bench.finish()[-1]["response"]
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}


def test_cancelling_when_nothing_runs_is_a_harmless_error() -> None:
    assert error_of(Bench().client("response.cancel"))["code"] == "response_cancel_not_active"


def test_a_reply_stops_at_its_token_limit() -> None:
    bench = Bench()
    bench.client("response.create", response={"max_output_tokens": 30})
    bench.say("Short enough.", 1000)
    assert not bench.stopping
    bench.say("But this is too much.", 1000)
    assert bench.stopping
    response = bench.finish()[-1]["response"]
    assert response["status"] == "incomplete"
    assert response["status_details"]["reason"] == "max_output_tokens"
    assert response["usage"]["output_tokens"] <= 30


def test_a_reply_that_breaks_says_so_and_the_session_goes_on() -> None:
    bench = Bench()
    bench.client("response.create")
    response = bench.finish(error="The voice broke.")[-1]["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["message"] == "The voice broke."
    assert kinds(bench.client("response.create")) == BEGINNING


def test_usage_is_counted_and_the_second_prompt_is_partly_cached() -> None:
    bench = Bench()
    bench.update(instructions="Be kind. " * 100)
    bench.turn()
    bench.say("Hello there.", 1000)
    first = bench.finish()[-1]["response"]["usage"]
    assert first["output_token_details"] == {"text_tokens": 3, "audio_tokens": 20}
    assert first["input_token_details"]["cached_tokens"] == 0
    assert first["input_token_details"]["audio_tokens"] > 5
    assert first["total_tokens"] == first["input_tokens"] + first["output_tokens"]
    bench.turn()
    second = bench.finish()[-1]["response"]["usage"]
    cached = second["input_token_details"]["cached_tokens"]
    assert 0 < cached < second["input_tokens"]
    assert cached % 64 == 0


def test_a_silent_caller_is_prompted_once_the_reply_has_been_played() -> None:
    bench = Bench()
    turns = {"type": "server_vad", "idle_timeout_ms": 5000}
    bench.update(audio={"input": {"turn_detection": turns}})
    bench.client("response.create")
    bench.say("Are you there?", 3000)
    bench.finish()
    bench.hear(silence(8000))
    assert not bench.tick(7.9)
    prompted = bench.tick(0.2)
    assert kinds(prompted) == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        *BEGINNING,
    ]
    assert prompted[0]["audio_end_ms"] - prompted[0]["audio_start_ms"] == 5000
    assert not bench.tick(100)


def test_a_caller_who_speaks_is_not_prompted() -> None:
    bench = Bench()
    turns = {"type": "server_vad", "idle_timeout_ms": 5000}
    bench.update(audio={"input": {"turn_detection": turns}})
    bench.client("response.create")
    bench.finish()
    bench.hear(tone(400))
    assert not bench.tick(60)


def test_the_voice_is_settled_once_heard() -> None:
    bench = Bench()
    bench.update(audio={"output": {"voice": "cedar"}})
    bench.client("response.create")
    bench.say("Hello.")
    bench.finish()
    error = error_of(bench.update(audio={"output": {"voice": "marin"}}))
    assert error["code"] == "cannot_update_voice"
    again = {"audio": {"output": {"voice": "marin"}}}
    assert error_of(bench.client("response.create", response=again))
    assert kinds(bench.update(audio={"output": {"voice": "cedar"}})) == ["session.updated"]


def test_the_model_never_changes() -> None:
    bench = Bench()
    assert error_of(bench.update(model="another"))["param"] == "session.model"
    assert kinds(bench.update(model="gpt-realtime")) == ["session.updated"]


def test_updates_change_only_what_they_name() -> None:
    bench = Bench()
    bench.update(instructions="Be brief.", tools=[WEATHER])
    turns = {"threshold": 0.8}
    session = bench.update(audio={"input": {"turn_detection": turns}})[0]["session"]
    assert session["instructions"] == "Be brief."
    assert session["tools"][0]["name"] == "get_weather"
    assert session["audio"]["input"]["turn_detection"]["threshold"] == 0.8
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
    session = bench.update(instructions="", tools=[])[0]["session"]
    assert session["instructions"] == ""
    assert session["tools"] == []


def test_items_keep_their_places() -> None:
    bench = Bench()
    hello(bench, "one")
    one = bench.events[-1]["item"]["id"]
    item = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "0"}]}
    added = bench.client("conversation.item.create", item=item, previous_item_id="root")
    assert added[0]["previous_item_id"] is None
    added = bench.client(
        "conversation.item.create", item={**item, "id": "my_own"}, previous_item_id=one
    )
    assert added[0]["previous_item_id"] == one
    assert added[0]["item"]["id"] == "my_own"
    error = error_of(bench.client("conversation.item.create", item={**item, "id": "my_own"}))
    assert error["code"] == "item_create_duplicate_id"
    error = error_of(bench.client("conversation.item.create", item=item, previous_item_id="nobody"))
    assert error["code"] == "item_create_invalid_previous_item_id"
    bench.client("conversation.item.delete", item_id=one)
    error = error_of(bench.client("conversation.item.delete", item_id=one))
    assert error["code"] == "item_delete_invalid_item_id"


def test_audio_brought_in_an_item_is_understood_and_given_back() -> None:
    bench = Bench()
    pcm = tone(300)
    part = {"type": "input_audio", "audio": b64encode(pcm).decode()}
    item = {"id": "spoken", "type": "message", "role": "user", "content": [part]}
    added = bench.client("conversation.item.create", item=item)
    assert "audio" not in added[0]["item"]["content"][0]
    bench.understand("from a file")
    shown = bench.client("conversation.item.retrieve", item_id="spoken")[0]["item"]
    assert b64decode(shown["content"][0]["audio"]) == pcm
    bench.client("response.create")
    request = bench.session.request(bench.making[-1])
    assert request is not None
    assert request.items[0]["content"][0]["transcript"] == "from a file"


def test_the_output_buffer_is_not_the_services_over_a_socket() -> None:
    assert error_of(Bench().client("output_audio_buffer.clear"))


def test_g711_is_heard_and_spoken() -> None:
    bench = Bench()
    law = {"type": "audio/pcmu"}
    bench.update(audio={"input": {"format": law}, "output": {"format": law}})
    loud, quiet = (b"\x10" * 8 + b"\x90" * 8) * 500, b"\xff" * 8000
    events = [*bench.take(bench.session.hear(loud)), *bench.take(bench.session.hear(quiet))]
    assert "input_audio_buffer.speech_stopped" in kinds(events)
    bench.say("Hello.", 1000)
    bench.finish()
    deltas = [e["delta"] for e in bench.events if e["type"] == "response.output_audio.delta"]
    assert sum(len(b64decode(delta)) for delta in deltas) == pytest.approx(8000, abs=80)
