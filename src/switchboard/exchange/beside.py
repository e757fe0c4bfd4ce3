"""Calls over WebRTC: a page and the service agree on media that do not cross this server."""

from collections.abc import Callable
from dataclasses import replace

from switchboard.access.principal import Principal
from switchboard.conversation.legs import Mint, Minted, Negotiate
from switchboard.errors import NotAllowed, ServerStopping
from switchboard.exchange.brief import Brief
from switchboard.exchange.media import CallMedia
from switchboard.exchange.placed import Placed
from switchboard.exchange.waiting import STOPPING, Waiting


class Beside:
    """Has them agree, and begins the call beside what they agreed on."""

    def __init__(
        self,
        waiting: Waiting,
        begin: Callable[[Placed], object],
        negotiate: Negotiate | None,
        mint: Mint | None,
    ) -> None:
        self._waiting = waiting
        self._begin = begin
        self._negotiate = negotiate
        self._mint = mint

    async def place_offer(
        self, principal: Principal, brief: Brief, offer: str, call_id: str | None = None
    ) -> tuple[str, str]:
        """Begin a call: its id, and the service's answer to the page's offer.

        Raises `LinesBusy`, and as `Negotiate` does.
        """
        if self._negotiate is None:
            raise NotAllowed("This server offers no calls over WebRTC.")
        brief = _played_by_service(brief)
        placed = self._waiting.reserve(principal, brief, call_id=call_id)
        try:
            media = await self._negotiate(brief.spec, offer)
        finally:
            self._waiting.cancel(placed.call_id)
        if not self._waiting.is_open:
            await media.hang_up()
            raise ServerStopping(STOPPING)
        beside = CallMedia(brief.spec, media, self._negotiate)
        self._begin(replace(placed, media=beside))
        return placed.call_id, media.answer

    async def place_session(
        self, principal: Principal, brief: Brief, call_id: str | None = None
    ) -> tuple[str, Minted]:
        """Reserve a line for a call that a front end begins at the service by itself.

        Returns the call's id and the secret to begin it with. Raises `LinesBusy`, and as `Mint`
        does.
        """
        if self._mint is None:
            raise NotAllowed("This server mints no sessions.")
        placed = self._waiting.reserve(principal, _played_by_service(brief), call_id=call_id)
        call_id = placed.call_id
        try:
            minted = await self._mint(placed.brief.spec)
        except BaseException:
            self._waiting.cancel(call_id)
            raise
        if call_id not in self._waiting:  # drained meanwhile: its secret is nobody's
            raise ServerStopping(STOPPING)
        self._waiting.expect(placed, minted=minted)
        return call_id, minted

    def attach(self, call_id: str, media_id: str) -> None:
        """Begin a minted call beside the media of the service's call `media_id`. Once.

        Raises `NotAllowed` for a call that is not waiting for it, for an odd id, and for that of a
        call which is steered already.
        """
        minted = self._waiting.minted(call_id)
        if minted is None:
            raise NotAllowed("This session has expired or was already attached.")
        media = minted.media(media_id)
        placed, _ = self._waiting.take(call_id)
        self._begin(replace(placed, media=CallMedia(placed.brief.spec, media, None)))


def _played_by_service(brief: Brief) -> Brief:
    """Over WebRTC the service itself plays to the ear, and nothing is recorded. Raises `NotAllowed`
    for an agent that takes no call unrecorded."""
    recording = brief.rules.recording
    if recording and (recording.required or recording.ends_without_consent):
        raise NotAllowed("Calls with this agent are recorded, which those over WebRTC cannot be.")
    return replace(brief, rules=replace(brief.rules, service_plays=True, recording=None))
