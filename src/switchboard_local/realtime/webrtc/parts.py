"""A caller's end of WebRTC, as the rest of the local cloud sees it; `peer.py` makes it real."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol


class Channel(Protocol):
    """The data channel that a caller opened."""

    def frames(self) -> AsyncGenerator[str | None]:
        """What comes, `None` for a binary message; ends with the channel. Raises `Flooded`."""
        ...

    async def send(self, text: str) -> None:
        """One message, once there is room. Raises `Closed`, `TooLarge`."""
        ...


class Peer(Protocol):
    """One caller."""

    @property
    def answer(self) -> str:
        """The answering SDP."""
        ...

    def speak_from(self, take: Callable[[], bytes]) -> None:
        """Take what the caller hears from `take`: 20 ms of 24 kHz PCM each time, at their pace."""
        ...

    def heard(self) -> AsyncGenerator[bytes]:
        """What the caller says, as 24 kHz PCM in real time: silence too, where nothing comes."""
        ...

    async def channel(self) -> Channel:
        """Their data channel, once they have opened one."""
        ...

    async def connected(self) -> None: ...

    async def gone(self) -> None:
        """Return once they have left, or no longer answer."""
        ...

    async def aclose(self) -> None: ...


type Answer = Callable[[str], Awaitable[Peer]]
"""Answers a checked offer. Raises `Refused`."""


class Closed(Exception):
    """The channel is no more."""


class Flooded(Exception):
    """More came at once than there is room for."""


class TooLarge(Exception):
    """The message is larger than the other side takes."""
