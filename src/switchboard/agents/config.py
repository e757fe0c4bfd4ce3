"""`session_config.json`: who speaks, with what, and what the page may offer."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.json_schema import GenerateJsonSchema

from switchboard.agents.foundry import ProjectAgent
from switchboard.agents.profile import AgentEntry
from switchboard.agents.turns import Written
from switchboard.agents.voice_live import AzureVoice, VoiceLive
from switchboard.conversation.rules import Price
from switchboard.conversation.session import FoundryAgent

type Cents = Annotated[float, Field(ge=0, le=10_000)]
type Name = Annotated[str, Field(min_length=1, max_length=64)]


class Choice(Written):
    """Something the page may offer."""

    id: Name
    """Its name in this file; the service's own, unless something else here says otherwise."""
    title: Annotated[str, Field(min_length=1, max_length=60)]
    """What the page calls it."""


class VoiceEntry(Choice):
    """A voice callers may choose: one of OpenAI's by its name, or one of Azure's."""

    azure: AzureVoice | None = None
    """For one of Azure's own."""


class ModelEntry(Choice):
    """A model callers may choose, and who serves it."""

    service: Literal["azure_openai", "voice_live"] = "azure_openai"
    """Azure OpenAI, where models are deployed, or Azure AI Voice Live, which brings its own."""
    model: Name | None = None
    """What the service calls it, where that is not the id: one model may be had in two ways."""
    agent: ProjectAgent | None = None
    """An agent of a Foundry project in a model's place, on Voice Live. For those of `agents` whose
    `model` this is; callers cannot choose it for others."""
    fallbacks: Annotated[tuple[Name, ...], Field(max_length=5)] = ()
    """The ids of other models of the same service, tried in this order while this one is out of
    quota or in trouble. What the call costs is still reckoned by this model's price."""
    voice: Name | None = None
    """One of `voices`, for agents whose own voice this model cannot speak in."""
    voice_live: VoiceLive | None = None
    """How Voice Live listens."""

    @model_validator(mode="after")
    def _options_of_the_service(self) -> Self:
        if self.agent is not None:
            if self.service != "voice_live":
                raise ValueError('`agent` is for a model with `"service": "voice_live"`')
            if self.model is not None:
                raise ValueError("a Foundry agent brings its model: give `agent` or `model`")
        if self.voice_live is None:
            return self
        if self.service != "voice_live":
            raise ValueError('`voice_live` is for a model with `"service": "voice_live"`')
        if fault := self.voice_live.faults(native=self.native):
            raise ValueError(fault)
        return self

    @property
    def name(self) -> str:
        """What the service calls it."""
        if self.agent is not None:
            return self.agent.name
        return self.model or self.id

    @property
    def foundry(self) -> FoundryAgent | None:
        """The Foundry agent that speaks in its place."""
        agent = self.agent
        return None if agent is None else FoundryAgent(agent.name, agent.project, agent.version)

    @property
    def native(self) -> bool:
        """It hears and speaks by itself; others read and write, with Azure's ears and voices."""
        return self.agent is None and self.name.startswith("gpt-realtime")

    @property
    def own_voices(self) -> bool:
        """It speaks in voices of its own only, which no other model has."""
        return self.agent is None and self.name.startswith("azure-realtime")

    def speaks(self, voice: VoiceEntry) -> bool:
        """Whether it can be had in this voice."""
        if self.service == "azure_openai":
            return voice.azure is None
        if self.own_voices or (voice.azure is not None and voice.azure.native):
            return self.own_voices and voice.azure is not None and voice.azure.native
        return self.native or voice.azure is not None


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
    """What models cost. List prices change: check them against your own contract. A model that is
    not here has an unknown price: budgets then limit its calls in time."""

    as_of: date
    """The day they were looked up."""
    models: Mapping[Name, ModelPrice]
    """By the model's id in `models`."""


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
    models: Annotated[tuple[ModelEntry, ...], Field(min_length=1, max_length=50)]
    """The models callers may choose."""
    voices: Annotated[tuple[VoiceEntry, ...], Field(min_length=1, max_length=100)]
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
