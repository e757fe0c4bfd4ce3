"""The configuration that comes with the house."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from switchboard.agents.book import AgentBook
from switchboard.agents.config import ModelEntry, ModelPrice, SessionConfig, schema_text
from switchboard.agents.humans import HumanEntry
from switchboard.agents.phone import OnThePhone
from switchboard.agents.privacy import PatternEntry, RedactionEntry
from switchboard.agents.profile import AgentEntry, Limits
from switchboard.agents.turns import SemanticVad, ServerVad, Transcription
from switchboard.tools.loading import load_toolbox
from switchboard.tools.toolbox import Toolbox

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def book() -> AgentBook[Toolbox]:
    return AgentBook(ROOT / "session_config.json", load_toolbox)


def test_the_committed_schema_is_the_models_own() -> None:
    committed = (ROOT / "session_config.schema.json").read_text()

    assert committed == schema_text(), "run `switchboard schema > session_config.schema.json`"


def test_editors_accept_the_shipped_file_and_mark_a_wrong_one() -> None:
    schema = json.loads(schema_text())
    config = json.loads((ROOT / "session_config.json").read_text())
    Draft202012Validator.check_schema(schema)
    editor = Draft202012Validator(schema)

    editor.validate(config)  # pyright: ignore[reportUnknownMemberType] - its stub says Unknown
    config["agents"][0]["turn_detection"]["threshold"] = 7
    with pytest.raises(ValidationError):
        editor.validate(config)  # pyright: ignore[reportUnknownMemberType] - its stub says Unknown


def test_the_documents_example_of_a_model_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/agents.md").read_text(), re.DOTALL)

    model = ModelEntry.model_validate_json(example)

    assert (model.service, model.name, model.voice) == ("voice_live", "gpt-4.1", "ava")


def test_three_industries_answer_with_tools_of_their_own(book: AgentBook[Toolbox]) -> None:
    agents = book.edition.roster.agents
    offered = [name for a in agents.values() for name in (*a.tools, *a.phone.tools)]

    assert list(agents) == ["telecom", "government", "banking"]
    assert len(offered) >= 18
    assert sorted(offered) == sorted(book.edition.tools.names)
    assert all(len(agent.suggestions) == 4 for agent in agents.values())
    assert all(agent.greeting for agent in agents.values())
    assert len({agent.voice for agent in agents.values()}) == 3


def test_every_model_has_a_price_but_those_of_voice_live(book: AgentBook[Toolbox]) -> None:
    """Nobody here knows what Voice Live costs, and a guess would make budgets lie."""
    roster = book.edition.roster
    unpriced = {model.id for model in roster.models if model.service == "voice_live"}

    assert {model.id for model in roster.models} - unpriced == set(roster.prices)


def test_every_schema_is_one_that_models_accept(book: AgentBook[Toolbox]) -> None:
    for spec in book.edition.tools.specs(book.edition.tools.names):
        Draft202012Validator.check_schema(dict(spec.parameters))
        assert spec.parameters["type"] == "object"
        assert spec.parameters["additionalProperties"] is False
        assert "$ref" not in json.dumps(dict(spec.parameters))
        assert 30 <= len(spec.description) <= 200, spec.name


def test_every_field_of_the_file_is_explained() -> None:
    """What `docs/agents.md` does not name, nobody finds."""
    explained = (ROOT / "docs" / "agents.md").read_text()
    agent = (
        AgentEntry,
        RedactionEntry,
        PatternEntry,
        Limits,
        OnThePhone,
        HumanEntry,
        ServerVad,
        SemanticVad,
        Transcription,
    )
    fields = {
        name for model in (SessionConfig, *agent, ModelPrice) for name in model.model_fields
    } - {"schema_", "type"}

    assert {name for name in fields if not re.search(rf"[`\".]{name}[`\"]", explained)} == set()
