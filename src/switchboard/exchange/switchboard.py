"""Every call of this process."""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import anyio
from anyio.abc import TaskGroup

from switchboard.access.principal import Kind, Principal
from switchboard.conversation.legs import CallerLeg, Dial, Line, Mint, Minted, Negotiate
from switchboard.conversation.past import Past
from switchboard.errors import NotAllowed
from switchboard.exchange.beside import Beside
from switchboard.exchange.brief import Fit, Reception
from switchboard.exchange.call import Call
from switchboard.exchange.ledger import Ledger
from switchboard.exchange.observer import UNOBSERVED, Observer, Particulars, Watch
from switchboard.exchange.placed import Placed
from switchboard.exchange.purse import Purse
from switchboard.exchange.tape import TapeDeck
from switchboard.exchange.waiting import NOBODY_WAITS, Lines, Waiting
from switchboard.naming import NewId, new_call_id
from switchboard.records.opening import Opening

logger = logging.getLogger(__name__)

ELSEWHERE: Final = "elsewhere"
"""Why a call has ended here that another replica carries on."""
FAREWELL_S: Final = 10.0
"""How long goodbyes may take once the time to finish in is over."""
LOOK_S: Final = 0.25
"""Nobody says so when a placed call is waited for no longer."""


class Switchboard:
    """Places calls, joins legs to them, and owns them until they end."""

    def __init__(
        self,
        *,
        dial: Dial,
        reception: Reception,
        recorder: Ledger,
        observer: Observer = UNOBSERVED,
        negotiate: Negotiate | None = None,
        mint: Mint | None = None,
        lines: Lines | None = None,
        deck: TapeDeck | None = None,
        purse: Purse | None = None,
        clock: Callable[[], float] = time.monotonic,
        operators: Callable[[], bool] = lambda: False,
        new_id: NewId = new_call_id,
    ) -> None:
        """With a `purse` calls begin within the day's budget; it is the `recorder`, too.
        `operators` says whether anybody would hear a wish for a human ring; `new_id` names calls
        that come without a name."""
        self._operators = operators
        self._purse = purse
        if purse is not None:
            purse.end = self._end_politely
        self._dial = dial
        self._reception = reception
        self._recorder = recorder
        self._observer = observer
        self._deck = deck
        self._clock = clock
        self._calls: dict[str, Call] = {}
        self._waiting = Waiting(
            lines or Lines(), self._calls.values, clock, observer.origin, new_id
        )
        self._beside = Beside(self._waiting, self._start, negotiate, mint)
        self._tasks: TaskGroup | None = None
        self._one_ended = anyio.Event()

    # -- the door -------------------------------------------------------------------------------

    async def book(self, principal: Principal) -> str | None:
        """Of the day's budget, what a call needs to begin. Its id, to be placed by; `None` where
        nothing is counted. Raises `BudgetSpent`."""
        return None if self._purse is None else await self._purse.book(principal)

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
        call_id: str | None = None,
    ) -> str:
        """Reserve a line; returns the call's id. Its caller has `wait_s` to come, the lines' own
        where it is not given. `fit` makes the agent's brief this call's; `outgoing`: we ring;
        `call_id`: what was booked.

        `line` is the telephone's, for a call that comes by it. Raises `LinesBusy`, or `NotAllowed`
        for an agent, voice or model that is not offered.
        """
        by_telephone = line is not None or outgoing or principal.kind is Kind.TELEPHONE
        with self._given_back(call_id):
            brief = self._reception.brief(
                agent, voice=voice, model=model, by_telephone=by_telephone
            )
            brief = brief if fit is None else fit(brief)
            placed = self._waiting.reserve(
                principal, brief, line=line, call_id=call_id, outgoing=outgoing
            )
        self._waiting.expect(placed, wait_s)
        return placed.call_id

    def begin(self, call_id: str, *, wait_s: float | None = None) -> None:
        """Dial the model of a placed call before its caller is there: while it rings.

        Nothing is said until somebody comes. Whoever does not within `wait_s` (or what is left of
        the line's own time) never does, and the call ends; `end` gives it up sooner. Raises
        `NotAllowed` for a call that is not waiting.
        """
        placed, until = self._waiting.take(call_id)
        left_s = max(until - self._clock(), 0.0) if wait_s is None else wait_s
        self._start(replace(placed, rings_s=left_s))

    def adopt(
        self,
        call_id: str,
        *,
        principal: Principal,
        agent: str,
        voice: str | None = None,
        model: str | None = None,
        line: Line | None = None,
        fit: Fit | None = None,
        outgoing: bool = False,
        past: Past | None = None,
    ) -> bool:
        """Reserve a line for a call that was placed on another replica: its caller came here.
        `past` is there where that replica carried it.

        One that is here already stays as it is. Whether it was not. Raises as `place` does.
        """
        if call_id in self._calls or call_id in self._waiting:
            return False
        by_telephone = line is not None
        brief = self._reception.brief(agent, voice=voice, model=model, by_telephone=by_telephone)
        brief = brief if fit is None else fit(brief)
        placed = self._waiting.reserve(
            principal, brief, line=line, call_id=call_id, outgoing=outgoing
        )
        self._waiting.expect(replace(placed, past=past))
        return True

    def holds(self, call_id: str) -> bool:
        """Whether this replica carries the call, or waits for its caller."""
        return call_id in self._calls or call_id in self._waiting

    def let_go(self, call_id: str) -> None:
        """Another replica carries this call now: nothing of it goes on here, nor is written."""
        self.cancel(call_id)
        if call := self._calls.get(call_id):
            self._recorder.let_go(call_id)
            call.end(ELSEWHERE)

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
        brief = self._reception.brief(agent, voice=voice, model=model)
        booked = await self.book(principal)
        with self._given_back(booked):
            return await self._beside.place_offer(principal, brief, offer, booked)

    async def place_session(
        self, *, principal: Principal, agent: str, voice: str | None, model: str | None
    ) -> tuple[str, Minted]:
        """Reserve a line for a call that a front end begins at the service by itself.

        Returns the call's id and the secret to begin it with; `attach` must follow within
        `wait_s`. Raises as `place` and `Mint` do.
        """
        brief = self._reception.brief(agent, voice=voice, model=model)
        booked = await self.book(principal)
        with self._given_back(booked):
            return await self._beside.place_session(principal, brief, booked)

    def attach(self, call_id: str, media_id: str) -> None:
        """Begin a minted call, beside the media of the service's call `media_id`. Once.

        Raises `NotAllowed` for a call that is not waiting for it, for an odd id, and for that of a
        call which is steered already.
        """
        self._beside.attach(call_id, media_id)

    async def offered(self, call_id: str, offer: str) -> str:
        """The answer to a fresh offer for a call over WebRTC.

        Raises `NotAllowed` for one that has ended, and as `Negotiate` does.
        """
        call = self._calls.get(call_id)
        if call is None:
            raise NotAllowed("This call has ended.")
        return await call.offered(offer)

    async def carry(self, call_id: str, leg: CallerLeg) -> None:
        """Join `leg` to a placed or a parked call. Returns when the leg is no longer the call's.

        Raises `NotAllowed` when there is no such call (any more).
        """
        call = self._calls.get(call_id) or self._start(self._waiting.take(call_id)[0])
        if call.rings:
            self._open_record(call)
        await call.serve(leg)

    def cancel(self, call_id: str) -> None:
        """Free the line of a placed call that nobody came for."""
        self._waiting.cancel(call_id)
        self._give_back(call_id)

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

    def knows(self, call_id: str) -> bool:
        """Whether a call waits or is carried here."""
        return call_id in self._calls or call_id in self._waiting

    def find(self, call_id: str) -> Call:
        """A call that is being carried. Raises `NotAllowed` for one that is over."""
        if (call := self._calls.get(call_id)) is None or call.ended:
            raise NotAllowed("This call has ended.")
        return call

    def live(self) -> int:
        """Calls being carried, parked ones included."""
        return len(self._calls)

    def free(self) -> int:
        """How many more calls could be taken now; none while the server stops."""
        return self._waiting.free

    def ready(self) -> bool:
        return self._waiting.is_open

    def _end_politely(self, call_id: str, reason: str) -> None:
        if call := self._calls.get(call_id):
            call.end(reason, politely=True)

    def _give_back(self, call_id: str | None) -> None:
        if self._purse is not None and call_id is not None:
            self._purse.forget(call_id)

    @contextmanager
    def _given_back(self, call_id: str | None) -> Generator[None]:
        """What was booked for a call is given back where it cannot be placed."""
        try:
            yield
        except BaseException:
            self._give_back(call_id)
            raise

    # -- the house ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Own all calls, until cancelled: then those that remain end at once."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            self._waiting.open()
            await anyio.sleep_forever()

    async def drain(self, grace_s: float, farewell_s: float = FAREWELL_S) -> int:
        """Take no more calls, and let those there are go on for `grace_s`. Then each says goodbye,
        within `farewell_s`. Returns how many calls remain.

        A telephone of somebody we ring is let alone at once: nobody has taken it yet.
        """
        self._waiting.close()
        for call in list(self._calls.values()):
            if call.rings and call.placed.outgoing:
                call.end("server_stopping")
        await self._finished(grace_s)
        self._waiting.clear()
        for call in list(self._calls.values()):
            call.end("server_stopping", politely=True)
        await self._finished(farewell_s)
        return self.left()

    def left(self) -> int:
        """Calls that a drain waits for: those being carried, and those whose caller may still
        come. None before there is a drain."""
        return 0 if self._waiting.is_open else len(self._calls) + len(self._waiting)

    async def _finished(self, within_s: float) -> None:
        """Until no call is left, or the time is over."""
        with anyio.move_on_after(within_s):
            while self.left():
                self._one_ended = anyio.Event()
                with anyio.move_on_after(LOOK_S):
                    await self._one_ended.wait()

    def _start(self, placed: Placed) -> Call:
        if self._tasks is None:
            raise NotAllowed(NOBODY_WAITS)
        watch = self._observer.began(_particulars(placed), placed.origin)
        call = Call(
            placed,
            self._dial,
            lambda note: self._recorder.note(placed.call_id, note, time.time()),
            self._clock,
            watch,
            self._deck,
            lambda: self._operators(),
        )
        self._calls[call.id] = call
        self._tasks.start_soon(self._own, call, watch)
        return call

    def _open_record(self, call: Call) -> None:
        spec = call.placed.brief.spec
        opening = Opening(
            call.id,
            principal_id=call.placed.principal.id,
            agent=call.placed.brief.agent,
            model=spec.model,
            voice=spec.voice,
            channel=call.placed.channel,
            direction=call.placed.direction,
            began_at=time.time() - (call.placed.past.elapsed_s if call.placed.past else 0.0),
            redaction=call.placed.brief.redaction,
            past=call.placed.past,
        )
        self._recorder.open_call(opening)

    async def _own(self, call: Call, watch: Watch) -> None:
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
            if call.came or call.placed.past:  # else there is no record, or another replica's
                self._recorder.close_call(call.id, reason, time.time())
            del self._calls[call.id]
            self._one_ended.set()
            logger.info("call ended", extra={"call": call.id, "reason": reason})
            watch.ended(reason)


def _particulars(placed: Placed) -> Particulars:
    brief, spec = placed.brief, placed.brief.spec
    return Particulars(
        placed.call_id,
        brief.agent,
        spec.model,
        spec.service.value,
        placed.channel,
        placed.direction,
        frozenset({*brief.offered, *brief.line_tools, *(tool.name for tool in spec.tools)}),
    )
