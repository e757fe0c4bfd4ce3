"""The realtime session: what clients say, what the ear hears and what the engine makes, in; server
events and work for the engine, out. Nothing here waits, reads a clock or touches a socket.

    caller's audio ─▶ Listening ─▶ turns ─▶ user items ─┐
    client events ──────────────────────────────────────┼─▶ replies ─▶ events
    the mind's and the voice's pieces ──────────────────┘
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from switchboard_local.engine.parts import Detector
from switchboard_local.mind.parts import Request
from switchboard_local.realtime.effects import (
    Effect,
    Forget,
    Generate,
    Send,
    Stop,
    Transcribe,
)
from switchboard_local.realtime.history import History, Item, waiting
from switchboard_local.realtime.items import brought, spoken, with_audio
from switchboard_local.realtime.listening import (
    MIN_COMMIT_MS,
    Cue,
    Listening,
    PauseHeard,
    SpeechBegan,
    SpeechEnded,
    SpeechWentOn,
)
from switchboard_local.realtime.planning import plan_for, prompt_of, rate_limits, request_for
from switchboard_local.realtime.refusals import Refused, already_speaking
from switchboard_local.realtime.reply import Ending, Piece, Plan, Reply, Sound
from switchboard_local.realtime.session_object import ServerVad, Session, updated
from switchboard_local.realtime.usage import Meter, caller_tokens, text_tokens
from switchboard_local.realtime.wire import (
    Append,
    Clear,
    ClientEvent,
    Commit,
    FunctionCallOutput,
    ItemCreate,
    ItemDelete,
    ItemReference,
    ItemRetrieve,
    ItemTruncate,
    NewItem,
    OutputClear,
    ResponseCancel,
    ResponseCreate,
    ResponseParams,
    SessionUpdate,
)

MAX_SIDE_REPLIES: Final = 8
"""Out-of-band replies in the making at once."""


@dataclass(slots=True)
class _Making:
    """A reply being made, and what its mind reads."""

    reply: Reply
    reading: Sequence[Item]


@dataclass(slots=True)
class _Turn:
    """The caller's open turn."""

    item_id: str
    ear: str | None = None
    """The transcription under way of what was said so far."""


