"""Every call of this process."""

import logging
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import anyio
from anyio.abc import TaskGroup

from switchboard.access.principal import Kind, Principal
from switchboard.conversation.legs import CallerLeg, Dial, Line, Mint, Minted, Negotiate, Negotiated
from switchboard.errors import LinesBusy, NotAllowed
from switchboard.exchange.brief import Brief, Fit, Reception
from switchboard.exchange.call import Call, Placed
from switchboard.exchange.ledger import Ledger
from switchboard.exchange.media import CallMedia

logger = logging.getLogger(__name__)

STOPPING: Final = "This server is stopping; please try again in a moment."


@dataclass(frozen=True, slots=True)
class Lines:
    """How many calls at once, and how long a placed one may wait for its caller."""

    calls: int = 20
    wait_s: float = 30.0


class Switchboard:
    """Places calls, joins legs to them, and owns them until they end."""

    def __init__(
        self,
        *,
        dial: Dial,
        reception: Reception,
        recorder: Ledger,
        negotiate: Negotiate | None = None,
        mint: Mint | None = None,
        lines: Lines | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dial = dial
        self._negotiate = negotiate
        self._mint = mint
        self._minted: dict[str, Minted] = {}
        """By the id of the placed call that waits for it to be used."""
        self._reception = reception
        self._recorder = recorder
        self._lines = lines or Lines()
        self._clock = clock
        self._waiting: dict[str, tuple[Placed, float]] = {}
        """With the time until when, without end while the service is still being asked."""
        self._calls: dict[str, Call] = {}
        self._tasks: TaskGroup | None = None
        self._stopping = False
        self._one_ended = anyio.Event()

    # -- the door -------------------------------------------------------------------------------

    def place(
        self,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
        line: Line | None = None,
        fit: Fit | None = None,
        wait_s: float | None = None,
        outgoing: bool = False,
    ) -> str:
        """Reserve a line; returns the call's id. Its caller has `wait_s` to come, the lines' own
        where it is not given. `fit` makes the agent's brief this call's; `outgoing`: we ring.

        `line` is the telephone's, for a call that comes by it. Raises `LinesBusy`, or `NotAllowed`
        for an agent, voice or model that is not offered.
        """
        by_telephone = line is not None or outgoing or principal.kind is Kind.TELEPHONE
        brief = self._reception.brief(agent, voice=voice, model=model, by_telephone=by_telephone)
        brief = brief if fit is None else fit(brief)
        placed = self._reserve(principal, brief, line=line, outgoing=outgoing)
        self._expect(placed, wait_s)
        return placed.call_id

    def begin(self, call_id: str, *, wait_s: float | None = None) -> None:
        """Dial the model of a placed call before its caller is there: while it rings.

        Nothing is said until somebody comes. Whoever does not within `wait_s` (or what is left of
        the line's own time) never does, and the call ends; `end` gives it up sooner. Raises
        `NotAllowed` for a call that is not waiting.
        """
        placed, until = self._take(call_id)
        left_s = max(until - self._clock(), 0.0) if wait_s is None else wait_s
        self._start(replace(placed, rings_s=left_s))

    def adopt(
        self,
        call_id: str,
        *,
        principal: Principal,
        agent: str,
        line: Line | None = None,
        fit: Fit | None = None,
        outgoing: bool = False,
    ) -> bool:
        """Reserve a line for a call that was placed on another replica: its caller came here.

        One that is here already stays as it is. Whether it was not. Raises as `place` does.
        """
        self._forget_no_shows()
        if call_id in self._calls or call_id in self._waiting:
            return False
        by_telephone = line is not None
        brief = self._reception.brief(agent, voice=None, model=None, by_telephone=by_telephone)
        brief = brief if fit is None else fit(brief)
        placed = self._reserve(principal, brief, line=line, call_id=call_id, outgoing=outgoing)
        self._expect(placed)
        return True

    async def place_offer(
        self,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
        offer: str,
    ) -> tuple[str, str]:
        """Begin a call over WebRTC: its id, and the service's answer to the page's offer.

        Its media do not pass here. The call runs at once; whoever asked for it `carry`s its leg.
        Raises as `place` and `Negotiate` do.
        """
        if self._negotiate is None:
            raise NotAllowed("This server offers no calls over WebRTC.")
        brief = _played_by_service(self._reception.brief(agent, voice=voice, model=model))
        placed = self._reserve(principal, brief)
        try:
            media = await self._negotiate(brief.spec, offer)
        finally:
            self.cancel(placed.call_id)
        return await self._begin_beside(placed, media), media.answer

    async def _begin_beside(self, placed: Placed, media: Negotiated) -> str:
        if self._stopping:
            await media.hang_up()
            raise LinesBusy(STOPPING)
        beside = CallMedia(placed.brief.spec, media, self._negotiate)
        self._start(replace(placed, media=beside))
        return placed.call_id

    async def place_session(
        self, *, principal: Principal, agent: str, voice: str | None, model: str | None
    ) -> tuple[str, Minted]:
        """Reserve a line for a call that a front end begins at the service by itself.

        Returns the call's id and the secret to begin it with; `attach` must follow within
        `wait_s`. Raises as `place` and `Mint` do.
        """
        if self._mint is None:
            raise NotAllowed("This server mints no sessions.")
        brief = _played_by_service(self._reception.brief(agent, voice=voice, model=model))
        placed = self._reserve(principal, brief)
        try:
            minted = await self._mint(brief.spec)
        except BaseException:
            self.cancel(placed.call_id)
            raise
        if placed.call_id not in self._waiting:  # drained meanwhile: its secret is nobody's
            raise LinesBusy(STOPPING)
        self._minted[placed.call_id] = minted
        self._expect(placed)
        return placed.call_id, minted

    def attach(self, call_id: str, media_id: str) -> None:
        """Begin a minted call, beside the media of the service's call `media_id`. Once.

        Raises `NotAllowed` for a call that is not waiting for it, for an odd id, and for that of a
        call which is steered already.
        """
        self._forget_no_shows()
        minted = self._minted.get(call_id)
        if minted is None or call_id not in self._waiting:
            raise NotAllowed("This session has expired or was already attached.")
        media = minted.media(media_id)
        placed, _ = self._waiting[call_id]
        self.cancel(call_id)
        self._start(replace(placed, media=CallMedia(placed.brief.spec, media, None)))

    async def offered(self, call_id: str, offer: str) -> str:
        """The answer to a fresh offer for a call over WebRTC.

        Raises `NotAllowed` for one that has ended, and as `Negotiate` does.
        """
        call = self._calls.get(call_id)
        if call is None:
            raise NotAllowed("This call has ended.")
        return await call.offered(offer)

    def _reserve(
        self,
        principal: Principal,
        brief: Brief,
        *,
        line: Line | None = None,
        call_id: str | None = None,
        outgoing: bool = False,
    ) -> Placed:
        """Take a line for a call that is about to begin, until it is `cancel`led or a caller is
        `_expect`ed. Raises `LinesBusy`."""
        self._forget_no_shows()
        if self._stopping or self._tasks is None:
            raise LinesBusy(STOPPING)
        if len(self._calls) + len(self._waiting) >= self._lines.calls:
            raise LinesBusy("All lines are busy; please try again in a moment.")
        placed = Placed(
            call_id or secrets.token_urlsafe(12), principal, brief, line=line, outgoing=outgoing
        )
        self._waiting[placed.call_id] = (placed, math.inf)
        return placed

    def _expect(self, placed: Placed, wait_s: float | None = None) -> None:
        """From now on the caller has `wait_s` to come."""
        wait_s = self._lines.wait_s if wait_s is None else wait_s
        self._waiting[placed.call_id] = (placed, self._clock() + wait_s)

    async def carry(self, call_id: str, leg: CallerLeg) -> None:
        """Join `leg` to a placed or a parked call. Returns when the leg is no longer the call's.

        Raises `NotAllowed` when there is no such call (any more).
        """
        call = self._calls.get(call_id) or self._start(self._take(call_id)[0])
        if call.rings:
            self._open_record(call)
        await call.serve(leg)

    def cancel(self, call_id: str) -> None:
        """Free the line of a placed call that nobody came for."""
        self._waiting.pop(call_id, None)
        self._minted.pop(call_id, None)

    async def end(self, call_id: str, reason: str) -> None:
        """End a call now. One that has ended already, or never began, is as good."""
        self.cancel(call_id)
        if call := self._calls.get(call_id):
            call.end(reason)

    def ask_for_human(self, call_id: str) -> None:
        """Somebody asks, by a button and not in words, that a human take this call.

        The agent hears of it as of a typed turn of the caller's, and it is recorded as one. By
        telephone the agent can then fetch a human; elsewhere it says that it cannot. Raises
        `NotAllowed` for a call that is over.
        """
        if (call := self._calls.get(call_id)) is None:
            raise NotAllowed("This call has ended.")
        call.ask_for_human()

    def find(self, call_id: str) -> Call:
        """A call that is being carried. Raises `NotAllowed` for one that is over."""
        if (call := self._calls.get(call_id)) is None or call.ended:
            raise NotAllowed("This call has ended.")
        return call

    def live(self) -> int:
        """Calls being carried, parked ones included."""
        return len(self._calls)

    def ready(self) -> bool:
        return self._tasks is not None and not self._stopping

    # -- the house ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Own all calls, until cancelled: then those that remain end at once."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            await anyio.sleep_forever()

    async def drain(self, grace_s: float) -> int:
        """Take no more calls, let each live one say goodbye, and wait at most `grace_s`.

        Returns how many calls remain.
        """
        self._stopping = True
        self._waiting.clear()
        self._minted.clear()
        for call in list(self._calls.values()):
            call.end("server_stopping", politely=True)
        with anyio.move_on_after(grace_s):
            while self._calls:
                self._one_ended = anyio.Event()
                await self._one_ended.wait()
        return len(self._calls)

    def _take(self, call_id: str) -> tuple[Placed, float]:
        """A placed call that waits no longer, and until when it would have."""
        self._forget_no_shows()
        found = self._waiting.get(call_id)
        self.cancel(call_id)
        if found is None:
            raise NotAllowed("This call has ended or was never placed.")
        return found

    def _start(self, placed: Placed) -> Call:
        if self._tasks is None:
            raise NotAllowed("This call has ended or was never placed.")
        call = Call(
            placed,
            self._dial,
            lambda note: self._recorder.note(placed.call_id, note, time.time()),
            self._clock,
        )
        self._calls[call.id] = call
        self._tasks.start_soon(self._own, call)
        return call

    def _open_record(self, call: Call) -> None:
        spec = call.placed.brief.spec
        self._recorder.open_call(
            call.id,
            principal_id=call.placed.principal.id,
            agent=call.placed.brief.agent,
            model=spec.model,
            voice=spec.voice,
            channel=_channel(call.placed),
            direction="out" if call.placed.outgoing else "in",
            began_at=time.time(),
        )

    async def _own(self, call: Call) -> None:
        if not call.rings:  # one that rings is put down once somebody is there
            self._open_record(call)
        logger.info("call began", extra={"call": call.id, "agent": call.placed.brief.agent})
        try:
            await call.run()
        except Exception:
            # One call's fault must not end the others, which share this task group.
            logger.exception("call failed", extra={"call": call.id})
        finally:
            reason = call.ended or "cancelled"
            if call.came:  # else there is no record, or another replica's
                self._recorder.close_call(call.id, reason, time.time())
            del self._calls[call.id]
            self._one_ended.set()
            logger.info("call ended", extra={"call": call.id, "reason": reason})

    def _forget_no_shows(self) -> None:
        now = self._clock()
        for call_id in [k for k, (_, until) in self._waiting.items() if until <= now]:
            self.cancel(call_id)


def _channel(placed: Placed) -> str:
    """How its caller came, for the records."""
    if placed.media:
        return "webrtc"
    return "phone" if placed.principal.kind is Kind.TELEPHONE else "browser"


def _played_by_service(brief: Brief) -> Brief:
    """Over WebRTC the service itself plays to the ear."""
    return replace(brief, rules=replace(brief.rules, service_plays=True))
