"""Agents of a Foundry project: who speaks with them, what is sent, and what cannot be combined."""

import json
from copy import deepcopy
from typing import Any

import pytest

from switchboard.agents.config import ModelEntry
from switchboard.agents.roster import Roster
from switchboard.agents.serving import rules_of, session_of
from switchboard.conversation.rules import ToolRule
from switchboard.conversation.session import FoundryAgent, ToolSpec
from switchboard.errors import ConfigurationError, NotAllowed
from tests.agents.house import CONFIG, House
from tests.agents.test_profile import profile
from tests.agents.test_voice_live import AVA, NATIVE, voice

CONCIERGE: dict[str, Any] = {
    "id": "concierge",
    "title": "Concierge",
    "service": "voice_live",
    "agent": {"name": "concierge-2", "project": "hotel", "version": "7"},
    "voice": "ava",
}
GUEST: dict[str, Any] = {"id": "guest", "title": "Guests", "model": "concierge", "voice": "ash"}


def model(**changes: object) -> ModelEntry:
    return ModelEntry.model_validate_json(json.dumps({**CONCIERGE, **changes}))


def roster_with(house: House, *, guest: dict[str, Any], concierge: dict[str, Any]) -> Roster:
    config = deepcopy(CONFIG)
    config["models"].append(concierge)
    config["voices"].append(AVA)
    config["agents"].append(guest)
    house.write(config)
    return house.book().edition.roster


def test_an_agent_without_a_prompt_speaks_as_the_projects_agent(house: House) -> None:
    roster = roster_with(house, guest=GUEST, concierge=CONCIERGE)
    guest = roster.agents["guest"]
    chosen, spoken = roster.pairing(guest, model=None, voice=None)
    spec = session_of(guest, [], chosen, spoken)
    assert spec.agent == FoundryAgent("concierge-2", "hotel", "7")
    assert (spec.instructions, spec.tools, spoken.id) == ("", (), "ava")
    assert spec.transcription == {"model": "azure-speech", "language": "en"}


def test_neither_tools_nor_the_way_to_hang_up_are_given_to_it() -> None:
    tool = ToolSpec("look_up", "Looks it up.", {"type": "object", "properties": {}})
    spec = session_of(profile(), [tool], model(), voice(azure={"name": "en-US-Ava"}))
    assert spec.tools == ()
    assert rules_of(profile(), {"look_up": ToolRule()}, model(), None).end_tool is None


@pytest.mark.parametrize(("agent", "chosen"), [("desk", "concierge"), ("guest", "big")])
def test_nobody_is_paired_with_anothers_mind(house: House, agent: str, chosen: str) -> None:
    roster = roster_with(house, guest=GUEST, concierge=CONCIERGE)
    with pytest.raises(NotAllowed, match="not to be had with"):
        roster.pairing(roster.agents[agent], model=chosen, voice=None)


@pytest.mark.parametrize(
    ("guest", "reason"),
    [
        (
            {"prompt": "prompts/desk.md"},
            "prompt: the Foundry agent has its own: leave `prompt` out",
        ),
        ({"tools": ["look_up"]}, "tools: the Foundry agent has its own: leave `tools` out"),
        ({"can_hang_up": True}, "can_hang_up: a Foundry agent cannot be given the tool"),
    ],
)
def test_what_a_foundry_agent_says_for_itself_is_refused_with_its_line(
    house: House, guest: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        roster_with(house, guest={**GUEST, **guest}, concierge=CONCIERGE)
    assert f"agents[2].{reason}" in str(refusal.value)
    assert str(refusal.value).startswith("session_config.json, line ")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"service": "azure_openai"}, "`agent` is for a model with"),
        ({"model": "gpt-4.1"}, "a Foundry agent brings its model"),
        ({"agent": {"name": "concierge"}}, "agent.project: Field required"),
        ({"agent": {"name": "the concierge", "project": "hotel"}}, "String should match pattern"),
        ({"agent": {"name": "c", "project": "h", "key": "k"}}, "Extra inputs are not permitted"),
        ({"fallbacks": ["big"]}, "big cannot stand in for concierge"),
        ({"voice": None}, "concierge speaks in Azure's voices: name one"),
    ],
)
def test_an_agent_that_makes_no_sense_is_refused(
    house: House, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        roster_with(house, guest=GUEST, concierge={**CONCIERGE, **changes})
    assert reason in str(refusal.value)


def test_its_ears_are_azures() -> None:
    told = {"voice_live": {"transcription": {"model": "whisper-1"}}}
    with pytest.raises(ValueError, match="only gpt-realtime models"):
        model(**told)
    assert ModelEntry.model_validate_json(json.dumps({**NATIVE, **told})).native
