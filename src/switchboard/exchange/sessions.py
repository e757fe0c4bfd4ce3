"""The model's side of a call: one session after another, each dialled, heard, and replaced.

dial ──▶ ready ──(a pause)──▶ the call's own ──▶ lost, or replaced by the next that is ready
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import anyio

from switchboard.conversation import events as e
from switchboard.conversation.legs import Dial, ModelLeg, ReplyAudio, StraightModel
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable
from switchboard.exchange.over import ignored, never

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Successor:
    """A model session that is ready to be the call's."""

    event: e.ModelReady
    leg: ModelLeg
    life: anyio.CancelScope


class Sessions:
    """Those of one call. `leg` is the one that it talks by now."""

    def __init__(
        self,
        call_id: str,
        spec: SessionSpec,
        dial: Dial,
        *,
        tell: Callable[[e.Event], None],
        play: Callable[[ReplyAudio], None],
        play_at_once: Callable[[ReplyAudio], bool],
        may_switch: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        """`tell` takes what they say to the conversation, and `play` their audio past it,
        as `play_at_once` does, or declines to, where a leg can hand it over;
        `may_switch`: nothing is cut off if another takes the place of the one there is."""
        self.leg: ModelLeg | None = None
        self._life: anyio.CancelScope | None = None
        """What ends `leg` when another takes its place."""
        self._call_id = call_id
        self._spec = spec
        self._dial = dial
        self._tell = tell
        self._play = play
        self._play_at_once = play_at_once
        self._may_switch = may_switch
        self._clock = clock
        self._successor: Successor | None = None
        """A session that is ready, and waits for a pause in the one there is."""
        self._lost_at: float | None = None
        self._conversation_id: str | None = None
        """That of a Foundry agent, by which its next session goes on."""

    async def hold(self) -> None:
        """Dial one model session, and listen to it until it is lost or replaced."""
        last: e.ModelLost | None = None
        status: int | None = None
        with anyio.CancelScope() as life:
            try:
                async with self._dial(self._next_spec()) as leg:
                    last = await self._listen(leg, life)
            except ModelUnavailable as unavailable:
                last = e.ModelLost(str(unavailable), unavailable.retryable)
                status = unavailable.status
        if last is not None and not life.cancel_called:
            self._over(last, life, status)

    def over(self) -> None:
        """The call has ended, and nobody holds a session any more: nothing is told."""
        self.leg = self._life = self._successor = None
        self._tell = self._play = ignored
        self._play_at_once = self._may_switch = never

    def switch(self) -> None:
        """Let a session that is ready take the place of the one there is, once nothing is cut off
        by it."""
        ready = self._successor
        if ready is None or (self.leg is not None and not self._may_switch()):
            return
        self._successor = None
        former, self.leg, self._life = self._life, ready.leg, ready.life
        if self._lost_at is not None:
            gap_ms = round((self._clock() - self._lost_at) * 1000)
            logger.info("model session replaced", extra={"call": self._call_id, "gap_ms": gap_ms})
            self._lost_at = None
        event = ready.event
        known, self._conversation_id = self._conversation_id, event.conversation_id
        self._tell(replace(event, remembers=known is not None and event.conversation_id == known))
        if event.expires_at is not None:
            # The service tells the time of day, the conversation only knows its own clock.
            self._tell(e.SessionEnds(self._clock() + event.expires_at - time.time()))
        if former is not None and former is not ready.life:
            logger.info("model session renewed", extra={"call": self._call_id})
            former.cancel()

    async def _listen(self, leg: ModelLeg, life: anyio.CancelScope) -> e.ModelLost:
        """Its last word."""
        if isinstance(leg, StraightModel):
            leg.straight(self._play_at_once)
        async for event in leg:
            match event:
                case ReplyAudio():
                    self._play(event)
                case e.ModelReady():
                    self._successor = Successor(event, leg, life)
                    self.switch()
                case e.ModelLost():
                    return event
                case _ if self.leg is leg:
                    self._tell(event)
                case _:
                    pass  # a session that is not the call's yet has nothing to tell us
        return e.ModelLost("closed", retryable=True)

    def _over(self, last: e.ModelLost, life: anyio.CancelScope, status: int | None) -> None:
        """A session ended by itself: the call's own, the next one, or one that never was ready.
        `status` is how the service refused it, if it did."""
        if self._life is life:
            self.leg = self._life = None
            self._lost_at = self._lost_at or self._clock()
            logger.warning("model lost", extra={"call": self._call_id, "reason": last.reason})
            self._tell(last)
            return
        if self._successor is not None and self._successor.life is life:
            self._successor = None
        logger.warning(
            "model unavailable",
            extra={"call": self._call_id, "reason": last.reason, "status": status},
        )
        self._tell(e.DialFailed(last.reason, last.retryable))

    def _next_spec(self) -> SessionSpec:
        """What the next session is to be: a Foundry agent goes on with its own conversation."""
        spec = self._spec
        if spec.agent is None or self._conversation_id is None:
            return spec
        return replace(spec, agent=replace(spec.agent, conversation_id=self._conversation_id))
