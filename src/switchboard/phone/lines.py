"""The telephone's lines: transfers, humans brought in, keys pressed. Knows no carrier's SDK.

A human is rung by a permit, as any telephone is. While one is fetched the caller hears a tune over
the media socket. What the carrier says of it comes as callbacks (`told`).
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import anyio

from switchboard.access.principal import Principal
from switchboard.conversation.events import LineOutcome, ToolOutcome
from switchboard.conversation.legs import Rung
from switchboard.conversation.rules import Human
from switchboard.errors import CarrierUnavailable
from switchboard.phone.carrier import AcsUser, Callee, Carrier, Person
from switchboard.phone.dialling import NotDialled, Why
from switchboard.phone.fetching import Fetching
from switchboard.phone.keys import SEND_KEYS, read_keys, said
from switchboard.phone.leg import PhoneLeg
from switchboard.phone.party import Party
from switchboard.phone.permits import Permits
from switchboard.phone.tune import tune
from switchboard.phone.webhooks import Told, What

logger = logging.getLogger(__name__)

RING_S: Final = 30
"""How long a human's telephone rings while the caller waits."""
GRACE_S: Final = 5.0
"""How much longer the carrier may take to say so."""
TRANSFER_S: Final = 120.0
"""A transfer cannot be called back, and the carrier rings for up to 115 s."""
UNDO_S: Final = 5.0
SETTLE_S: Final = 2.0


class Invitation(NamedTuple):
    """Somebody who rings to come in, as the carrier names it."""

    connection_id: str
    id: str


