"""Models on Voice Live: what may be said of them, and what a session comes to."""

import json
from copy import deepcopy
from typing import Any

import pytest

from switchboard.agents.config import ModelEntry, VoiceEntry
from switchboard.agents.roster import Roster
from switchboard.agents.serving import rules_of, session_of
from switchboard.conversation.session import Service, SessionSpec
from switchboard.errors import ConfigurationError, NotAllowed
from tests.agents.house import CONFIG, House
from tests.agents.test_profile import profile

AVA: dict[str, Any] = {"id": "ava", "title": "Ava", "azure": {"name": "en-US-Ava", "style": "calm"}}
NATIVE: dict[str, Any] = {
    "id": "live",
    "title": "Live",
    "service": "voice_live",
    "model": "gpt-realtime-2.1",
}
READER: dict[str, Any] = {
    "id": "reader",
    "title": "Reader",
    "service": "voice_live",
    "model": "gpt-4.1",
    "voice": "ava",
}


def model(**changes: object) -> ModelEntry:
    return ModelEntry.model_validate_json(json.dumps({**NATIVE, **changes}))


def voice(**changes: object) -> VoiceEntry:
    given = {"id": "ash", "title": "Ash", **changes}
    return VoiceEntry.model_validate_json(json.dumps(given))


def spec_of(model: ModelEntry, voice: VoiceEntry, **agent: object) -> SessionSpec:
    return session_of(profile(**agent), [], model, voice)


def roster_with(house: House, *models: dict[str, Any]) -> Roster:
    config = deepcopy(CONFIG)
    config["models"].extend(models)
    config["voices"].append(AVA)
    house.write(config)
    return house.book().edition.roster


def test_a_model_that_says_nothing_else_is_on_azure_openai() -> None:
    plain = ModelEntry(id="big", title="Big")
    spec = spec_of(plain, voice())
    assert (spec.service, spec.model, spec.voice_object) == (Service.AZURE_OPENAI, "big", None)
    assert spec.turn_detection is not None
    assert spec.turn_detection["type"] == "server_vad"


def test_voice_live_listens_in_its_own_way_and_leaves_the_rest_to_the_agent() -> None:
    turns = {"type": "server_vad", "silence_duration_ms": 900, "interrupt_response": False}
    spec = spec_of(model(), voice(), turn_detection=turns, language="de", speed=1.2)
    assert (spec.service, spec.model) == (Service.VOICE_LIVE, "gpt-realtime-2.1")
    assert spec.turn_detection == {
        "type": "azure_semantic_vad",
        "threshold": 0.5,
        "silence_duration_ms": 500,
        "prefix_padding_ms": 420,
        "speech_duration_ms": 80,
        "remove_filler_words": False,
        "create_response": True,
        "interrupt_response": False,
    }
    assert spec.noise_reduction == "azure_deep_noise_suppression"
    assert spec.transcription == {"model": "whisper-1", "language": "de"}
    assert (spec.voice, spec.voice_object, spec.extra) == ("ash", None, {})


def test_all_that_can_be_said_reaches_the_session() -> None:
    reader = model(
        model="gpt-4.1",
        voice_live={
            "turn_detection": {
                "type": "azure_semantic_vad_multilingual",
                "languages": ["en", "de"],
                "remove_filler_words": True,
                "end_of_utterance_detection": {"threshold_level": "high", "timeout_ms": 700},
            },
            "noise_reduction": None,
            "echo_cancellation": True,
            "transcription": {
                "model": "azure-speech",
                "language": "en-GB",
                "phrase_list": ["Northwind"],
                "custom_speech": {"en-GB": "trained-1"},
            },
            "interim_response": {
                "type": "static_interim_response",
                "triggers": ["latency"],
                "texts": ["One moment."],
            },
        },
    )
    ava = voice(id="ava", azure={"name": "en-US-Ava", "rate": 1.25, "style": "calm"})
    spec = spec_of(reader, ava)
    assert spec.turn_detection is not None
    assert spec.turn_detection["languages"] == ["en", "de"]
    assert spec.turn_detection["end_of_utterance_detection"] == {
        "model": "semantic_detection_v1",
        "threshold_level": "high",
        "timeout_ms": 700,
    }
    assert spec.noise_reduction is None
    assert spec.extra == {
        "input_audio_echo_cancellation": {"type": "server_echo_cancellation"},
        "interim_response": {
            "type": "static_interim_response",
            "triggers": ["latency"],
            "latency_threshold_ms": 2_000,
            "texts": ["One moment."],
        },
    }
    assert spec.transcription == {
        "model": "azure-speech",
        "language": "en-GB",
        "phrase_list": ["Northwind"],
        "custom_speech": {"en-GB": "trained-1"},
    }
    assert spec.voice_object == {
        "type": "azure-standard",
        "name": "en-US-Ava",
        "style": "calm",
        "rate": "1.25",
    }


def test_an_agent_without_transcripts_has_none_here_either() -> None:
    assert spec_of(model(), voice(), transcription=None).transcription is None


@pytest.mark.parametrize(("speed", "rate"), [(1.0, None), (0.95, "0.95"), (0.25, "0.5")])
def test_an_azure_voice_speaks_at_the_agents_speed(speed: float, rate: str | None) -> None:
    spec = spec_of(model(), voice(azure={"name": "en-US-Ava"}), speed=speed)
    assert spec.voice_object is not None
    assert spec.voice_object.get("rate") == rate


