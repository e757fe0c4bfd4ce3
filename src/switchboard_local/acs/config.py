"""What one local ACS is like. Every time and limit has a default that is near the real one."""

from dataclasses import dataclass, field
from typing import Final

ISSUER: Final = "https://acscallautomation.communication.azure.com"
"""Of all tokens that ACS signs, in whatever region."""


@dataclass(frozen=True, slots=True)
class AcsConfig:
    """Times are seconds."""

    resource_id: str = "10ca1000-0000-4000-8000-000000000ac5"
    """The resource's immutable id: the audience of what it signs."""
    issuer: str | None = ISSUER
    """Who it says has signed. None: its own address, for an application that is told to trust it
    and has to find its keys."""
    numbers: frozenset[str] = frozenset({"+15550100"})
    """The resource's own, in E.164: ringing one is an incoming call, and calls go out from one."""
    access_key: str | None = field(default=None, repr=False)
    """In base64. Unset: only tokens open the door."""

    frame_s: float = 0.02
    """How long 20 ms take. Shorter, and calls run faster than life."""
    answer_s: float = 30.0
    """How long a caller waits for the application. The live service's window is unverified."""
    ring_s: float = 115.0
    """How long a called number rings; the service's own limit for telephone numbers."""
    add_s: float = 30.0
    """The same for somebody who is added, where the request does not say."""
    memory_s: float = 120.0
    """How far back a person remembers what was heard."""
    queue_s: float = 120.0
    """How much of the application's audio may wait. The service's limit is unverified."""

    post_timeout_s: float = 10.0
    retries_s: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Before each new attempt at a callback that failed. Unverified."""
    grid_retries_s: tuple[float, ...] = (10.0, 30.0, 60.0)
    """The same for Event Grid, whose schedule is published."""
    media_retries_s: tuple[float, ...] = (0.2, 0.5, 1.0)
    """The same for a media socket that broke. Unverified."""
    media_timeout_s: float = 5.0

    max_calls: int = 500
