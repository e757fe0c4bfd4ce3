"""What the dialect makes of frames, scene by scene, and what it never does, whatever it is told."""

from collections.abc import Mapping
from typing import Any, Final, cast

import hypothesis.strategies as st
import pytest
from azure.ai.voicelive.models import ServerEvent
from hypothesis import given, settings

from switchboard_local.realtime.effects import Send
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session import RealtimeSession
from switchboard_local.realtime.session_object import Session as GaSession
from switchboard_local.realtime.session_object import updated as ga_updated
from switchboard_local.realtime.wire import SessionUpdate, decode
from switchboard_local.voice_live.as_ga import session_as_ga
from switchboard_local.voice_live.dialect import VoiceLive, from_ga, to_ga
from switchboard_local.voice_live.doorway import judge
from switchboard_local.voice_live.session_object import Session
from tests.local.realtime.bench import Bench
from tests.local.realtime.doubles import silence, tone

type Json = dict[str, Any]

PLAIN: Final = Session(model="gpt-4.1")
AGENT: Final = Session(model="gpt-4.1", agent={"type": "agent", "name": "desk"})


def refused(event: Json, session: Session = PLAIN) -> Refused:
    with pytest.raises(Refused) as refusal:
        to_ga(event, session)
    return refusal.value


def configured(**patch: object) -> Json:
    """The GA session that a Voice Live patch comes to."""
    event, _ = to_ga({"type": "session.update", "session": patch}, PLAIN)
    return event["session"]


# -- in -----------------------------------------------------------------------------------------


def test_a_voice_of_azures_becomes_a_name_and_a_speed() -> None:
    voice = {"type": "azure-standard", "name": "en-US-Ava", "rate": "1.25", "style": "calm"}
    output = configured(voice=voice)["audio"]["output"]
    assert (output["voice"], output["speed"]) == ("en-US-Ava", 1.25)


@pytest.mark.parametrize("voice", ["alloy", {"type": "openai", "name": "alloy"}])
def test_openais_voices_may_be_names_or_objects(voice: object) -> None:
    assert configured(voice=voice)["audio"]["output"]["voice"] == "alloy"


def test_silence_ends_a_turn_and_the_end_of_an_utterance_may_end_it_sooner() -> None:
    by_silence = {"type": "azure_semantic_vad", "silence_duration_ms": 700, "threshold": 0.3}
    by_meaning = {
        **by_silence,
        "interrupt_response": False,
        "end_of_utterance_detection": {"model": "semantic_detection_v1", "timeout_ms": 900},
    }
    silent = configured(turn_detection=by_silence)["audio"]["input"]["turn_detection"]
    meant = configured(turn_detection=by_meaning)["audio"]["input"]["turn_detection"]
    assert (silent["type"], silent["silence_duration_ms"]) == ("server_vad", 700)
    assert (meant["type"], meant["interrupt_response"]) == ("semantic_vad", False)
    assert configured(turn_detection=None)["audio"]["input"]["turn_detection"] is None


def test_what_the_client_does_not_mention_stays_as_it_was() -> None:
    first = {"type": "session.update", "session": {"voice": "alloy", "instructions": "Be brief."}}
    _, asked = to_ga(first, PLAIN)
    event, asked = to_ga({"type": "session.update", "session": {"instructions": ""}}, asked)
    assert event["session"]["audio"]["output"]["voice"] == "alloy"
    assert asked.instructions == ""


def test_what_the_agent_said_is_text_here_and_output_text_there() -> None:
    item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]}
    event, _ = to_ga({"type": "conversation.item.create", "item": item}, PLAIN)
    assert event["item"]["content"] == [{"type": "output_text", "text": "Hi."}]
    decode(event, 100)


def test_a_response_says_the_same_in_other_words() -> None:
    response = {
        "commit": False,
        "modalities": ["text"],
        "input_items": [],
        "max_output_tokens": 7,
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "metadata": {"a": "b"},
    }
    event, _ = to_ga({"type": "response.create", "response": response, "event_id": "e"}, PLAIN)
    assert event == {
        "type": "response.create",
        "event_id": "e",
        "response": {
            "conversation": "none",
            "output_modalities": ["text"],
            "input": [],
            "max_output_tokens": 7,
            "tool_choice": {"type": "function", "name": "f"},
            "metadata": {"a": "b"},
        },
    }
    decode(event, 100)


