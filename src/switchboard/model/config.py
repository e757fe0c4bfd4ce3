"""What the model leg needs to know about where it dials. Read from settings elsewhere."""

from dataclasses import dataclass

AI_SCOPE = "https://ai.azure.com/.default"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """One realtime service. All times in seconds."""

    endpoint: str
    """`https://<resource>.openai.azure.com` or the like; plain http on loopback only."""
    scope: str = AI_SCOPE
    """Whom the Entra token is for."""
    dial_timeout_s: float = 10.0
    """Token, TLS, upgrade and one retry together."""
    tries: int = 2
    """How often one dial tries; once is enough where there are other ways to the model."""
    token_wait_s: float = 5.0
    """How long a dial waits for the process's first token."""
    configure_timeout_s: float = 10.0
    """From the open socket to `session.updated`."""
    stall_timeout_s: float = 10.0
    """A single frame that cannot be sent for so long means a dead link."""
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    close_timeout_s: float = 1.0
    audio_limit_ms: int = 2_000
    """Caller audio that may wait for the link; beyond it the oldest is dropped."""
    command_limit: int = 256
    """Commands that may wait for the link; one more ends the leg."""
    max_frame_bytes: int = 16 * 1024 * 1024
    """Largest message accepted from the service."""
