"""One call: its conversation, its two legs, and the task group that owns all it starts."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import anyio
from anyio.abc import TaskGroup

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.audio import base64_ms, silence_like
from switchboard.conversation.core import Conversation
from switchboard.conversation.gate import Passage
from switchboard.conversation.legs import (
    CallerAudio,
    CallerLeg,
    Dial,
    ReplyAudio,
    StraightCaller,
)
from switchboard.conversation.noticing import RECORDING
from switchboard.errors import NotAllowed
from switchboard.exchange.desk import Desk
from switchboard.exchange.ears import Ears
from switchboard.exchange.earshot import Earshot
from switchboard.exchange.lines import ask_line
from switchboard.exchange.observer import UNWATCHED, Watch
from switchboard.exchange.placed import Placed
from switchboard.exchange.private import CallKeys
from switchboard.exchange.sessions import Sessions
from switchboard.exchange.tape import Tape, TapeDeck
from switchboard.exchange.timers import Timers
from switchboard.exchange.tools import CallTools
from switchboard.quiet import quietly

logger = logging.getLogger(__name__)

CLOSE_S: Final = 5.0
"""How long a leg may take to hang up."""


class Call:
    """Carries one call from its first leg to its end. Everything runs on one event loop, and
    `apply` never awaits, so each event is one atomic step."""

    def __init__(
        self,
        placed: Placed,
        dial: Dial,
        note: Callable[[c.Note], None],
        clock: Callable[[], float] = time.monotonic,
        watch: Watch = UNWATCHED,
        deck: TapeDeck | None = None,
        operators: Callable[[], bool] = lambda: False,
    ) -> None:
        """`operators` says whether anybody would hear a wish for a human ring."""
        self._operators = operators
        self.id = placed.call_id
        self.placed = placed
        self.ended: str | None = None
        """Why it ended, once it has."""
        self._came = anyio.Event()
        """Set once the caller has been there."""
        self._media = placed.media
        if self._media:
            dial, self._media.ask_offer = self._media.dial, self._ask_offer
        dial, self._watch = watch.watched(dial), watch
        self._note = note
        self._clock = clock
        self._conversation = Conversation(placed.brief.rules, clock(), placed.past)
        self._gate = self._conversation.gate
        self._timers = Timers(clock)
        self._leg: CallerLeg | None = None
        self._sessions = Sessions(
            self.id,
            placed.brief.spec,
            dial,
            tell=self.apply,
            play=self._play,
            play_at_once=self._play_at_once,
            may_switch=lambda: self._conversation.may_switch,
            clock=clock,
        )
        self.ears = Ears(lambda: self.private)
        """Operators who listen in."""
        self.desk = Desk(
            self.apply,
            self._play_operator,
            lambda: self._conversation.mouth_open,
            self.ears,
            clock,
        )
        """The operator who has the call."""
        self._tape = self._taped(deck)
        self._earshot = Earshot()
        self._keys = CallKeys(clock, placed.brief.patience)
        self._tools = CallTools(placed, self._keys, clock)
        self._board: dict[str, c.Note] = {}
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Carry the call until it ends; then nothing of it survives."""
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(quietly, self._sessions.hold)
                if self._tape:
                    tasks.start_soon(quietly, self._tape.run)
                if self.placed.rings_s is not None:
                    tasks.start_soon(self._ring, self.placed.rings_s)
                await self._timers.run(self._timer_fired)  # until it is over
                tasks.cancel_scope.cancel()
        finally:
            self.apply(e.EndRequested("cancelled"))
            self._keys.wipe()
            self.ears.over()
            try:
                with anyio.move_on_after(CLOSE_S, shield=True):
                    await self._hang_up()
            finally:
                self._let_go()

    def _let_go(self) -> None:
        """Hold none of those that hold us: or all of it would wait for the collector."""
        self._leg = self._tasks = None
        self._sessions.over()
        self.desk.over()
        if self._tape:
            self._tape.over()
        if self._media:
            self._media.ask_offer = _nobody

    def _taped(self, deck: TapeDeck | None) -> Tape | None:
        """What records it here. A telephone call is recorded by its carrier."""
        if self.placed.brief.rules.recording is None or self.placed.channel != "browser":
            return None
        return Tape(
            self.id,
            deck,
            private=lambda: self.private,
            tell=lambda state: self.apply(e.RecordingChanged(state)),
            clock=self._clock,
        )

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
        return self._keys.deaf

    @property
    def taken(self) -> bool:
        """An operator speaks in the agent's place."""
        return self._conversation.taken

    @property
    def not_taken_over(self) -> str | None:
        """Why nobody can take this call over now, in words."""
        return self._conversation.not_taken_over

    @property
    def wish_rings(self) -> bool:
        """The caller waits for an operator."""
        return self._conversation.wish_rings

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
        self._sessions.switch()

    def _timer_fired(self, name: str) -> None:
        self.apply(e.TimerFired(name))

    # -- the two sides --------------------------------------------------------------------------

    async def _listen_to_caller(self, leg: CallerLeg) -> None:
        if isinstance(leg, StraightCaller):
            leg.straight(partial(self._hear_at_once, leg), partial(self._report_at_once, leg))
        async for event in leg:
            if self._leg is not leg or self.ended:
                return
            if isinstance(event, CallerAudio):
                self._hear(event.audio, base64_ms(event.audio))
                continue
            keypad = self._keys.keypad
            if isinstance(event, e.CallerPressed) and keypad and keypad.hides:
                if not keypad.press(event.key):
                    continue
                event = e.CallerKeyed()
            if isinstance(event, e.CallerAway):
                self._leg = None
            if isinstance(event, e.Heard):
                self._heard(event)
            else:
                self.apply(event)

    def _heard(self, event: e.Heard) -> None:
        """What the page claims to have played goes onto the tape as far as it is believed."""
        item = self._gate.sounding.get(event.item_id)
        self.apply(event)
        if self._tape and item is not None:
            self._tape.heard(item.item_id, item.heard_ms)

    def _hear(self, audio: str, ms: float) -> None:
        """Hot path, caller to model: count, keep for a while, and pass on, still base64."""
        if self._keys.keypad is not None and self._keys.deaf:
            audio = silence_like(audio)  # so that the service's clock stays ours
        gate = self._gate
        if gate.deaf:
            return
        gate.caller(ms)
        if self.ears.any:
            self.ears.caller(audio)
        if self._tape:
            self._tape.caller(audio, ms)
        self._earshot.hear(audio, ms, gate.needed_from_ms)
        if (model := self._sessions.leg) and self._conversation.ready:
            model.hear(audio)

    def _hear_at_once(self, leg: CallerLeg, audio: str, ms: float) -> bool:
        """The same, as it comes. A leg that another replaced has nothing more to say."""
        if self._leg is not leg or self.ended:
            return False
        self._hear(audio, ms)
        return True

    def _report_at_once(self, leg: CallerLeg, event: e.Heard) -> bool:
        if self._leg is not leg or self.ended:
            return False
        self._heard(event)
        return True

    def _play(self, reply: ReplyAudio) -> None:
        """Hot path, model to caller: through the gate, still base64."""
        reply_id, item_id, audio = reply
        ms = base64_ms(audio)
        gate = self._gate
        passage = gate.admit(reply_id, item_id, ms, self._clock())
        if passage is Passage.REFUSED or self._leg is None:
            return
        self._leg.play(reply)
        if self.ears.any:
            self.ears.agent(audio)
        if self._tape:
            made_ms = gate.sounding[item_id].received_ms
            self._tape.agent(item_id, made_ms - ms, ms, audio)
        if passage is Passage.FIRST:
            if (keypad := self._keys.keypad) is not None:
                keypad.agent_speaks()
            self.apply(e.ReplySounds(reply_id, item_id))

    def _play_at_once(self, reply: ReplyAudio) -> bool:
        """The same, as it comes. The first of an item is declined: it moves the conversation, which
        is for a task to do."""
        if reply.item_id not in self._gate.sounding:
            return False
        self._play(reply)
        return True

    def _play_operator(self, item_id: str, audio: str) -> None:
        """Hot path, operator to caller: still base64. No reply's, so nothing counts it."""
        if self._leg is not None:
            self._leg.play(ReplyAudio(item_id, item_id, audio))
            self.ears.operator(audio)
            if self._tape:
                self._tape.operator(audio, base64_ms(audio))

    # -- commands -------------------------------------------------------------------------------

    def _carry_out(self, command: c.Command) -> None:
        match command:
            case c.StopPlayout() | c.AskOffer() | c.Record():
                self._for_caller(command)
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
            case c.HoldReplies() | c.RingConsole():
                self._for_operator(command)
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
                | c.NoteRecording()
                | c.NoteWish()
            ):
                self._show(command)
            case _:
                if model := self._sessions.leg:
                    model.command(command)

    def _for_caller(self, command: c.CallerCommand) -> None:
        match command:
            case c.Record(on) if self._tape:
                self._tape.want(on=on)
                return
            case c.StopPlayout():
                self._hush()
            case _:
                pass
        if self._leg:
            self._leg.command(command)

    def _hush(self) -> None:
        self.ears.hush()
        self.desk.hush()
        if self._tape:
            self._tape.hush()

    def _do(self, command: c.OwnCommand) -> None:
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
                    self._tasks.start_soon(quietly, self._sessions.hold)
            case c.ReplayTurn() | c.ResendAudio():
                self._speak_again(command)
            case c.HideKeys() | c.OpenKeypad() | c.CloseKeypad():
                self._take_keys(command)

    def _for_operator(self, command: c.HoldReplies | c.RingConsole) -> None:
        if isinstance(command, c.HoldReplies):
            self._hold_replies(command.hold)
        elif self._tasks:
            self._tasks.start_soon(self._ring_console)

    def _hold_replies(self, hold: bool) -> None:
        turns = self.placed.brief.spec.turn_detection
        if turns is None or (model := self._sessions.leg) is None:
            return  # whoever pushes to talk is answered when we ask for it
        model.command(c.SetTurns({**turns, "create_response": False} if hold else turns))

    async def _ring_console(self) -> None:
        if not self._operators():
            self.apply(e.WishMissed())

    def _take_keys(self, command: c.HideKeys | c.OpenKeypad | c.CloseKeypad) -> None:
        if self._keys.take(command) and self._tasks:
            self._tasks.start_soon(self._keys.entries.run)

    def _speak_again(self, command: c.ReplayTurn | c.ResendAudio) -> None:
        if model := self._sessions.leg:
            for again in self._earshot.again(command):
                model.command(again)

    async def _use_line(self, command: c.LineCommand) -> None:
        told = await ask_line(self.placed.line, self.id, command)
        logger.info("line told", extra={"call": self.id, "outcome": told.outcome.value})
        self.apply(told)

    async def _run_tool(self, command: c.RunTool) -> None:
        self.apply(await self._tools.run(command))

    def _show(self, note: c.Note) -> None:
        match note:
            case c.NoteLine(item_id):
                self._board[item_id] = note
            case c.NoteTool(call_id):
                self._board[call_id] = note
            case c.NoteRecording():
                self._board[RECORDING] = note
            case _:
                pass
        self._note(note)
        self._watch.noted(note)
        if self._leg:
            self._leg.show(note)

    def _finish(self, reason: str) -> None:
        if self.ended is None:
            self.ended = reason
            self._timers.stop()


def _nobody() -> None:
    pass