class RealtimeSession:
    """One client's session. Every method returns what is to be done, in order."""

    def __init__(
        self,
        model: str,
        detector: Detector,
        *,
        new_id: Callable[[str], str],
        expires_at: int,
    ) -> None:
        self._session = Session(type="realtime", model=model)
        self._listening = Listening(detector, self._session.audio.input)
        self._history = History()
        self._meter = Meter()
        self._new_id = new_id
        self._id = new_id("sess")
        self._conversation_id = new_id("conv")
        self._expires_at = expires_at
        self._making: dict[str, _Making] = {}
        self._turn: _Turn | None = None
        self._guesses: dict[str, str | None] = {}
        self._voice_heard = False
        self._used_tokens = 0
        self._idle_at_s: float | None = None
        self._effects: list[Effect] = []

    # What the socket asks and tells

    def open(self) -> Sequence[Effect]:
        """The first events."""
        self._emit("session.created", session=self._wire())
        conversation = {"id": self._conversation_id, "object": "realtime.conversation"}
        self._emit("conversation.created", conversation=conversation)
        return self._done()

    def apply(self, event: ClientEvent) -> Sequence[Effect]:
        """Carry out what the client asks; `hear` is for its audio."""
        try:
            self._apply(event)
        except Refused as refused:
            self._error(refused, event.event_id)
        return self._done()

    def refuse(self, refused: Refused, event_id: str | None) -> Sequence[Effect]:
        """Say that an event could not be understood."""
        self._error(refused, event_id)
        return self._done()

    def hear(self, audio: bytes, event_id: str | None = None) -> Sequence[Effect]:
        """Take in the caller's audio, in the session's format."""
        try:
            for cue in self._listening.hear(audio):
                self._cue(cue)
        except Refused as refused:
            self._error(refused, event_id)
        return self._done()

    def request(self, reply_id: str) -> Request | None:
        """What the mind is to read for this reply; `None` while the ears are still at work."""
        making = self._making[reply_id]
        if waiting(making.reading):
            return None
        return request_for(making.reply.plan, making.reading)

    def plan(self, reply_id: str) -> Plan:
        return self._making[reply_id].reply.plan

    def add(self, reply_id: str, piece: Piece) -> Sequence[Effect]:
        """A piece of the reply is made."""
        making = self._making.get(reply_id)
        if making is None:
            return ()
        reply = making.reply
        if reply.ending is not None:
            if reply.ending.status == "cancelled" and isinstance(piece, Sound):
                reply.add(piece)
            return self._done()
        if not reply.affords(piece):
            reply.ending = Ending("incomplete", "max_output_tokens")
            return (Stop(reply_id),)
        self._voice_heard |= isinstance(piece, Sound) and reply.plan.in_conversation
        reply.add(piece)
        return self._done()

    def over(self, reply_id: str, now_s: float, error: str | None = None) -> Sequence[Effect]:
        """Nothing more of the reply will come; `error` says what went wrong, if anything did."""
        making = self._making.pop(reply_id, None)
        if making is None:
            return ()
        reply = making.reply
        if error is not None and reply.ending is None:
            reply.ending = Ending("failed", error=error)
        prompt = prompt_of(reply.plan, making.reading)
        usage = self._meter.usage(prompt, reply.made.tokens())
        self._used_tokens += usage["total_tokens"]
        reply.end(usage)
        if reply.plan.in_conversation and reply.ending != _CUT_IN:
            self._await_idleness(now_s + reply.made.audio_ms / 1000)
        return self._done()

    def transcribed(self, ear: str, text: str | None) -> Sequence[Effect]:
        """What the ears made of it; `None` when they failed."""
        if self._turn is not None and self._turn.ear == ear:
            self._guesses[ear] = text
            self._listening.guessed(text or "")
        for item in self._history:
            if item.ear == ear and item.words is None:
                self._understand(item, text)
        for making in self._making.values():
            for item in making.reading:
                if item.ear == ear and item.words is None:
                    item.words = text or ""
        return self._done()

    @property
    def deadline_s(self) -> float | None:
        """When `tick` has something to do."""
        return self._idle_at_s

    def tick(self, now_s: float) -> Sequence[Effect]:
        """Time has passed."""
        due = self._idle_at_s is not None and now_s >= self._idle_at_s
        if due and not self._listening.speaking and self._active is None:
            self._idle_at_s = None
            self._prompt_idle_caller()
        return self._done()

    # Client events

    def _apply(self, event: ClientEvent) -> None:
        match event:
            case SessionUpdate():
                self._update(event)
            case Append():
                raise Refused("invalid_event", "Audio takes its own way in.")
            case Commit():
                self._commit_by_hand()
            case Clear():
                self._clear()
            case ResponseCreate():
                self._create_response(event.response)
            case ResponseCancel():
                self._cancel(event)
            case OutputClear():
                raise Refused("invalid_event", "output_audio_buffer.clear is for WebRTC and SIP.")
            case _:
                self._apply_to_item(event)

    def _apply_to_item(self, event: ItemCreate | ItemRetrieve | ItemDelete | ItemTruncate) -> None:
        match event:
            case ItemCreate():
                self._create_item(event)
            case ItemRetrieve():
                item = self._item(event.item_id, "retrieve")
                self._emit("conversation.item.retrieved", item=with_audio(item, _base64))
            case ItemDelete():
                self._history.remove(self._item(event.item_id, "delete"))
                self._emit("conversation.item.deleted", item_id=event.item_id)
            case ItemTruncate():
                self._truncate(event)
            case _:
                assert_never(event)

    def _update(self, event: SessionUpdate) -> None:
        session = updated(self._session, event.session)
        voice = session.audio.output.voice
        if self._voice_heard and voice != self._session.audio.output.voice:
            raise Refused(
                "cannot_update_voice",
                "Cannot update a conversation's voice if assistant audio is present.",
                "session.audio.output.voice",
            )
        self._session = session
        self._listening.configure(session.audio.input)
        if session.audio.input.turn_detection is None:
            self._drop_turn()
            self._idle_at_s = None
        self._emit("session.updated", session=self._wire())

    def _commit_by_hand(self) -> None:
        if self._listening.buffered_ms < MIN_COMMIT_MS:
            raise Refused(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least"
                f" {MIN_COMMIT_MS}ms of audio, but buffer only has"
                f" {self._listening.buffered_ms:.2f}ms of audio.",
            )
        item_id = self._turn.item_id if self._turn else self._new_id("item")
        self._drop_turn()
        self._commit(item_id, self._listening.take(), None)

    def _clear(self) -> None:
        self._drop_turn()
        self._listening.clear()
        self._emit("input_audio_buffer.cleared")

    def _create_item(self, event: ItemCreate) -> None:
        new = event.item
        if isinstance(new, FunctionCallOutput) and not self._history.has_call(new.call_id):
            raise Refused(
                "invalid_tool_call_id", f"There is no call '{new.call_id}'.", "item.call_id"
            )
        item = self._bring(new)
        before = self._history.add(item, event.previous_item_id)
        self._emit("conversation.item.added", previous_item_id=before, item=item.wire())
        self._emit("conversation.item.done", previous_item_id=before, item=item.wire())
        self._ask_ears(item)

    def _truncate(self, event: ItemTruncate) -> None:
        item = self._item(event.item_id, "truncate")
        speech = item.speech
        if speech is None or event.content_index:
            raise Refused(
                "invalid_value", "Only model output audio messages can be truncated.", "item_id"
            )
        if event.audio_end_ms > speech.left_ms + 1:
            raise Refused(
                "invalid_value",
                f"Audio content of {speech.left_ms:.0f}ms is already shorter than"
                f" {event.audio_end_ms}ms.",
                "audio_end_ms",
            )
        speech.cut_ms = event.audio_end_ms
        if not item.in_progress:
            heard = {"type": "output_audio", "transcript": speech.heard()}
            item.body["content"] = [heard]
        self._emit(
            "conversation.item.truncated",
            item_id=item.id,
            content_index=0,
            audio_end_ms=event.audio_end_ms,
        )

    def _create_response(self, params: ResponseParams | None) -> None:
        plan = plan_for(self._session, params)
        if plan.in_conversation:
            if self._active is not None:
                raise already_speaking(self._active.id)
            if self._voice_heard and plan.voice != plan_for(self._session, None).voice:
                raise Refused(
                    "cannot_update_voice",
                    "Cannot update a conversation's voice if assistant audio is present.",
                    "response.audio.output.voice",
                )
        elif len(self._making) > MAX_SIDE_REPLIES:
            raise Refused("too_many_responses", f"At most {MAX_SIDE_REPLIES} out of band at once.")
        self._begin(plan)

    def _cancel(self, event: ResponseCancel) -> None:
        active = self._active
        wanted = event.response_id or (active.id if active else "")
        making = self._making.get(wanted)
        if making is None or making.reply.ending is not None:
            raise Refused(
                "response_cancel_not_active", "Cancellation failed: no active response found."
            )
        self._stop(making.reply, "client_cancelled")

    # Turns

    def _cue(self, cue: Cue) -> None:
        match cue:
            case SpeechBegan(at_ms):
                self._speech_began(at_ms)
            case PauseHeard(pcm):
                self._guess(pcm)
            case SpeechWentOn():
                self._drop_guess()
            case SpeechEnded():
                self._speech_ended(cue)

    def _speech_began(self, at_ms: int) -> None:
        self._idle_at_s = None
        self._turn = _Turn(self._new_id("item"))
        self._emit(
            "input_audio_buffer.speech_started",
            audio_start_ms=at_ms,
            item_id=self._turn.item_id,
        )
        vad = self._session.audio.input.turn_detection
        active = self._active
        if vad is not None and vad.interrupt_response and active and active.ending is None:
            self._stop(active, "turn_detected")

    def _speech_ended(self, cue: SpeechEnded) -> None:
        turn = self._turn or _Turn(self._new_id("item"))
        self._turn = None
        self._emit(
            "input_audio_buffer.speech_stopped", audio_end_ms=cue.at_ms, item_id=turn.item_id
        )
        self._commit(turn.item_id, cue.pcm, turn.ear)
        vad = self._session.audio.input.turn_detection
        if vad is not None and vad.create_response:
            self._respond_unasked()

    def _commit(self, item_id: str, pcm: bytes, ear: str | None) -> None:
        item = spoken(item_id, pcm)
        item.announced = self._session.audio.input.transcription is not None
        self._place_spoken(item)
        item.ear = ear
        if ear is not None and ear in self._guesses:
            self._understand(item, self._guesses.pop(ear))
        elif ear is None:
            self._ask_ears(item)

    def _place_spoken(self, item: Item) -> None:
        before = self._history.last_id()
        self._emit("input_audio_buffer.committed", previous_item_id=before, item_id=item.id)
        self._history.add(item)
        self._emit("conversation.item.added", previous_item_id=before, item=item.wire())
        self._emit("conversation.item.done", previous_item_id=before, item=item.wire())

    def _respond_unasked(self) -> None:
        """Answer the turn, if no reply is in the way."""
        try:
            self._create_response(None)
        except Refused as refused:
            self._error(refused, None)

    def _prompt_idle_caller(self) -> None:
        vad = self._session.audio.input.turn_detection
        if not isinstance(vad, ServerVad) or vad.idle_timeout_ms is None:
            return
        item = spoken(self._new_id("item"), self._listening.take())
        item.words = ""
        end_ms = self._listening.heard_ms
        self._emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=max(0, end_ms - vad.idle_timeout_ms),
            audio_end_ms=end_ms,
            item_id=item.id,
        )
        self._place_spoken(item)
        self._respond_unasked()

    def _await_idleness(self, quiet_from_s: float) -> None:
        vad = self._session.audio.input.turn_detection
        if isinstance(vad, ServerVad) and vad.idle_timeout_ms and not self._listening.speaking:
            self._idle_at_s = quiet_from_s + vad.idle_timeout_ms / 1000

    # Ears

    def _guess(self, pcm: bytes) -> None:
        if self._turn is not None:
            self._turn.ear = self._new_id("ear")
            self._effects.append(Transcribe(self._turn.ear, pcm))

    def _drop_guess(self) -> None:
        if self._turn is not None and self._turn.ear is not None:
            self._guesses.pop(self._turn.ear, None)
            self._effects.append(Forget(self._turn.ear))
            self._turn.ear = None

    def _drop_turn(self) -> None:
        self._drop_guess()
        self._turn = None

    def _ask_ears(self, item: Item) -> None:
        if item.audio and item.words is None:
            item.ear = self._new_id("ear")
            self._effects.append(Transcribe(item.ear, b"".join(item.audio.values())))

    def _understand(self, item: Item, text: str | None) -> None:
        item.words = text or ""
        if not item.announced:
            return
        place: dict[str, Any] = {"item_id": item.id, "content_index": 0}
        kind = "conversation.item.input_audio_transcription"
        if text is None:
            self._emit(f"{kind}.failed", **place, error=_DEAF)
            return
        item.body["content"][0]["transcript"] = text
        if text:
            self._emit(f"{kind}.delta", **place, delta=text)
        usage = _transcription_usage(item.audio_ms, text)
        self._emit(f"{kind}.completed", **place, transcript=text, usage=usage)

    # Replies

    @property
    def _active(self) -> Reply | None:
        """The reply to the conversation in the making: there is never more than one."""
        for making in self._making.values():
            if making.reply.plan.in_conversation:
                return making.reply
        return None

    def _begin(self, plan: Plan) -> None:
        reading = self._reading(plan)
        reply = Reply(
            id=self._new_id("resp"),
            plan=plan,
            conversation_id=self._conversation_id if plan.in_conversation else None,
            history=self._history,
            emit=self._emit,
            new_id=self._new_id,
        )
        self._making[reply.id] = _Making(reply, reading)
        if plan.in_conversation:
            self._idle_at_s = None
        reply.begin()
        self._emit("rate_limits.updated", rate_limits=rate_limits(self._used_tokens))
        self._effects.append(Generate(reply.id))

    def _reading(self, plan: Plan) -> Sequence[Item]:
        if plan.context is None:
            return [item for item in self._history if not item.in_progress]
        items: list[Item] = []
        for new in plan.context:
            if isinstance(new, ItemReference):
                items.append(self._item(new.id, "reference"))
            else:
                items.append(self._bring(new))
        for item in items:
            self._ask_ears(item)
        return items

    def _stop(self, reply: Reply, reason: str) -> None:
        reply.ending = Ending("cancelled", reason)
        self._effects.append(Stop(reply.id))

    # Small things

    def _bring(self, new: NewItem) -> Item:
        format = self._session.audio.input.format
        return brought(new, self._new_id("item"), self._new_id("call"), format)

    def _item(self, item_id: str, verb: str) -> Item:
        item = self._history.get(item_id)
        if item is None:
            raise Refused(
                f"item_{verb}_invalid_item_id",
                f"The item with id '{item_id}' does not exist.",
                "item_id",
            )
        return item

    def _wire(self) -> dict[str, Any]:
        return {
            "object": "realtime.session",
            "id": self._id,
            "expires_at": self._expires_at,
            **self._session.model_dump(mode="json"),
        }

    def _emit(self, kind: str, **fields: object) -> None:
        event = {"type": kind, "event_id": self._new_id("event"), **fields}
        self._effects.append(Send(event))

    def _error(self, refused: Refused, event_id: str | None) -> None:
        self._emit("error", error=refused.wire(event_id))

    def _done(self) -> Sequence[Effect]:
        effects, self._effects = self._effects, []
        return effects


_CUT_IN: Final = Ending("cancelled", "turn_detected")
_DEAF: Final[Mapping[str, Any]] = {
    "type": "server_error",
    "code": "transcription_failed",
    "message": "Input transcription failed for this item.",
}


def _base64(pcm: bytes) -> str:
    return b64encode(pcm).decode()


def _transcription_usage(audio_ms: float, text: str) -> Mapping[str, Any]:
    heard, written = caller_tokens(audio_ms), text_tokens(text)
    return {
        "type": "tokens",
        "total_tokens": heard + written,
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": written,
    }
