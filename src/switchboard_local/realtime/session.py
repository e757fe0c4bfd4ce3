"""The realtime session: what clients say, what the ear hears and what the engine makes, in; server
events and work for the engine, out. Nothing here waits, reads a clock or touches a socket.

    caller's audio ─▶ Caller ─▶ turns ─▶ user items ─┐
    client events ───────────────────────────────────┼─▶ Replies ─▶ server events
    pieces from the mind and the voice ──────────────┘
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from switchboard_local.engine.parts import Detector
from switchboard_local.mind.parts import Request
from switchboard_local.realtime.caller import Caller, News
from switchboard_local.realtime.effects import Effect, Foresee, Tape
from switchboard_local.realtime.history import History, Item
from switchboard_local.realtime.items import brought, with_audio
from switchboard_local.realtime.planning import plan_for, request_for
from switchboard_local.realtime.playout import SILENCE, Playout, only_opus, require_pcm
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.replies import Replies, voice_settled
from switchboard_local.realtime.reply import Piece, Plan
from switchboard_local.realtime.session_object import Pcm, ServerVad, Session, updated
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


class RealtimeSession:
    """One client's session. Every method returns what is to be done, in order."""

    def __init__(
        self,
        settings: Session,
        detector: Detector,
        *,
        new_id: Callable[[str], str],
        expires_at: int,
        played_here: bool = False,
    ) -> None:
        """`played_here`: replies are heard through `play`, not sent; so it is over WebRTC."""
        self._settings = settings
        self._id = new_id("sess")
        self._expires_at = expires_at
        self._conversation_id = new_id("conv")
        self._tape = Tape(new_id)
        self._history = History()
        self._caller = Caller(detector, self._settings.audio.input, self._history, self._tape)
        self._playout = Playout(self._tape) if played_here else None
        self._replies = Replies(self._conversation_id, self._history, self._tape, self._playout)
        self._idle_at_s: float | None = None

    def open(self) -> Sequence[Effect]:
        """The first events."""
        self._tape.emit("session.created", session=self._wire())
        conversation = {"id": self._conversation_id, "object": "realtime.conversation"}
        self._tape.emit("conversation.created", conversation=conversation)
        return self._tape.take()

    def introduction(self) -> Mapping[str, Any]:
        """The first event for whoever joins later."""
        event_id = self._tape.new_id("event")
        return {"type": "session.created", "event_id": event_id, "session": self._wire()}

    def apply(self, event: ClientEvent) -> Sequence[Effect]:
        """Carry out what the client asks; `hear` is for its audio."""
        try:
            self._apply(event)
        except Refused as refused:
            self._tape.error(refused, event.event_id)
        return self._tape.take()

    def refuse(self, refused: Refused, event_id: str | None) -> Sequence[Effect]:
        """Say that an event could not be understood."""
        self._tape.error(refused, event_id)
        return self._tape.take()

    def hear(self, audio: bytes, event_id: str | None = None) -> Sequence[Effect]:
        """Take in the caller's audio, in the session's format."""
        try:
            for news in self._caller.hear(audio):
                self._learn(news)
        except Refused as refused:
            self._tape.error(refused, event_id)
        return self._tape.take()

    def transcribed(self, ear: str, text: str | None) -> Sequence[Effect]:
        """What the ears made of it; `None` when they failed."""
        self._caller.transcribed(ear, text)
        self._replies.transcribed(ear, text)
        self._foresee(ear)
        return self._tape.take()

    def plan(self, reply_id: str) -> Plan:
        """What this reply goes by."""
        return self._replies.plan(reply_id)

    def request(self, reply_id: str) -> Request | None:
        """What the mind is to read for this reply; `None` while the ears are still at work."""
        return self._replies.request(reply_id)

    def add(self, reply_id: str, piece: Piece) -> Sequence[Effect]:
        """A piece of the reply is made."""
        self._replies.add(reply_id, piece)
        return self._tape.take()

    def over(self, reply_id: str, now_s: float, error: str | None = None) -> Sequence[Effect]:
        """Nothing more of the reply will come; `error` says what went wrong, if anything did."""
        reply = self._replies.over(reply_id, error)
        if reply is not None and reply.plan.in_conversation:
            left_ms = reply.made.audio_ms if self._playout is None else self._playout.ahead_ms
            self._await_idleness(now_s + left_ms / 1000)
        return self._tape.take()

    def play(self) -> tuple[bytes, Sequence[Effect]]:
        """The next 20 ms of the replies: PCM, silent where there is nothing to hear."""
        frame = self._playout.take() if self._playout is not None else SILENCE
        return frame, self._tape.take()

    @property
    def ahead_ms(self) -> float:
        """Audio waiting for `play`."""
        return 0.0 if self._playout is None else self._playout.ahead_ms

    @property
    def deadline_s(self) -> float | None:
        """When `tick` has something to do."""
        return self._idle_at_s

    def tick(self, now_s: float) -> Sequence[Effect]:
        """Time has passed: perhaps the caller has been silent for too long."""
        vad = self._settings.audio.input.turn_detection
        due = self._idle_at_s is not None and now_s >= self._idle_at_s
        if due and isinstance(vad, ServerVad) and vad.idle_timeout_ms:
            self._idle_at_s = None
            self._caller.wait_in_vain(vad.idle_timeout_ms)
            self._respond_unasked()
        return self._tape.take()

    def close(self) -> None:
        """The session is over: nothing more is heard."""
        self._caller.close()

    def _apply(self, event: ClientEvent) -> None:
        match event:
            case SessionUpdate():
                self._update(event)
            case Append():
                raise Refused("invalid_event", "Audio takes its own way in.")
            case Commit():
                self._caller.commit()
                self._idle_at_s = None
            case Clear():
                self._caller.clear()
            case ResponseCreate():
                self._respond(event.response)
            case ResponseCancel():
                self._replies.cancel(event.response_id)
            case OutputClear():
                self._hush()
            case _:
                self._apply_to_item(event)

    def _apply_to_item(self, event: ItemCreate | ItemRetrieve | ItemDelete | ItemTruncate) -> None:
        match event:
            case ItemCreate():
                self._create_item(event)
            case ItemRetrieve():
                item = self._item(event.item_id, "retrieve")
                self._tape.emit("conversation.item.retrieved", item=with_audio(item, _base64))
            case ItemDelete():
                self._history.remove(self._item(event.item_id, "delete"))
                self._tape.emit("conversation.item.deleted", item_id=event.item_id)
            case ItemTruncate():
                self._truncate(event)
            case _:
                assert_never(event)

    def _update(self, event: SessionUpdate) -> None:
        settings = updated(self._settings, event.session)
        if self._playout is not None:
            require_pcm(settings)
        if (
            self._replies.voice_heard
            and settings.audio.output.voice != self._settings.audio.output.voice
        ):
            raise voice_settled("session.audio.output.voice")
        self._settings = settings
        self._caller.configure(settings.audio.input)
        self._idle_at_s = None
        self._tape.emit("session.updated", session=self._wire())

    def _create_item(self, event: ItemCreate) -> None:
        new = event.item
        if isinstance(new, FunctionCallOutput) and not self._history.has_call(new.call_id):
            message = f"There is no call '{new.call_id}' in the conversation."
            raise Refused("invalid_tool_call_id", message, "item.call_id")
        item = self._bring(new)
        before = self._history.add(item, event.previous_item_id)
        for kind in ("conversation.item.added", "conversation.item.done"):
            self._tape.emit(kind, previous_item_id=before, item=item.wire())
        self._caller.ask_ears(item)

    def _truncate(self, event: ItemTruncate) -> None:
        item = self._item(event.item_id, "truncate")
        if item.speech is None or event.content_index:
            message = "Only model output audio messages can be truncated."
            raise Refused("invalid_value", message, "item_id")
        # The client counts whole milliseconds of what it was sent: allow it its rounding.
        if event.audio_end_ms > item.speech.left_ms + 1:
            raise Refused(
                "invalid_value",
                f"Audio content of {item.speech.left_ms:.0f}ms is already shorter than"
                f" {event.audio_end_ms}ms.",
                "audio_end_ms",
            )
        self._cut(item, event.audio_end_ms)

    def _hush(self) -> None:
        """Play no more of what was said so far: what was not heard was not said."""
        if self._playout is None:
            raise Refused("invalid_event", "output_audio_buffer.clear is for WebRTC and SIP.")
        for item_id, heard_ms in self._playout.clear():
            item = self._history.get(item_id)
            if item is not None:
                self._cut(item, int(heard_ms))

    def _cut(self, item: Item, heard_ms: int) -> None:
        item.cut(heard_ms)
        kind = "conversation.item.truncated"
        self._tape.emit(kind, item_id=item.id, content_index=0, audio_end_ms=heard_ms)

    def _learn(self, news: News) -> None:
        vad = self._settings.audio.input.turn_detection
        match news:
            case News.BEGAN:
                self._idle_at_s = None
                if vad is not None and vad.interrupt_response:
                    self._replies.cut_in()
                    if self._playout is not None:
                        self._hush()
            case News.ENDED:
                if vad is not None and vad.create_response:
                    self._respond_unasked()

    def _foresee(self, ear: str) -> None:
        """Have the answer begun that a turn which may be over would get."""
        vad = self._settings.audio.input.turn_detection
        item = self._caller.foreseen(ear)
        if item is None or vad is None or not vad.create_response or self._replies.active:
            return
        plan = plan_for(self._settings, None)
        self._tape.do(Foresee(request_for(plan, [*self._reading(plan), item]), plan.aloud))

    def _respond_unasked(self) -> None:
        """Answer the turn, if no reply is in the way."""
        try:
            self._respond(None)
        except Refused as refused:
            self._tape.error(refused, None)

    def _respond(self, params: ResponseParams | None) -> None:
        plan = plan_for(self._settings, params)
        if self._playout is not None and plan.format != Pcm():
            raise only_opus("response.audio.output.format")
        self._replies.admit(plan, plan_for(self._settings, None).voice)
        reading = self._reading(plan)
        if plan.in_conversation:
            self._idle_at_s = None
        self._replies.begin(plan, reading)

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
            self._caller.ask_ears(item)
        return items

    def _await_idleness(self, quiet_from_s: float) -> None:
        vad = self._settings.audio.input.turn_detection
        if isinstance(vad, ServerVad) and vad.idle_timeout_ms and not self._caller.speaking:
            self._idle_at_s = quiet_from_s + vad.idle_timeout_ms / 1000

    def _bring(self, new: NewItem) -> Item:
        new_id = self._tape.new_id
        return brought(new, new_id("item"), new_id("call"), self._settings.audio.input.format)

    def _item(self, item_id: str, verb: str) -> Item:
        item = self._history.get(item_id)
        if item is None:
            message = f"The item with id '{item_id}' does not exist."
            raise Refused(f"item_{verb}_invalid_item_id", message, "item_id")
        return item

    def _wire(self) -> dict[str, Any]:
        return {
            "object": "realtime.session",
            "id": self._id,
            "expires_at": self._expires_at,
            **self._settings.model_dump(mode="json"),
        }


def _base64(pcm: bytes) -> str:
    return b64encode(pcm).decode()
