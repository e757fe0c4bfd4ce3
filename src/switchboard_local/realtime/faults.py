"""What may go wrong on purpose, so that clients can be tried against it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Faults:
    """The faults of one local cloud. A test sets them; each holds until it is unset."""

    refuse_upgrade: Literal[401, 429, 500, 503] | None = None
    """Every upgrade gets this status."""
    hang_upgrade: bool = False
    """Upgrades are neither accepted nor refused."""
    hang: bool = False
    """Sessions open, and then nothing more is said in them."""
    drop_after_audio_ms: float | None = None
    """The connection breaks once a session has sent this much audio."""
    secrets_expired: bool = False
    """No client secret is good any more."""
