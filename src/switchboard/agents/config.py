"""`session_config.json`: who speaks, with what, and what the page may offer."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema

from switchboard.agents.profile import AgentEntry
from switchboard.agents.turns import Written
from switchboard.conversation.rules import Price

type Cents = Annotated[float, Field(ge=0, le=10_000)]
type Name = Annotated[str, Field(min_length=1, max_length=64)]


class Choice(Written):
    """Something the page may offer."""

    id: Name
    """What the service calls it; for a model, the deployment's name."""
    title: Annotated[str, Field(min_length=1, max_length=60)]
    """What the page calls it."""


class ModelPrice(Written):
    """US dollars per million tokens."""

    input_text: Cents
    input_audio: Cents
    cached_text: Cents
    cached_audio: Cents
    output_text: Cents
    output_audio: Cents

    def price(self) -> Price:
        return Price(**self.model_dump())


class Prices(Written):
    """What models cost. List prices change: check them against your own contract."""

    as_of: date
    """The day they were looked up."""
    models: Mapping[Name, ModelPrice]
    """By model."""


class ToolSources(Written):
    """Where tools come from."""

    modules: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    """Importable modules (`switchboard.tools.banking`) and files relative to this one
    (`my_tools.py`). Every function marked with `@tool` in them joins."""


class SessionConfig(Written):
    """The agents of this server, and what callers may choose."""

    schema_: Annotated[str | None, Field(alias="$schema")] = None
    """The JSON Schema of this file, for editors."""
    agents: Annotated[tuple[AgentEntry, ...], Field(min_length=1, max_length=50)]
    """Who speaks. The first is offered first, unless `default_agent` says otherwise."""
    default_agent: Name | None = None
    """The id of the agent offered first."""
    models: Annotated[tuple[Choice, ...], Field(min_length=1, max_length=50)]
    """The models callers may choose."""
    voices: Annotated[tuple[Choice, ...], Field(min_length=1, max_length=100)]
    """The voices callers may choose."""
    tools: ToolSources = ToolSources()
    """Where tools come from."""
    prices: Prices | None = None
    """What models cost: for the price of a call and for budgets."""

    def price_list(self) -> dict[str, Price]:
        """What is known of the models' prices."""
        if self.prices is None:
            return {}
        return {name: price.price() for name, price in self.prices.models.items()}


class _Plain(GenerateJsonSchema):
    """Without the titles pydantic makes up from names, which tell an editor nothing."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - asked of every field
        return False


def schema_text() -> str:
    """The JSON Schema of `session_config.json`, as committed beside it."""
    schema = SessionConfig.model_json_schema(by_alias=True, schema_generator=_Plain)
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**dialect, **schema}, indent=2, ensure_ascii=False) + "\n"
