"""The local cloud's environment variables, parsed once."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

type Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(BaseSettings):
    """What a developer may set. Every one has a default that works."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    local_cloud_port: Port = 8100
    """Where the local cloud listens, on loopback only."""
    port: Port = 8000
    """Where `up` starts the product."""

    local_voice: str | None = None
    """Force a voice: "piper", "espeak", "fixed", "none". Unset: the best there is."""
    local_ears: str | None = None
    """Force the ears: "moonshine", "fixed", "none". Unset: the best there are."""
    local_mind: str | None = None
    """Force a mind. Unset: the offline one, or a model where `LOCAL_LLM_URL` is set."""

    local_llm_url: str | None = None
    """An OpenAI-compatible chat endpoint to think with, instead of the offline mind."""
    local_llm_model: str | None = None

    local_session_seconds: Annotated[float, Field(gt=0, le=86_400)] = 3600
    """A realtime session's longest life; then it is closed with 1001 `session_expired`."""
    local_max_sessions: Annotated[int, Field(ge=1, le=1000)] = 24
    """Realtime sessions at once; the next is refused with 429."""
    local_pace: Annotated[float, Field(gt=0, le=1000)] = 8.0
    """Times faster than real time that a reply's audio is sent."""

    identity_header: SecretStr | None = None
    """What a client of the managed identity endpoint must send. Unset: there is no endpoint."""