def test_the_silence_that_ends_a_turn_is_the_models() -> None:
    turns: dict[str, Any] = {"type": "azure_semantic_vad", "silence_duration_ms": 300}
    by_words: dict[str, Any] = {**turns, "end_of_utterance_detection": {}}
    for silence_s, served in (
        (0.3, model(voice_live={"turn_detection": turns})),
        (0.0, model(model="gpt-4.1", voice_live={"turn_detection": by_words})),
        (0.5, ModelEntry(id="big", title="Big")),
    ):
        assert rules_of(profile(), {}, served, None).turn_silence_s == silence_s


# -- voices -------------------------------------------------------------------------------------


def test_an_agents_voice_gives_way_to_the_models_where_it_cannot_speak_it(house: House) -> None:
    roster = roster_with(house, NATIVE, READER)
    desk = roster.agents["desk"]
    chosen, spoken = roster.pairing(desk, model="reader", voice=None)
    assert (chosen.name, spoken.id) == ("gpt-4.1", "ava")
    for wanted in (None, "ash", "ava"):
        assert roster.pairing(desk, model="live", voice=wanted)[1].id == (wanted or "ash")


@pytest.mark.parametrize(
    ("chosen", "wanted"), [("reader", "ash"), ("big", "ava"), ("none", None), ("big", "none")]
)
def test_a_callers_choice_that_cannot_be_had_is_refused(
    house: House, chosen: str, wanted: str | None
) -> None:
    roster = roster_with(house, NATIVE, READER)
    with pytest.raises(NotAllowed):
        roster.pairing(roster.agents["desk"], model=chosen, voice=wanted)


def test_the_model_azure_realtime_has_voices_of_its_own() -> None:
    own = voice(azure={"name": "Andy", "type": "azure-realtime-native"})
    ava = voice(azure={"name": "en-US-Ava"})
    realtime = model(model="azure-realtime")
    assert [realtime.speaks(each) for each in (own, ava, voice())] == [True, False, False]
    assert not model().speaks(own)
    assert not model(model="gpt-4.1").speaks(own)
    spoken = spec_of(realtime, own, speed=1.3).voice_object
    assert spoken == {"type": "azure-realtime-native", "name": "Andy"}


# -- what makes no sense ------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"service": "azure_openai", "voice_live": {}}, "is for a model with"),
    ({"service": "elsewhere"}, "service: Input should be 'azure_openai' or 'voice_live'"),
    ({"voice_live": {"turn_detection": {"type": "semantic_vad"}}}, "turn_detection"),
    ({"voice_live": {"noise_reduction": "loud"}}, "noise_reduction"),
    ({"voice_live": {"speed": 2}}, "Extra inputs are not permitted"),
    (
        {
            "voice_live": {
                "turn_detection": {"type": "server_vad", "end_of_utterance_detection": {}}
            }
        },
        "gpt-realtime models take no `end_of_utterance_detection`",
    ),
    (
        {"voice_live": {"turn_detection": {"type": "azure_semantic_vad_en", "languages": ["de"]}}},
        "knows English only",
    ),
    (
        {"voice_live": {"transcription": {"model": "azure-speech"}}},
        "gpt-realtime models are transcribed by whisper-1",
    ),
    (
        {"model": "gpt-4.1", "voice_live": {"transcription": {"model": "whisper-1"}}},
        "only gpt-realtime models are transcribed by anything but azure-speech",
    ),
    (
        {"voice_live": {"transcription": {"model": "whisper-1", "phrase_list": ["x"]}}},
        "only azure-speech takes a `phrase_list`",
    ),
    (
        {
            "model": "gpt-4.1",
            "voice_live": {
                "transcription": {"model": "mai-transcribe-1", "custom_speech": {"en": "x"}}
            },
        },
        "only azure-speech takes a `custom_speech`",
    ),
    (
        {
            "voice_live": {
                "interim_response": {"type": "llm_interim_response", "triggers": ["boredom"]}
            }
        },
        "Input should be 'latency' or 'tool'",
    ),
    ({"model": "azure-realtime", "voice": "ava"}, "live does not speak in the voice ava"),
    ({"model": "gpt-4.1"}, "live speaks in Azure's voices: name one"),
    ({"voice": "nobody"}, "there is no voice nobody"),
    ({"service": "azure_openai", "voice": "ava"}, "live does not speak in the voice ava"),
    ({"id": "big"}, "there is another model big"),
]


@pytest.mark.parametrize(("changes", "reason"), WRONG)
def test_a_model_that_makes_no_sense_is_refused_with_its_line(
    house: House, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        roster_with(house, {**NATIVE, **changes})
    assert reason in str(refusal.value)
    assert str(refusal.value).startswith("session_config.json, line ")


@pytest.mark.parametrize(
    ("azure", "reason"),
    [
        ({"name": "mine", "type": "azure-custom"}, "has an `endpoint_id`"),
        ({"name": "ava", "endpoint_id": "e"}, "has an `endpoint_id`"),
        ({"name": "me", "type": "azure-personal"}, "has a `model`"),
        ({"name": "ava", "rate": 1.6}, "less than or equal to 1.5"),
        ({"name": "x", "type": "azure-realtime-native", "style": "calm"}, "and nothing else"),
        ({"type": "azure-standard"}, "Field required"),
    ],
)
def test_a_voice_that_makes_no_sense_is_refused(
    house: House, azure: dict[str, Any], reason: str
) -> None:
    config = deepcopy(CONFIG)
    config["voices"].append({**AVA, "azure": azure})
    house.write(config)
    with pytest.raises(ConfigurationError, match=reason):
        house.book()


def test_an_agent_is_not_left_without_a_voice(house: House) -> None:
    config = deepcopy(CONFIG)
    config["voices"].append(AVA)
    config["agents"][0]["voice"] = "ava"
    house.write(config)
    with pytest.raises(ConfigurationError, match="big does not speak in the voice ava; give"):
        house.book()