@pytest.mark.parametrize(
    ("patch", "code", "param"),
    [
        ({"model": "gpt-4o"}, "invalid_value", "session.model"),
        ({"turn_up": True}, "unknown_parameter", "session.turn_up"),
        ({"output_modalities": ["audio"]}, "unknown_parameter", "session.output_modalities"),
        ({"avatar": {"character": "lisa"}}, "invalid_value", "session.avatar"),
        ({"voice": {"type": "azure-standard"}}, "missing_required_parameter", "session.voice.name"),
        (
            {"voice": {"type": "azure-standard", "name": "a", "rate": "1.6"}},
            "invalid_value",
            "session.voice.rate",
        ),
        (
            {"input_audio_format": "g711_ulaw", "input_audio_sampling_rate": 16000},
            "invalid_value",
            "session.input_audio_sampling_rate",
        ),
        ({"turn_detection": {"type": "odd"}}, "invalid_value", "session.turn_detection"),
        (
            {"turn_detection": {"type": "server_vad", "eagerness": "low"}},
            "unknown_parameter",
            "session.turn_detection.eagerness",
        ),
    ],
)
def test_a_wrong_session_is_refused_by_the_name_the_client_used(
    patch: Json, code: str, param: str
) -> None:
    refusal = refused({"type": "session.update", "session": patch})
    assert (refusal.code, refusal.param) == (code, param)


@pytest.mark.parametrize("name", ["instructions", "tools", "tool_choice", "temperature"])
def test_what_an_agent_brings_is_its_own(name: str) -> None:
    refusal = refused({"type": "session.update", "session": {name: "x"}}, AGENT)
    assert refusal.param == f"session.{name}"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "output_audio_buffer.clear"},
        {"type": "response.create", "response": {"pre_generated_assistant_message": {}}},
        {"type": "response.create", "response": {"output_modalities": ["text"]}},
        {"type": "response.create", "additional_instructions": 7},
    ],
)
def test_what_the_local_cloud_has_not_is_refused(event: Json) -> None:
    refused(event)


# -- out ----------------------------------------------------------------------------------------


def test_a_voice_that_is_settled_is_refused_by_the_name_the_client_used() -> None:
    error = {"code": "cannot_update_voice", "param": "session.audio.output.voice"}
    said = from_ga({"type": "error", "event_id": "e", "error": error}, PLAIN)
    assert said is not None
    assert said["error"]["param"] == "session.voice"


def test_settings_are_shown_as_they_were_put_and_only_once_agreed() -> None:
    dialect = VoiceLive(PLAIN)
    created: Json = {"type": "session.created", "session": {"id": "s", "expires_at": 7}}
    dialect.inward({"type": "session.update", "session": {"voice": "alloy"}})
    before, after = (
        dialect.outward(created),
        dialect.outward({**created, "type": "session.updated"}),
    )
    assert before is not None
    assert after is not None
    assert before["session"]["voice"]["type"] == "azure-standard"
    assert (after["session"]["voice"], after["session"]["expires_at"]) == ("alloy", 7)


# -- whatever happens ---------------------------------------------------------------------------

EOU = st.fixed_dictionaries(
    {"model": st.sampled_from(["semantic_detection_v1", "semantic_detection_v1_multilingual"])},
    optional={
        "threshold_level": st.sampled_from(["low", "medium", "high", "default"]),
        "timeout_ms": st.integers(0, 10_000),
    },
)
VAD: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "threshold": st.floats(0, 1),
    "prefix_padding_ms": st.integers(0, 5000),
    "silence_duration_ms": st.integers(0, 10_000),
    "end_of_utterance_detection": st.none() | EOU,
    "create_response": st.booleans(),
    "interrupt_response": st.booleans(),
}
TURNS = (
    st.none()
    | st.fixed_dictionaries({"type": st.just("server_vad")}, optional=VAD)
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["azure_semantic_vad", "azure_semantic_vad_multilingual"])},
        optional={**VAD, "remove_filler_words": st.booleans()},
    )
    | st.fixed_dictionaries({"type": st.just("semantic_vad")})
)
WORDS = st.text(min_size=1, max_size=20)
VOICES = (
    WORDS
    | st.fixed_dictionaries({"type": st.just("openai"), "name": WORDS})
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["azure-standard"]), "name": WORDS},
        optional={"rate": st.sampled_from(["0.5", "1", "1.15", "1.5"]), "style": WORDS},
    )
)
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "modalities": st.sampled_from([["text"], ["text", "audio"], ["audio"]]),
        "voice": VOICES,
        "instructions": st.text(max_size=50),
        "input_audio_sampling_rate": st.sampled_from([8000, 16000, 24000]),
        "output_audio_format": st.sampled_from(["pcm16", "pcm16_8000hz", "g711_alaw"]),
        "turn_detection": TURNS,
        "input_audio_noise_reduction": st.none()
        | st.fixed_dictionaries({"type": st.sampled_from(["azure_deep_noise_suppression"])}),
        "input_audio_transcription": st.none()
        | st.fixed_dictionaries(
            {"model": WORDS}, optional={"phrase_list": st.lists(WORDS, max_size=3)}
        ),
        "temperature": st.floats(0.6, 1.2),
        "max_response_output_tokens": st.integers(1, 4096) | st.just("inf"),
        "reasoning_effort": st.sampled_from(["none", "minimal", "xhigh"]),
    },
)


