"""Calls of a server that is no more, carried on here. The carrier holds them, and what was said is
in the records.

    the carrier brings a call's media ───────────────────▶ claim ──▶ past ──▶ adopt ──▶ carry
    its server is dead, or the media failed ──▶ claim ──▶ still connected? ──▶ past ──▶ adopt,
                                                           dial ──▶ start its media ──▶ carry
    another server has claimed one of ours ──▶ let go, and hang up on nobody

What cannot be carried on is hung up, and is lost. **Unverified** against the live service: how long
it holds a call whose media broke, whether it opens the socket again by itself, and that
`startMediaStreaming` opens it at the address that was given with the answer.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import anyio
from anyio.abc import TaskGroup

from switchboard.access.refusals import NotIdentified
from switchboard.conversation.past import Past
from switchboard.errors import CarrierUnavailable, LinesBusy, NotAllowed
from switchboard.phone.around import Doors, Exchange, PhoneConfig
from switchboard.phone.callers import known_caller
from switchboard.phone.calls import PhoneCalls
from switchboard.phone.carrier import Carrier
from switchboard.phone.handover import Handover
from switchboard.phone.occasion import Fitting
from switchboard.records.replicas import BEAT_S, LOST

logger = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Claimed in one go: a model is dialled for each, while the callers of this server speak."""
STOP_S: Final = 3.0
"""For media to be stopped that the carrier believes to be open."""
LOOK_S: Final = 0.2
COME_S: Final = 30.0
"""How long the media may take, longer than the room waits for them."""
GONE: Final = "This call is over, or another server's."

type PastOf = Callable[[str], Awaitable[Past | None]]


class Ownership(Protocol):
    """Whose calls are whose."""

    @property
    def any(self) -> bool: ...
    async def of_dead(self, most: int) -> Sequence[str]: ...
    async def take(self, call_id: str) -> bool: ...
    async def lose(self, call_id: str, reason: str = LOST) -> bool: ...