class PhoneLines:
    """The `Line` of every telephone call of this process, by our own call's id."""

    def __init__(self, carrier: Carrier, permits: Permits | None) -> None:
        """Without `permits` no telephone is rung, only users of the carrier's own."""
        self._carrier = carrier
        self._permits = permits.for_colleagues() if permits else None
        self._calls: dict[str, Party] = {}

    # -- what the room says -----------------------------------------------------------------

    def began(self, call_id: str, principal: Principal, raw_id: str) -> None:
        """A telephone call of ours begins; `raw_id` is whoever is at the other end."""
        self._calls[call_id] = Party(principal, Person(raw_id))

    def joined(self, call_id: str, connection_id: str, leg: PhoneLeg) -> None:
        """Its media are there, the first time or again."""
        if call := self._calls.get(call_id):
            call.connection_id, call.leg = connection_id, leg
            if call.waits:
                leg.wait_on(tune())

    async def told(self, call_id: str, event: Told) -> bool:
        """A callback of this call's. Whether it says that the caller has gone, and only somebody
        who was brought in for them is left."""
        if (call := self._calls.get(call_id)) is None:
            return False
        if event.what is What.PEOPLE:
            return call.are_there(event.people)
        if call.fetching is not None and call.fetching.told(event):
            call.guest_in = event.what is What.ADDED
            if event.what is What.TRANSFER_ACCEPTED:
                call.left = "transferred"
            call.news.set()
        elif event.what is What.ADDED and (late := call.unwanted(event.operation)):
            await self._send_away(call, late)
        return False

    def left(self, call_id: str) -> str | None:
        """Why the carrier's call is none of ours any more and must not be hung up, if it is so."""
        call = self._calls.get(call_id)
        return call.left if call else None

    async def settled(self, call_id: str) -> None:
        """Until the conversation has been told what became of the caller, or soon after."""
        if call := self._calls.get(call_id):
            with anyio.move_on_after(SETTLE_S):
                await call.idle.wait()

    def has(self, call_id: str) -> bool:
        """Whether a call of ours has begun and is not over."""
        return call_id in self._calls

    def over(self, call_id: str) -> None:
        self._calls.pop(call_id, None)

    # -- what the conversation asks (`Line`) ------------------------------------------------

    async def transfer(self, call_id: str, human: Human) -> LineOutcome:
        async def begin(connection_id: str, to: Callee, operation: str) -> None:
            await self._carrier.transfer(connection_id, to, operation=operation)

        return await self._fetch(call_id, human, TRANSFER_S, begin)

    async def ring(self, call_id: str, human: Human) -> Rung:
        async def begin(connection_id: str, to: Callee, operation: str) -> Invitation:
            name = await self._carrier.add(connection_id, to, ring_s=RING_S, operation=operation)
            return Invitation(connection_id, name)

        outcome = await self._fetch(call_id, human, RING_S + GRACE_S, begin)
        call = self._calls.get(call_id)
        if call is None or outcome is not LineOutcome.DONE:
            return Rung(outcome if call else LineOutcome.FAILED)
        return Rung(outcome, await self._set_apart(call))

    async def hand_over(self, call_id: str) -> LineOutcome:
        call = self._calls.get(call_id)
        if call is None or call.connection_id is None:
            return LineOutcome.FAILED
        call.idle = anyio.Event()
        try:
            await self._carrier.unhold(call.connection_id, call.person)
            if call.guest is None or (call.people and call.guest.raw_id not in call.people):
                return LineOutcome.NO_ANSWER  # they have hung up meanwhile
            call.left = "handed_over"
            await self._carrier.leave(call.connection_id)
        except CarrierUnavailable:
            call.left = None
            logger.warning("not handed over", extra={"call": call_id})
            await self._send_away(call, call.guest)
            return LineOutcome.FAILED
        finally:
            call.idle.set()
        return LineOutcome.DONE

    async def use(self, call_id: str, tool: str, arguments: str) -> tuple[str, ToolOutcome]:
        if tool != SEND_KEYS:
            return said("The telephone has no such tool.", done=False)
        call = self._calls.get(call_id)
        if (keys := read_keys(arguments)) is None:
            return said("Only 1 to 32 of the keys 0 to 9, * and # can be pressed.", done=False)
        if call is None or call.connection_id is None:
            return said("There is no telephone to press keys on.", done=False)
        try:
            await self._carrier.send_keys(call.connection_id, keys, call.person)
        except CarrierUnavailable:
            return said("The keys could not be pressed.", done=False)
        return said("The keys were pressed. Wait for what the other end says.", done=True)

    # -- within -----------------------------------------------------------------------------

    async def _fetch(
        self,
        call_id: str,
        human: Human,
        within_s: float,
        begin: Callable[[str, Callee, str], Awaitable[Invitation | None]],
    ) -> LineOutcome:
        """Have somebody rung, and a tune for the caller, until the carrier says what came of it.

        What it has not said by then is called off, where `begin` gives an invitation.
        """
        call = self._calls.get(call_id)
        if call is None or call.connection_id is None or call.fetching is not None:
            return LineOutcome.FAILED
        call.fetched += 1
        call.idle = anyio.Event()
        operation = f"{call_id}.{call.fetched}"
        fetching, invitation = Fetching(operation), None
        try:
            async with self._permitted(call, human, operation) as callee:
                call.fetching, call.news = fetching, anyio.Event()
                call.rings(_person(callee), operation)
                call.waits = True
                if call.leg:
                    call.leg.wait_on(tune())
                invitation = await begin(call.connection_id, callee, operation)
                with anyio.move_on_after(within_s):
                    await call.news.wait()
                if invitation is not None and fetching.outcome is None:
                    await self._look(call, fetching, invitation)
                return fetching.outcome or LineOutcome.NO_ANSWER
        except NotDialled:
            return LineOutcome.NOT_ALLOWED
        except CarrierUnavailable:
            return LineOutcome.FAILED
        finally:
            call.fetching, call.waits = None, False
            if call.leg:
                call.leg.wait_no_more()
            call.idle.set()
            if invitation is not None and fetching.outcome is None:
                await self._stop_ringing(invitation)

    async def _look(self, call: Party, fetching: Fetching, invitation: Invitation) -> None:
        """Whether the human is there although nobody told us: another replica was told. Not
        before they ring no more, lest one who only rings be taken for one who is there."""
        try:
            people = await self._carrier.people(invitation.connection_id)
        except CarrierUnavailable:
            return
        if fetching.outcome is None and call.guest and call.guest.raw_id in people:
            fetching.outcome, call.guest_in, call.people = LineOutcome.DONE, True, people

    @asynccontextmanager
    async def _permitted(self, call: Party, human: Human, operation: str) -> AsyncGenerator[Callee]:
        """Whom to ring. The quotas count it while it rings. Raises `NotDialled`."""
        if human.to.startswith("8:"):
            yield AcsUser(human.to)
            return
        if self._permits is None:
            raise NotDialled(Why.NOT_ALLOWED)
        permit = await self._permits.ask(
            human.to, call_id=operation, principal=call.principal, operation=operation
        )
        try:
            yield permit
        finally:
            with anyio.move_on_after(UNDO_S, shield=True):
                await self._permits.over(operation)

    async def _set_apart(self, call: Party) -> bool:
        """Whether the human can be spoken to without the caller's hearing it."""
        try:
            await self._carrier.hold(call.connection_id or "", call.person)
        except CarrierUnavailable:
            return False
        return True

    async def _send_away(self, call: Party, who: Person | None) -> None:
        """Whoever came is not to stay."""
        if who is None or call.connection_id is None:
            return
        try:
            await self._carrier.remove(call.connection_id, who)
        except CarrierUnavailable:
            logger.warning("a guest may still be on the line")
        if who == call.guest:
            call.guest_in = False

    async def _stop_ringing(self, invitation: Invitation) -> None:
        """Whoever comes to the telephone now would find nobody."""
        with anyio.move_on_after(UNDO_S, shield=True):
            try:
                await self._carrier.cancel_add(invitation.connection_id, invitation.id)
            except CarrierUnavailable:
                logger.warning("a telephone may ring on")


def _person(callee: Callee) -> Person:
    return Person(callee.id if isinstance(callee, AcsUser) else f"4:{callee.target.number}")
