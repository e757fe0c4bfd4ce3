"""One call: its conversation, its two legs, and the task group that owns all it starts."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import anyio
from anyio.abc import TaskGroup

from switchboard.access.principal import Principal
from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation import wording
from switchboard.conversation.audio import PCM_24K, base64_size_bytes, silence_like
from switchboard.conversation.core import Conversation
from switchboard.conversation.gate import Passage
from switchboard.conversation.legs import (
    CallerAudio,
    CallerLeg,
    Dial,
    Line,
    ModelLeg,
    ReplyAudio,
)
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable, NotAllowed
from switchboard.exchange.brief import Brief
from switchboard.exchange.ears import Ears
from switchboard.exchange.earshot import Earshot
from switchboard.exchange.keypad import CallKeypad
from switchboard.exchange.lines import ask_line, use_line
from switchboard.exchange.media import CallMedia
from switchboard.exchange.timers import Timers
from switchboard.tools.context import ToolContext
from switchboard.tools.private import PrivateEntries

logger = logging.getLogger(__name__)

CLOSE_S: Final = 5.0
"""How long a leg may take to hang up."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that may begin: who calls whom."""

    call_id: str
    principal: Principal
    brief: Brief
    media: CallMedia | None = None
    """Over WebRTC: what its model is dialled beside."""
    line: Line | None = None
    """By telephone: what the carrier can do beside the media."""
    rings_s: float | None = None
    """Of a call that began before its caller is there: how long it may be without."""
    outgoing: bool = False
    """We ring, on a telephone."""


@dataclass(frozen=True, slots=True)
class Successor:
    """A model session that is ready to be the call's."""

    event: e.ModelReady
    leg: ModelLeg
    life: anyio.CancelScope


