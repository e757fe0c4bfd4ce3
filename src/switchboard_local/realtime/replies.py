"""The replies of one session in the making: one to the conversation, a few beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from switchboard_local.mind.parts import Request
from switchboard_local.realtime.effects import Generate, Stop, Tape
from switchboard_local.realtime.history import History, Item, waiting
from switchboard_local.realtime.planning import prompt_of, rate_limits, request_for
from switchboard_local.realtime.playout import Playout
from switchboard_local.realtime.refusals import Refused, already_speaking
from switchboard_local.realtime.reply import Ending, Piece, Plan, Reply, Sound
from switchboard_local.realtime.usage import Meter

MAX_SIDE_REPLIES: Final = 8
"""Out-of-band replies in the making at once."""


@dataclass(slots=True)
class _Making:
    """A reply being made, and what its mind reads."""

    reply: Reply
    reading: Sequence[Item]


class Replies:
    """Begins, feeds and ends replies. Never two to the conversation at once."""

    def __init__(
        self, conversation_id: str, history: History, tape: Tape, playout: Playout | None
    ) -> None:
        self._conversation_id = conversation_id
        self._history = history
        self._tape = tape
        self._playout = playout
        self._meter = Meter()
        self._making: dict[str, _Making] = {}
        self._used_tokens = 0
        self.voice_heard = False
        """Whether the conversation holds the agent's audio: its voice is then settled."""

    @property
    def active(self) -> Reply | None:
        """The reply to the conversation in the making."""
        for making in self._making.values():
            if making.reply.plan.in_conversation:
                return making.reply
        return None

    def admit(self, plan: Plan, voice: str) -> None:
        """Raises `Refused` if `plan` may not begin now. `voice` is the session's own."""
        if not plan.in_conversation:
            beside = sum(not m.reply.plan.in_conversation for m in self._making.values())
            if beside >= MAX_SIDE_REPLIES:
                message = f"At most {MAX_SIDE_REPLIES} responses out of band at once."
                raise Refused("too_many_responses", message)
            return
        if self.active is not None:
            raise already_speaking(self.active.id)
        if self.voice_heard and plan.voice != voice:
            raise voice_settled("response.audio.output.voice")

    def begin(self, plan: Plan, reading: Sequence[Item]) -> None:
        """Begin an admitted reply whose mind reads `reading`."""
        reply = Reply(
            id=self._tape.new_id("resp"),
            plan=plan,
            conversation_id=self._conversation_id if plan.in_conversation else None,
            history=self._history,
            emit=self._tape.emit,
            new_id=self._tape.new_id,
            playout=self._playout,
        )
        self._making[reply.id] = _Making(reply, reading)
        reply.begin()
        self._tape.emit("rate_limits.updated", rate_limits=rate_limits(self._used_tokens))
        self._tape.do(Generate(reply.id))

    def cancel(self, response_id: str | None) -> None:
        """The client wants it stopped; none named means the active one. Raises `Refused`."""
        active = self.active
        wanted = response_id or (active.id if active else "")
        making = self._making.get(wanted)
        if making is None or making.reply.ending is not None:
            raise Refused(
                "response_cancel_not_active", "Cancellation failed: no active response found."
            )
        self._stop(making.reply, "client_cancelled")

    def cut_in(self) -> None:
        """The caller speaks: the active reply stops, if there is one."""
        active = self.active
        if active is not None and active.ending is None:
            self._stop(active, "turn_detected")

    def plan(self, reply_id: str) -> Plan:
        return self._making[reply_id].reply.plan

    def request(self, reply_id: str) -> Request | None:
        """What the mind is to read for it; `None` while the ears are still at work."""
        making = self._making[reply_id]
        if waiting(making.reading):
            return None
        return request_for(making.reply.plan, making.reading)

    def transcribed(self, ear: str, text: str | None) -> None:
        """The ears have answered, of items that may be in no conversation."""
        for making in self._making.values():
            for item in making.reading:
                if item.ear == ear and item.words is None:
                    item.words = text or ""

    def add(self, reply_id: str, piece: Piece) -> None:
        """A piece of the reply is made. Once it is to end, only sound on its way still leaks."""
        making = self._making.get(reply_id)
        if making is None:
            return
        reply = making.reply
        if reply.ending is not None:
            if reply.ending.status == "cancelled" and isinstance(piece, Sound):
                reply.add(piece)
        elif reply.affords(piece):
            self.voice_heard |= isinstance(piece, Sound) and reply.plan.in_conversation
            reply.add(piece)
        else:
            reply.ending = Ending("incomplete", "max_output_tokens")
            self._tape.do(Stop(reply_id))

    def over(self, reply_id: str, error: str | None) -> Reply | None:
        """Nothing more of it will come; `error` says what went wrong, if anything did."""
        making = self._making.pop(reply_id, None)
        if making is None:
            return None
        reply = making.reply
        if error is not None and reply.ending is None:
            reply.ending = Ending("failed", error=error)
        prompt = prompt_of(reply.plan, making.reading)
        usage = self._meter.usage(prompt, reply.made.tokens())
        self._used_tokens += usage["total_tokens"]
        reply.end(usage)
        if self._playout is not None:
            self._playout.complete(reply_id)
        return reply

    def _stop(self, reply: Reply, reason: str) -> None:
        reply.ending = Ending("cancelled", reason)
        self._tape.do(Stop(reply.id))


def voice_settled(param: str) -> Refused:
    """Another voice was asked for in the middle of a conversation."""
    return Refused(
        "cannot_update_voice",
        "Cannot update a conversation's voice if assistant audio is present.",
        param,
    )
