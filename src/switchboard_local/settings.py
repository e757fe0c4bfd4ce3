"""The local cloud's environment variables, parsed once."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from switchboard_local.engine.load import EarsChoice, VoiceChoice

type Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(BaseSettings):
    """What a developer may set. Every one has a default that works."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    local_cloud_port: Port = 8100
    """Where the local cloud listens, on loopback only."""
    port: Port = 8000
    """Where `up` starts the product."""

    local_voice: VoiceChoice = "auto"
    """Force a voice. "auto" is the best there is."""
    local_voice_steady: bool = False
    """Say a line the same way each time, where the voice is Piper's: for tests of what is heard."""
    local_ears: EarsChoice = "auto"
    """Force the ears. "auto" is the best there are."""
    local_mind: Literal["auto", "offline"] = "auto"
    """ "offline" keeps the rules even where `LOCAL_LLM_URL` is set."""

    local_llm_url: str | None = None
    """An OpenAI-compatible chat endpoint to think with, instead of the offline mind."""
    local_llm_model: str | None = None
    local_llm_key: SecretStr | None = None
    """For an endpoint that asks for one."""

    local_session_seconds: Annotated[float, Field(gt=0, le=86_400)] = 3600
    """A realtime session's longest life; then it is closed with 1001 `session_expired`."""
    local_max_sessions: Annotated[int, Field(ge=1, le=1000)] = 24
    """Realtime sessions at once; the next is refused with 429."""
    local_pace: Annotated[float, Field(gt=0, le=1000)] = 8.0
    """Times faster than real time that a reply's audio is sent."""

    local_voicelive_key: SecretStr | None = None
    """A key that the local Voice Live takes in place of a token. It is kept in the local Key Vault,
    as `/secrets/voice-live-key`. Unset: no key is taken, and there is no vault."""

    local_sign_in: bool = False
    """Have the product that `up` starts ask people to sign in: two are there, without passwords."""
    identity_header: SecretStr | None = None
    """What a client of the managed identity endpoint must send, in App Service's form of it."""
    local_client_secret: SecretStr | None = None
    """What an application signs in with. Unset: none can."""
    local_api_key: SecretStr | None = None
    """A key that opens the stand-ins beside tokens. Unset: no key does."""
    local_token_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600
    """A token's life."""
    local_key_rotation_seconds: Annotated[float, Field(ge=1, le=86_400)] | None = None
    """A new signing key so often; the old ones stay published for a token's life. Unset: never."""