@settings(deadline=None)
@given(st.lists(PATCHES, max_size=4))
def test_every_session_it_accepts_the_ga_session_accepts_and_it_is_shown_as_it_was_put(
    patches: list[Json],
) -> None:
    session, put = PLAIN, dict[str, Any]()
    ga = ga_updated(GaSession(type="realtime", model=PLAIN.model), session_as_ga(PLAIN))
    for patch in patches:
        event, session = to_ga({"type": "session.update", "session": patch}, session)
        ga = ga_updated(ga, event["session"])
        put |= patch
    shown = session.wire()
    for name, value in put.items():
        if value is None:
            assert shown.get(name) is None
        elif isinstance(value, dict):
            pairs = cast("Json", value).items()
            said: Json = {key: each for key, each in pairs if each is not None}
            assert said.items() <= shown[name].items()
        else:
            assert shown[name] == value
    # A second telling of all of it changes nothing: nothing is forgotten on the way.
    assert ga_updated(ga, session_as_ga(session)) == ga


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "role", "content", "voice", "item", "tools", "name", "function", "model"]
            )
            | st.text(max_size=6),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    kind=st.sampled_from(
        ["session.update", "response.create", "conversation.item.create", "input_text.delta"]
    ),
    field=st.sampled_from(["session", "response", "item", "additional_instructions"]),
    value=JSON,
    agent=st.booleans(),
)
def test_no_client_can_make_it_fail_other_than_in_words(
    kind: str, field: str, value: object, agent: bool
) -> None:
    session = AGENT if agent else PLAIN
    try:
        event, _ = to_ga({"type": kind, field: value}, session)
        decode(event, 100)
    except Refused:
        pass


def told(dialect: VoiceLive, bench: Bench) -> list[Any]:
    """All that the session on the bench has sent, as the SDK reads it; only known events do."""
    events = [said for event in bench.events if (said := dialect.outward(event)) is not None]
    read = cast("list[Any]", [ServerEvent._deserialize(event, []) for event in events])  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType] - how the SDK reads a frame
    assert ServerEvent not in {type(event) for event in read}
    return read


@pytest.mark.parametrize("aloud", [True, False])
def test_every_event_of_a_whole_conversation_is_one_the_sdk_knows(aloud: bool) -> None:
    dialect, bench = VoiceLive(PLAIN), Bench()
    patch: Json = {
        "modalities": ["text", "audio"] if aloud else ["text"],
        "input_audio_transcription": {"model": "azure-speech"},
        "turn_detection": {"type": "azure_semantic_vad", "silence_duration_ms": 300},
        "tools": [{"type": "function", "name": "f"}],
    }
    for event in (
        {"type": "session.update", "session": patch},
        {"type": "response.create"},
        {"type": "response.cancel", "event_id": "nothing_runs"},
    ):
        bench.take(bench.session.apply(decode(dialect.inward(event), 100)))
    bench.take(bench.session.hear(silence(200) + tone(600) + silence(600)))
    kinds = {event.type for event in told(dialect, bench)}
    assert {"session.created", "session.updated", "response.created"} <= kinds
    assert {"input_audio_buffer.speech_started", "conversation.item.created"} <= kinds
    assert not {kind for kind in kinds if "output_text" in kind or "output_audio" in kind}


def test_a_session_opens_with_voice_lives_own_defaults() -> None:
    bench = Bench()
    session: RealtimeSession = bench.session
    effects = session.apply(SessionUpdate(type="session.update", session=session_as_ga(PLAIN)))
    (sent,) = [effect.event for effect in effects if isinstance(effect, Send)]
    turns = sent["session"]["audio"]["input"]["turn_detection"]
    assert (turns["type"], turns["prefix_padding_ms"]) == ("server_vad", 400)


# -- the door -----------------------------------------------------------------------------------

VERSION: Final = {"api-version": "2026-07-15"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({**VERSION, "model": "m"}, None),
        ({**VERSION, "agent-name": "a", "agent-project-name": "p"}, None),
        ({**VERSION, "model": "m", "profile": "byom-azure-openai-realtime"}, None),
        ({"model": "m"}, 400),
        ({"api-version": "2024-01-01", "model": "m"}, 400),
        (VERSION, 400),
        ({**VERSION, "model": "m" * 201}, 400),
        ({**VERSION, "agent-name": "a"}, 400),
        ({**VERSION, "agent-project-name": "p"}, 400),
        ({**VERSION, "agent-id": "a", "agent-access-token": "t"}, 400),
        ({**VERSION, "model": "m", "profile": "odd"}, 400),
    ],
)
def test_what_a_session_is_asked_for_with(query: Mapping[str, str], status: int | None) -> None:
    refusal = judge(query)
    assert (refusal and refusal.status) == status
