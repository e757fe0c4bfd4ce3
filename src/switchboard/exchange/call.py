"""One call: its conversation, its two legs, and the task group that owns all it starts."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio
from anyio.abc import TaskGroup

from switchboard.access.principal import Principal
from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.audio import PCM_24K, base64_size_bytes
from switchboard.conversation.core import Conversation
from switchboard.conversation.gate import Passage
from switchboard.conversation.legs import CallerAudio, CallerLeg, Dial, ModelLeg, ReplyAudio
from switchboard.errors import ModelUnavailable, NotAllowed
from switchboard.exchange.brief import Brief
from switchboard.exchange.media import CallMedia
from switchboard.exchange.timers import Timers
from switchboard.tools.context import ToolContext

logger = logging.getLogger(__name__)

EARLY_FRAMES: Final = 100
"""Two seconds of the caller, kept while the model is being dialled."""
EARLY_COMMANDS: Final = 64
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
        self._early_audio: deque[str] = deque(maxlen=EARLY_FRAMES)
        self._early_commands: deque[c.ModelCommand] = deque(maxlen=EARLY_COMMANDS)
        self._board: dict[str, c.Note] = {}
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Carry the call until it ends; then nothing of it survives."""
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(self._timers.run, self._timer_fired)
                tasks.start_soon(self._listen_to_model)
                await self._over.wait()
                tasks.cancel_scope.cancel()
        finally:
            self.apply(e.EndRequested("cancelled"))
            with anyio.move_on_after(CLOSE_S, shield=True):
                await self._hang_up()

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

    def end(self, reason: str, *, politely: bool = False) -> None:
        self.apply(e.EndRequested(reason, politely))

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
            if isinstance(event, e.CallerAway):
                self._leg = None
            self.apply(event)

    async def _listen_to_model(self) -> None:
        try:
            async with self._dial(self.placed.brief.spec) as leg:
                self._model_joined(leg)
                async for event in leg:
                    if isinstance(event, ReplyAudio):
                        self._play(event)
                    else:
                        self.apply(event)
                    if isinstance(event, e.ModelReady):
                        self._model_listens()
            self.apply(e.ModelLost("closed", retryable=True))
        except ModelUnavailable as unavailable:
            logger.warning(
                "model unavailable",
                extra={"call": self.id, "reason": str(unavailable), "status": unavailable.status},
            )
            self.apply(e.ModelLost(str(unavailable), unavailable.retryable))

    def _model_joined(self, leg: ModelLeg) -> None:
        self._model = leg
        while self._early_commands:
            leg.command(self._early_commands.popleft())

    def _model_listens(self) -> None:
        while self._early_audio:
            self._hear(self._early_audio.popleft())

    def _hear(self, audio: str) -> None:
        """Hot path, caller to model: count and pass on, still base64.

        Only what is passed on counts: the service's clock is the audio that it was sent.
        """
        if self._model and self._conversation.ready:
            self._conversation.gate.caller(PCM_24K.duration_ms(base64_size_bytes(audio)))
            self._model.hear(audio)
        else:
            self._early_audio.append(audio)

    def _play(self, reply: ReplyAudio) -> None:
        """Hot path, model to caller: through the gate, still base64."""
        ms = PCM_24K.duration_ms(base64_size_bytes(reply.audio))
        gate = self._conversation.gate
        passage = gate.admit(reply.reply_id, reply.item_id, ms, self._clock())
        if passage is Passage.REFUSED or self._leg is None:
            return
        self._leg.play(reply)
        if passage is Passage.FIRST:
            self.apply(e.ReplySounds(reply.reply_id, reply.item_id))

    # -- commands -------------------------------------------------------------------------------

    def _carry_out(self, command: c.Command) -> None:
        match command:
            case c.StopPlayout() | c.AskOffer():
                if self._leg:
                    self._leg.command(command)
            case c.RunTool() | c.SetTimer() | c.ClearTimer() | c.EndCall():
                self._do(command)
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
                else:
                    self._early_commands.append(command)

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

    async def _run_tool(self, command: c.RunTool) -> None:
        placed = self.placed
        context = ToolContext(
            call_id=command.call_id,
            principal_id=placed.principal.id,
            principal_name=placed.principal.name,
            agent_id=placed.brief.agent,
            resources=placed.brief.resources,
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
