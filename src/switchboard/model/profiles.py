"""What a realtime service can do, so that no code need ask which one it is."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How one kind of service is reached. Grows with the services that are added."""

    path: str
    """Of the WebSocket, under the endpoint."""
    model_parameter: str
    """The query parameter that names the deployment."""


AZURE_OPENAI: Final = Capabilities(path="/openai/v1/realtime", model_parameter="model")
"""Azure OpenAI, GA dialect. No api-version and no beta header: either would select the old one."""
