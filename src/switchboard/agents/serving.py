"""An agent on the model that serves it: what its session is to be, and its rules."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from switchboard.agents.config import ModelEntry, VoiceEntry
from switchboard.agents.profile import AgentProfile
from switchboard.agents.voice_live import VoiceLive
from switchboard.conversation.rules import Price, Rules, ToolRule
from switchboard.conversation.session import Service, SessionSpec, ToolSpec


def session_of(
    agent: AgentProfile,
    tools: Sequence[ToolSpec],
    model: ModelEntry,
    voice: VoiceEntry,
    fallbacks: Sequence[str] = (),
) -> SessionSpec:
    """What the model session is to be. `voice` is one that the model speaks in; `fallbacks` are
    models that may take its place, as the service calls them."""
    spec = agent.session(tools, model=model.name, voice=voice.id)
    spec = replace(spec, fallbacks=fallbacks)
    if model.service == "azure_openai":
        return spec
    options = _options(model)
    listens = agent.turn_detection
    return replace(
        spec,
        agent=model.foundry,
        tools=() if model.agent else spec.tools,
        service=Service(model.service),
        voice_object=voice.azure and voice.azure.wire(agent.speed),
        turn_detection=options.turns(
            create_response=listens.create_response, interrupt_response=listens.interrupt_response
        ),
        noise_reduction=options.noise_reduction,
        transcription=agent.transcription and options.words(agent.language, native=model.native),
        extra=options.extra(),
    )


def rules_of(
    agent: AgentProfile, tools: Mapping[str, ToolRule], model: ModelEntry, price: Price | None
) -> Rules:
    """The rules its calls are held by. `price` is that of the model."""
    if model.service == "azure_openai":
        return agent.rules(tools, price)
    rules = agent.rules(tools, price, turn_silence_s=_options(model).silence_s)
    # A Foundry agent has its own tools only: not ours to hang up with.
    return replace(rules, end_tool=None) if model.agent is not None else rules


def _options(model: ModelEntry) -> VoiceLive:
    return model.voice_live or VoiceLive()
