"""The local Azure Communication Services: telephones, calls, and the tasks they run in."""

import logging
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio
import httpx
from anyio.abc import TaskGroup

from switchboard_local.acs.bodies import MediaStreaming
from switchboard_local.acs.bridge import Bridge
from switchboard_local.acs.config import ISSUER, AcsConfig
from switchboard_local.acs.connection import Connection, Names
from switchboard_local.acs.flow import Flow
from switchboard_local.acs.grid import INCOMING, Grid, Happening
from switchboard_local.acs.identifiers import checked, number_of, of_number, wire
from switchboard_local.acs.live import About, LiveCall, fresh_id
from switchboard_local.acs.media import Dial
from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.people import NoAnswer, Phone, PhoneCall, Ring
from switchboard_local.acs.postman import Post, Postman
from switchboard_local.acs.prompts import Speak
from switchboard_local.acs.recordings import Recordings
from switchboard_local.acs.refusals import AcsRefused, bad
from switchboard_local.acs.signing import MEDIA_LIFE_S, Signer
from switchboard_local.acs.troubles import Troubles
from switchboard_local.entra.keys import KeyRing
from switchboard_local.loopback import is_loopback

logger = logging.getLogger(__name__)

MAX_PHONES: Final = 10_000


@dataclass(slots=True, eq=False)
class Incoming:
    """A call that waits for the application to answer it."""

    context: str
    caller: str
    callee: str
    correlation: str
    server_call: str
    done: anyio.Event = field(default_factory=anyio.Event)
    call: PhoneCall | None = None
    outcome: Outcome = Outcome.NO_ANSWER
    redirected: Ring | None = None
    """The telephone that rings in the application's stead."""

    def refuse(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.done.set()

    def take(self, call: PhoneCall) -> None:
        self.call = call
        self.done.set()

    def give_up(self) -> None:
        """The caller waits no longer."""
        self.done.set()
        if self.redirected is not None:
            self.redirected.stop(Outcome.CANCELED)
        if self.call is not None:
            self.call.hang_up()


class Acs:
    """One resource. Lives within `open`."""

    def __init__(
        self,
        config: AcsConfig,
        *,
        keys: KeyRing | None = None,
        trust: ssl.SSLContext | None = None,
        speak: Speak | None = None,
    ) -> None:
        self.config = config
        self.signer = Signer(config.resource_id, keys or KeyRing(), config.issuer or ISSUER)
        self.speak = speak
        self.troubles = Troubles()
        self.flow = Flow()
        """What passes, for whoever wants to watch."""
        self.calls: dict[str, LiveCall] = {}
        """Those of applications, by `callConnectionId`."""
        self.incoming: dict[str, Incoming] = {}
        self.recordings = Recordings(self.calls, self._happened)
        self._trust = trust or ssl.create_default_context()
        self.client = httpx.AsyncClient(
            trust_env=False, verify=self._trust, timeout=config.post_timeout_s
        )
        self.grid = Grid(self.client, config.resource_id, config.grid_retries_s, self.flow)
        self._phones: dict[str, Phone] = {}
        self._tasks: TaskGroup | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Calls may be made; those under way end with the block."""
        async with self.client, anyio.create_task_group() as self._tasks:
            yield
            self._tasks.cancel_scope.cancel()
        for phone in self._phones.values():
            phone.close()

    # People

    def phone(self, who: str) -> Phone:
        """The telephone of a number in E.164, or of a communication user. Raises `AcsRefused`."""
        raw = of_number(who) if who.startswith("+") else checked(who)
        if number_of(raw) in self.config.numbers:
            raise bad("That number is the resource's own.")
        if raw not in self._phones:
            if len(self._phones) >= MAX_PHONES:
                raise bad("Too many telephones.")
            self._phones[raw] = Phone(raw, int(self.config.memory_s * 50))
        return self._phones[raw]

    def unplug(self, phone: Phone) -> None:
        """The telephone is no more: its number is not assigned."""
        if self._phones.get(phone.raw_id) is phone:
            del self._phones[phone.raw_id]
        phone.close()

    async def dial(
        self, phone: Phone, number: str, headers: dict[str, str] | None = None
    ) -> PhoneCall:
        """Ring a number; the call, once it is answered. Raises `NoAnswer`.

        `headers` are the caller's SIP headers. A caller who is cancelled has hung up.
        """
        raw = of_number(number)
        if number in self.config.numbers:
            call = await self._call_in(phone, raw, headers or {})
        else:
            call = await self._call_person(phone.raw_id, raw)
        phone.calls.append(call)
        return call

    def ring(self, target: str, caller: str, headers: dict[str, str]) -> Ring:
        """Have somebody's telephone ring; one who is not there cannot be found."""
        phone = self._phones.get(target)
        if phone is not None:
            return phone.ring(caller, headers)
        ring = Ring(caller, target, headers)
        ring.stop(Outcome.NOT_FOUND)
        return ring

    # Calls

    def bridge(self, server_call_id: str | None = None) -> Bridge:
        """A new one, its clock running."""
        bridge = Bridge(server_call_id or fresh_id(), self.config.frame_s)
        self.tasks.start_soon(self._keep, bridge)
        return bridge

    def find(self, call_id: str) -> LiveCall | None:
        return self.calls.get(call_id)

    def find_bridge(self, server_call_id: str | None) -> Bridge | None:
        """One that an application is, or was, connected to."""
        found = (call.bridge for call in self.calls.values())
        return next((each for each in found if each.server_call_id == server_call_id), None)

    def open_call(
        self,
        about: About,
        context: str | None,
        bridge: Bridge,
        media: MediaStreaming | None,
        correlation: str | None = None,
    ) -> LiveCall:
        """A connection, not yet connected. Raises `AcsRefused`."""
        if len(self.calls) >= self.config.max_calls:
            raise AcsRefused(429, "TooManyRequests", "Too many calls.")
        if not is_loopback(about.callback_uri):
            raise bad("The callback URI is invalid: the local cloud calls this machine only.")
        names = Names(fresh_id(), bridge.server_call_id, correlation or fresh_id())
        call = LiveCall(
            self,
            Connection(names, context),
            bridge,
            about,
            Postman(
                Post(self.client, self.signer, self.config, self.troubles, self.flow),
                about.callback_uri,
            ),
            Dial(lambda: self._media_headers(names), self._trust, self.config.media_timeout_s),
            media,
        )
        self.calls[names.connection] = call
        self.tasks.start_soon(self._hold, call)
        return call

    @property
    def tasks(self) -> TaskGroup:
        assert self._tasks is not None, "no calls outside `open`"
        return self._tasks

    async def _hold(self, call: LiveCall) -> None:
        try:
            await call.run()
        except* Exception:
            # The last line of defence: a defect ends this call, with a trace, and no other.
            logger.exception("call broke")
            call.bridge.end()
        finally:
            self.calls.pop(call.id, None)
            self.recordings.over(call)

    def _happened(self, happening: Happening) -> None:
        """Event Grid tells of it."""
        self.tasks.start_soon(self.grid.tell, happening)

    async def _keep(self, bridge: Bridge) -> None:
        try:
            await bridge.run()
        except Exception:  # the same, for the sound of a call
            logger.exception("bridge broke")
            bridge.end()

    def _media_headers(self, names: Names) -> dict[str, str]:
        return {
            "authorization": self.signer.bearer(MEDIA_LIFE_S),
            "x-ms-call-connection-id": names.connection,
            "x-ms-call-correlation-id": names.correlation,
        }

    async def _call_in(self, phone: Phone, to: str, headers: dict[str, str]) -> PhoneCall:
        """Offer a call to the application, and wait for what it does."""
        incoming = Incoming(fresh_id(), phone.raw_id, to, fresh_id(), fresh_id())
        told = self.grid.told(number_of(to))
        if told is None or len(self.incoming) >= self.config.max_calls:
            raise NoAnswer(Outcome.NOT_FOUND)
        self.incoming[incoming.context] = incoming
        self._happened(_told(incoming, headers))
        answered = False
        try:
            with anyio.move_on_after(self.config.answer_s):
                await incoming.done.wait()
            if incoming.call is None:
                raise NoAnswer(incoming.outcome)
            answered = True
        finally:
            self.incoming.pop(incoming.context, None)
            if not answered:
                incoming.give_up()
        return incoming.call

    async def _call_person(self, caller: str, target: str) -> PhoneCall:
        """A call between two people, with no application in it."""
        ring = self.ring(target, caller, {})
        try:
            with anyio.move_on_after(self.config.ring_s):
                await ring.over.wait()
            ring.stop(Outcome.NO_ANSWER)
        finally:
            ring.stop(Outcome.CANCELED)
        if ring.call is None:
            raise NoAnswer(ring.outcome or Outcome.NO_ANSWER)
        mine = PhoneCall(caller, target, int(self.config.memory_s * 50))
        bridge = self.bridge()
        bridge.join(mine)
        bridge.join(ring.call)
        return mine


def _told(incoming: Incoming, headers: dict[str, str]) -> Happening:
    """An IncomingCall event."""
    data: dict[str, object] = {
        "to": wire(incoming.callee),
        "from": wire(incoming.caller),
        "serverCallId": incoming.server_call,
        "callerDisplayName": "",
        "incomingCallContext": incoming.context,
        "correlationId": incoming.correlation,
    }
    if headers:
        data["customContext"] = {"sipHeaders": headers, "voipHeaders": {}}
    subject = f"/caller/{incoming.caller}/recipient/{incoming.callee}"
    return Happening(INCOMING, subject, data, number_of(incoming.callee))
