"""What a realtime service can do, so that no code need ask which one it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from switchboard.conversation.commands import ModelCommand
from switchboard.conversation.session import SessionSpec
from switchboard.model import codec, voice_live
from switchboard.model.upgrade import Show, by_bearer, by_key


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How one kind of service is reached, spoken to and understood."""

    path: str
    """Of the WebSocket, under the endpoint."""
    model_parameter: str
    """The query parameter that names the model."""
    session_update: Callable[[SessionSpec], bytes]
    """The frame that configures a session."""
    encode: Callable[[ModelCommand], bytes]
    """The frame for a command."""
    decoder: Callable[[], codec.Decoder]
    """A reader of one session's frames."""
    voice_kind: Literal["name", "object"]
    """How a voice is chosen. Where it is an object, it may be one of Azure's."""
    truncates_replies: bool
    """It can be told how much of a reply was heard."""
    has_agents: bool
    """An agent of a Foundry project may speak in a model's place."""
    setting: str
    """The environment variable that holds its endpoint."""
    example: str
    """What such an endpoint looks like."""
    roles: str
    """What an identity needs on the resource."""
    show: Show = by_bearer
    """How it is shown who we are."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    """More of the address's query."""
    pasted: Sequence[str] = ()
    """Ends of addresses that people paste along with the endpoint."""


AZURE_OPENAI: Final = Capabilities(
    path="/openai/v1/realtime",
    model_parameter="model",
    session_update=codec.session_update,
    encode=codec.encode,
    decoder=codec.Decoder,
    voice_kind="name",
    truncates_replies=True,
    has_agents=False,
    setting="AZURE_OPENAI_ENDPOINT",
    example="https://<resource>.openai.azure.com",
    roles="the role 'Cognitive Services OpenAI User'",
    pasted=("/openai/v1", "/openai"),
)
"""Azure OpenAI, GA dialect. No api-version and no beta header: either would select the old one."""

VOICE_LIVE: Final = Capabilities(
    path="/voice-live/realtime",
    model_parameter="model",
    session_update=voice_live.session_update,
    encode=voice_live.encode,
    decoder=voice_live.decoder,
    voice_kind="object",
    truncates_replies=True,
    has_agents=True,
    setting="AZURE_VOICELIVE_ENDPOINT",
    example="https://<resource>.services.ai.azure.com",
    roles="the roles 'Cognitive Services User' and 'Foundry User'",
    query={"api-version": "2026-07-15"},
    pasted=("/voice-live/realtime", "/voice-live"),
)
"""Azure AI Voice Live: models that nobody deploys, Azure's own voices, ears and turn detection."""


def of_version(service: Capabilities, api_version: str) -> Capabilities:
    """The same service, by another version of its API."""
    return replace(service, query={**service.query, "api-version": api_version})


def with_key(service: Capabilities) -> Capabilities:
    """The same service, shown a key of the resource instead of a token."""
    return replace(service, show=by_key)