class Call:
    """Carries one call from its first leg to its end. Everything runs on one event loop, and
    `apply` never awaits, so each event is one atomic step."""

    def __init__(
        self,
        placed: Placed,
        dial: Dial,
        note: Callable[[c.Note], None],
        clock: Callable[[], float] = anyio.current_time,
    ) -> None:
        self.id = placed.call_id
        self.placed = placed
        self.ended: str | None = None
        """Why it ended, once it has."""
        self._came = anyio.Event()
        """Set once the caller has been there."""
        self._media = placed.media
        if self._media:
            dial, self._media.ask_offer = self._media.dial, self._ask_offer
        self._dial = dial
        self._note = note
        self._clock = clock
        self._conversation = Conversation(placed.brief.rules, clock())
        self._timers = Timers(clock)
        self._over = anyio.Event()
        self._leg: CallerLeg | None = None
        self._model: ModelLeg | None = None
        self._model_life: anyio.CancelScope | None = None
        """What ends the leg in `_model` when another takes its place."""
        self._successor: Successor | None = None
        """A session that is ready, and waits for a pause in the one there is."""
        self._lost_at: float | None = None
        self._conversation_id: str | None = None
        """That of a Foundry agent, by which its next session goes on."""
        self.ears = Ears(lambda: self.private)
        """Operators who listen in."""
        self._earshot = Earshot()
        self._keypad: CallKeypad | None = None
        """What the caller keys privately, once something was."""
        self._entries = PrivateEntries(clock)
        self._board: dict[str, c.Note] = {}
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Carry the call until it ends; then nothing of it survives."""
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(self._timers.run, self._timer_fired)
                tasks.start_soon(self._hold_model)
                if self.placed.rings_s is not None:
                    tasks.start_soon(self._ring, self.placed.rings_s)
                await self._over.wait()
                tasks.cancel_scope.cancel()
        finally:
            self.apply(e.EndRequested("cancelled"))
            self._wipe()
            self.ears.over()
            with anyio.move_on_after(CLOSE_S, shield=True):
                await self._hang_up()

    @property
    def came(self) -> bool:
        """Its caller has been there, or was from the first."""
        return self.placed.rings_s is None or self._came.is_set()

    @property
    def rings(self) -> bool:
        """It has begun, and nobody has come yet."""
        return not self.came and not self.ended

    async def _ring(self, for_s: float) -> None:
        """Wait for the caller of a call that has begun, and not for ever."""
        with anyio.move_on_after(for_s):
            await self._came.wait()
            return
        self.apply(e.EndRequested("nobody_came"))

    async def _hang_up(self) -> None:
        """Both at once: neither a slow page nor a slow service keeps the other."""
        async with anyio.create_task_group() as tasks:
            if self._leg:
                tasks.start_soon(self._leg.close, self.ended or "ended")
            if self._media:
                tasks.start_soon(self._media.hang_up)

    async def serve(self, leg: CallerLeg) -> None:
        """Be this caller's call until the leg is gone, the call over, or another leg takes over.

        Raises `NotAllowed` if the call is over.
        """
        if self.ended:
            raise NotAllowed("This call has ended.")
        self._came.set()
        former, self._leg = self._leg, None
        if former:
            self.apply(e.CallerAway())  # what it had still to play is lost with it
        self._leg = leg
        try:
            for note in list(self._board.values()):
                leg.show(note)
            self.apply(e.CallerJoined())
            if former:
                await former.close("replaced")
            await self._listen_to_caller(leg)
        finally:
            if self._leg is leg and not self.ended:
                self._leg = None
                self.apply(e.CallerAway())

    @property
    def private(self) -> bool:
        """Nobody may listen in now: the caller keys what only a tool may know."""
        return self._conversation.private or self.deaf

    @property
    def deaf(self) -> bool:
        """The caller's voice goes nowhere now."""
        return self._keypad is not None and self._keypad.deaf

    def end(self, reason: str, *, politely: bool = False) -> None:
        self.apply(e.EndRequested(reason, politely))

    def ask_for_human(self) -> None:
        self.apply(e.HumanWanted())

    async def offered(self, offer: str) -> str:
        """WebRTC: the service's answer to fresh media of the same call.

        Raises `NotAllowed` where there can be none, `ModelUnavailable`, `OfferRefused`.
        """
        if self._media is None or self.ended:
            raise NotAllowed("This call has ended.")
        return await self._media.offered(offer)

    def _ask_offer(self) -> None:
        if self._leg:
            self._leg.command(c.AskOffer())

    def apply(self, event: e.Event) -> None:
        """One step of the conversation, and everything it asks for."""
        try:
            for command in self._conversation.apply(event, self._clock()):
                self._carry_out(command)
        except Exception:
            # A fault of ours must end this call and no other.
            logger.exception("call failed", extra={"call": self.id, "event": type(event).__name__})
            self._finish("internal_error")
        if self._successor is not None:
            self._switch()

    def _timer_fired(self, name: str) -> None:
        self.apply(e.TimerFired(name))

    # -- the two sides --------------------------------------------------------------------------

    async def _listen_to_caller(self, leg: CallerLeg) -> None:
        async for event in leg:
            if self._leg is not leg or self.ended:
                return
            if isinstance(event, CallerAudio):
                self._hear(event.audio)
                continue
            if isinstance(event, e.CallerPressed) and self._keypad and self._keypad.hides:
                if not self._keypad.press(event.key):
                    continue
                event = e.CallerKeyed()
            if isinstance(event, e.CallerAway):
                self._leg = None
            self.apply(event)

    async def _hold_model(self) -> None:
        """Dial one model session, and listen to it until it is lost or replaced."""
        last: e.ModelLost | None = None
        with anyio.CancelScope() as life:
            try:
                async with self._dial(self._spec()) as leg:
                    last = await self._listen_to_model(leg, life)
            except ModelUnavailable as unavailable:
                logger.warning(
                    "model unavailable",
                    extra={
                        "call": self.id,
                        "reason": str(unavailable),
                        "status": unavailable.status,
                    },
                )
                last = e.ModelLost(str(unavailable), unavailable.retryable)
        if last is not None and not life.cancel_called:
            self._model_over(last, life)

    def _model_over(self, last: e.ModelLost, life: anyio.CancelScope) -> None:
        """A session ended by itself: the call's own, the next one, or one that never was ready."""
        if self._model_life is life:
            self._model = self._model_life = None
            self._lost_at = self._lost_at or self._clock()
            logger.warning("model lost", extra={"call": self.id, "reason": last.reason})
            self.apply(last)
            return
        if self._successor is not None and self._successor.life is life:
            self._successor = None
        self.apply(e.DialFailed(last.reason, last.retryable))

    async def _listen_to_model(self, leg: ModelLeg, life: anyio.CancelScope) -> e.ModelLost:
        """Its last word."""
        async for event in leg:
            match event:
                case ReplyAudio():
                    self._play(event)
                case e.ModelReady():
                    self._successor = Successor(event, leg, life)
                    self._switch()
                case e.ModelLost():
                    return event
                case _ if self._model is leg:
                    self.apply(event)
                case _:
                    pass  # a session that is not the call's yet has nothing to tell us
        return e.ModelLost("closed", retryable=True)

    def _switch(self) -> None:
        """Let a session that is ready take the place of the one there is, once nothing is cut off
        by it."""
        ready = self._successor
        if ready is None or (self._model is not None and not self._conversation.may_switch):
            return
        self._successor = None
        former, self._model, self._model_life = self._model_life, ready.leg, ready.life
        if self._lost_at is not None:
            gap_ms = round((self._clock() - self._lost_at) * 1000)
            logger.info("model session replaced", extra={"call": self.id, "gap_ms": gap_ms})
            self._lost_at = None
        event = ready.event
        known, self._conversation_id = self._conversation_id, event.conversation_id
        self.apply(replace(event, remembers=known is not None and event.conversation_id == known))
        if event.expires_at is not None:
            # The service tells the time of day, the conversation only knows its own clock.
            self.apply(e.SessionEnds(self._clock() + event.expires_at - time.time()))
        if former is not None and former is not ready.life:
            logger.info("model session renewed", extra={"call": self.id})
            former.cancel()

    def _spec(self) -> SessionSpec:
        """What the next session is to be: a Foundry agent goes on with its own conversation."""
        spec = self.placed.brief.spec
        if spec.agent is None or self._conversation_id is None:
            return spec
        return replace(spec, agent=replace(spec.agent, conversation_id=self._conversation_id))

    def _hear(self, audio: str) -> None:
        """Hot path, caller to model: count, keep for a while, and pass on, still base64."""
        if self._keypad is not None and self._keypad.deaf:
            audio = silence_like(audio)  # so that the service's clock stays ours
        ms = PCM_24K.duration_ms(base64_size_bytes(audio))
        gate = self._conversation.gate
        if gate.deaf:
            return
        gate.caller(ms)
        self.ears.caller(audio)
        self._earshot.hear(audio, ms, gate.needed_from_ms)
        if self._model and self._conversation.ready:
            self._model.hear(audio)

    def _play(self, reply: ReplyAudio) -> None:
        """Hot path, model to caller: through the gate, still base64."""
        ms = PCM_24K.duration_ms(base64_size_bytes(reply.audio))
        gate = self._conversation.gate
        passage = gate.admit(reply.reply_id, reply.item_id, ms, self._clock())
        if passage is Passage.REFUSED or self._leg is None:
            return
        self._leg.play(reply)
        self.ears.agent(reply.audio)
        if passage is Passage.FIRST:
            if self._keypad is not None:
                self._keypad.agent_speaks()
            self.apply(e.ReplySounds(reply.reply_id, reply.item_id))

    # -- commands -------------------------------------------------------------------------------

    def _carry_out(self, command: c.Command) -> None:
        match command:
            case c.StopPlayout() | c.AskOffer() | c.Record():
                if isinstance(command, c.StopPlayout):
                    self.ears.hush()
                if self._leg:
                    self._leg.command(command)
            case (
                c.RunTool()
                | c.SetTimer()
                | c.ClearTimer()
                | c.EndCall()
                | c.DialModel()
                | c.ReplayTurn()
                | c.ResendAudio()
                | c.HideKeys()
                | c.OpenKeypad()
                | c.CloseKeypad()
            ):
                self._do(command)
            case c.TransferCall() | c.RingHuman() | c.HandOver():
                if self._tasks:
                    self._tasks.start_soon(self._use_line, command)
            case (
                c.NoteLine()
                | c.NoteTool()
                | c.NoteInterruption()
                | c.NoteLatency()
                | c.NoteUsage()
                | c.NoteFloor()
                | c.NoteNotice()
            ):
                self._show(command)
            case _:
                if self._model:
                    self._model.command(command)

    def _do(self, command: c.ExchangeCommand) -> None:
        match command:
            case c.RunTool():
                if self._tasks:
                    self._tasks.start_soon(self._run_tool, command)
            case c.SetTimer(name, at):
                self._timers.set(name, at)
            case c.ClearTimer(name):
                self._timers.clear(name)
            case c.EndCall(reason):
                self._finish(reason)
            case c.DialModel():
                if self._tasks:
                    self._tasks.start_soon(self._hold_model)
            case c.ReplayTurn() | c.ResendAudio():
                self._speak_again(command)
            case c.HideKeys() | c.OpenKeypad() | c.CloseKeypad():
                self._take_private_keys(command)

    def _take_private_keys(self, command: c.HideKeys | c.OpenKeypad | c.CloseKeypad) -> None:
        if self._keypad is None:
            self._keypad = CallKeypad(self._clock, self.placed.brief.patience)
            if self._tasks:
                self._tasks.start_soon(self._entries.run)
        match command:
            case c.HideKeys():
                self._keypad.hide()
            case c.OpenKeypad():
                self._keypad.open()
            case c.CloseKeypad():
                self._keypad.close()

    def _wipe(self) -> None:
        """Nothing that was keyed survives."""
        self._entries.wipe()
        if self._keypad:
            self._keypad.close()
            self._keypad.wipe()

    def _speak_again(self, command: c.ReplayTurn | c.ResendAudio) -> None:
        """Give a new session what the caller said to an old one."""
        if self._model is None:
            return
        match command:
            case c.ResendAudio(from_ms):
                for audio in self._earshot.since(from_ms):
                    self._model.command(c.AppendAudio(audio))
            case c.ReplayTurn(item_id, from_ms, to_ms):
                audio = self._earshot.between(from_ms, to_ms)
                self._model.command(
                    c.AddCallerText(item_id, wording.UNKNOWN_WORDS)
                    if audio is None
                    else c.AddCallerAudio(item_id, audio)
                )

    async def _use_line(self, command: c.LineCommand) -> None:
        told = await ask_line(self.placed.line, self.id, command)
        logger.info("line told", extra={"call": self.id, "outcome": told.outcome.value})
        self.apply(told)

    async def _run_line_tool(self, line: Line, command: c.RunTool) -> None:
        began = self._clock()
        output, outcome = await use_line(line, self.id, command)
        took_ms = (self._clock() - began) * 1_000
        self.apply(e.ToolAnswered(command.call_id, output, outcome, took_ms))

    async def _run_tool(self, command: c.RunTool) -> None:
        placed = self.placed
        if placed.line is not None and command.name in placed.brief.line_tools:
            await self._run_line_tool(placed.line, command)
            return
        context = ToolContext(
            call_id=command.call_id,
            principal_id=placed.principal.id,
            principal_name=placed.principal.name,
            agent_id=placed.brief.agent,
            resources=placed.brief.resources,
            keypad=self._keypad,
            entries=self._entries,
        )
        result = await placed.brief.toolbox.run(
            command.name, command.arguments, context, offered=placed.brief.offered
        )
        logger.info(
            "tool answered",
            extra={
                "call": self.id,
                "tool": command.name,
                "outcome": result.outcome.value,
                "duration_ms": round(result.duration_ms, 1),
            },
        )
        self.apply(
            e.ToolAnswered(command.call_id, result.output, result.outcome, result.duration_ms)
        )

    def _show(self, note: c.Note) -> None:
        if isinstance(note, c.NoteLine | c.NoteTool):
            self._board[note.item_id if isinstance(note, c.NoteLine) else note.call_id] = note
        self._note(note)
        if self._leg:
            self._leg.show(note)

    def _finish(self, reason: str) -> None:
        if self.ended is None:
            self.ended = reason
            self._over.set()