class Recovery:
    """`run` must run beside it. `past_of` reads the records."""

    def __init__(
        self,
        exchange: Exchange,
        carrier: Carrier,
        doors: Doors,
        config: PhoneConfig,
        calls: PhoneCalls,
        fitting: Fitting,
        claims: Ownership | None,
        past_of: PastOf,
        clock: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._carrier = carrier
        self._doors = doors
        self._config = config
        self._calls = calls
        self._fitting = fitting
        self._claims = claims if claims is not None and claims.any else None
        self._past_of = past_of
        self._clock = clock
        self._each = defaultdict[str, anyio.Lock](anyio.Lock)
        """One at a time for a call: its media may come while it is being claimed."""
        self._tasks: TaskGroup | None = None

    async def run(self, look_s: float = BEAT_S) -> None:
        """Let go of what others have claimed, and claim what dead servers left, until cancelled."""
        if self._claims is None:
            return
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            while True:
                await anyio.sleep(look_s)
                try:
                    await self.look()
                except Exception as reason:  # noqa: BLE001  (a database that is away; the next round)
                    extra = {"error": type(reason).__name__}
                    logger.warning("calls of others not looked for", extra=extra)

    async def look(self) -> None:
        """Once. Raises what the database raises."""
        if self._claims is None:
            return
        for call_id in await self._calls.others(list(self._calls.connections)):
            logger.warning("call goes on at another server", extra={"call": call_id})
            await self._calls.let_go(call_id, "elsewhere")
        if not self._carrier.is_open:
            return
        for call_id in await self._claims.of_dead(min(self._exchange.free(), AT_ONCE)):
            logger.warning("call of a dead server claimed", extra={"call": call_id})
            self._begin(call_id)

    # -- its media have come --------------------------------------------------------------------

    async def take(self, call_id: str, connection_id: str, handover: Handover) -> None:
        """Media came here of a call that another server carried.

        Raises `NotAllowed` for one that is over, `LinesBusy`.
        """
        try:
            async with self._each[call_id]:
                if not self._exchange.holds(call_id):
                    await self._claim(call_id, connection_id, handover)
        finally:
            self._each.pop(call_id, None)

    async def _claim(self, call_id: str, connection_id: str, handover: Handover) -> None:
        if self._claims is None or not await self._claims.take(call_id):
            raise NotAllowed(GONE)
        logger.warning("call taken over with its media", extra={"call": call_id})
        try:
            await self._adopt(call_id, connection_id, handover)
        except (NotAllowed, LinesBusy):
            await self._claims.lose(call_id)  # or it would be open for as long as we live
            raise

    # -- they have not --------------------------------------------------------------------------

    async def media_failed(self, call_id: str) -> bool:
        """The carrier has given up a call's media, and told us, though another server had the call.
        Whether it is none of ours to hang up."""
        if self._claims is None or not await self._calls.others([call_id]):
            return False
        if self._exchange.free() and await self._claims.take(call_id):
            logger.warning("call taken over without its media", extra={"call": call_id})
            self._begin(call_id)
        return True

    def _begin(self, call_id: str) -> None:
        if self._tasks is not None:
            self._tasks.start_soon(self._carry_on, call_id)

    async def _carry_on(self, call_id: str) -> None:
        """Of a call that was just claimed."""
        connection_id: str | None = None
        try:
            async with self._each[call_id]:
                if self._exchange.holds(call_id):
                    return
                known = await self._doors.bindings.facts_of(call_id)
                if known is None:  # its end was told to another server, which let go of it
                    await self._lose(call_id, None, "hung_up")
                    return
                connection_id, facts = known
                if not connection_id or not await self._is_connected(connection_id):
                    raise NotAllowed("The carrier holds this call no more.")
                await self._adopt(call_id, connection_id, Handover.read(facts))
            self._exchange.begin(call_id, wait_s=COME_S)
            self._calls.answered[call_id] = (connection_id, self._clock())
            await self._start_media(call_id, connection_id)
        except (CarrierUnavailable, NotAllowed, NotIdentified, LinesBusy) as reason:
            extra = {"call": call_id, "reason": str(reason)}
            logger.warning("call of a dead server lost", extra=extra)
            await self._lose(call_id, connection_id)
        except Exception:
            # A fault with one must not end the others, which share this group.
            logger.exception("call not taken over", extra={"call": call_id})
            await self._lose(call_id, connection_id)
        finally:
            self._each.pop(call_id, None)

    async def _is_connected(self, connection_id: str) -> bool:
        return (await self._carrier.look(connection_id)).connected

    async def _start_media(self, call_id: str, connection_id: str) -> None:
        """Have the carrier open the socket anew: one that it believes to be open leads to a server
        that is dead, or to one that has lost its right to the call."""
        if call_id in self._calls.legs or self._calls.here[call_id]:
            return  # it has by itself
        if (await self._carrier.look(connection_id)).streaming:
            await self._carrier.stop_media(connection_id)
            with anyio.move_on_after(STOP_S):
                while (await self._carrier.look(connection_id)).streaming:  # noqa: ASYNC110
                    await anyio.sleep(LOOK_S)
        if call_id in self._calls.legs or not self._exchange.holds(call_id):
            return
        await self._carrier.start_media(connection_id)
        logger.info("media started anew", extra={"call": call_id})

    # -- both -----------------------------------------------------------------------------------

    async def _adopt(self, call_id: str, connection_id: str, handover: Handover) -> None:
        """Raises as the exchange does, and `NotAllowed` for a call that nobody knows."""
        calls = self._calls
        past = await self._past_of(call_id)
        if past is None:
            raise NotAllowed(GONE)
        who = known_caller(handover.caller_id)
        self._exchange.adopt(
            call_id,
            principal=who,
            agent=handover.agent,
            line=calls.lines,
            fit=self._fitting(handover.occasion),
            outgoing=handover.outgoing,
            past=past,
        )
        calls.connections[call_id] = connection_id
        calls.claimed.add(call_id)
        calls.lines.began(call_id, who, handover.raw_id)
        where = self._config.callback_url(call_id)
        await calls.recordings.taken_over(call_id, connection_id, where)

    async def _lose(self, call_id: str, connection_id: str | None, reason: str = LOST) -> None:
        """Whoever still holds the telephone must not be left listening to nothing."""
        if connection_id is not None:
            try:
                await self._carrier.hang_up(connection_id)
            except CarrierUnavailable:
                logger.warning("telephone not hung up", extra={"call": call_id})
        try:
            await self._calls.give_up(call_id, reason)
            if self._claims is not None:
                await self._claims.lose(call_id, reason)
        except Exception:
            # Another round, or another server, finds it again; the other calls do not wait for it.
            logger.exception("lost call not closed", extra={"call": call_id})
