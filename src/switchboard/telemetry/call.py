"""A call as a trace and measurements, from what is noted of it anyway.

A call is one trace: `invoke_agent`, with a child for each turn (`chat`: from the end of the
caller's speech to the first audio sent), tool (`execute_tool`) and dial of a model session. It is
linked to the request that opened it, and not part of it: it lasts longer. No text, argument or
number of anybody is looked at here.
"""

import functools
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Concatenate, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, Tracer

from switchboard.conversation.commands import (
    Note,
    NoteFloor,
    NoteInterruption,
    NoteLatency,
    NoteLine,
    NoteNotice,
    NoteRecording,
    NoteTool,
    NoteUsage,
    NoteWish,
    ToolState,
)
from switchboard.conversation.legs import Dial, ModelLeg
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable
from switchboard.exchange.observer import Particulars
from switchboard.telemetry import names
from switchboard.telemetry.instruments import Instruments

logger = logging.getLogger(__name__)

PROVIDERS: Final = {"azure_openai": "azure.ai.openai", "voice_live": "azure.ai.voicelive"}
FAULTS: Final = frozenset({"internal_error", "model_lost"})
"""Ends that are nobody's wish."""
_CODE: Final = re.compile(r"[a-z_]{1,32}")
_NS: Final = 1_000_000
"""Nanoseconds of a millisecond."""

type _Attributes = dict[str, str | int | float]


def _harmless[S, **P](
    method: Callable[Concatenate[S, P], None],
) -> Callable[Concatenate[S, P], None]:
    """A fault of whoever watches must not be the call's."""

    @functools.wraps(method)
    def tried(self: S, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as fault:  # noqa: BLE001  (whatever it is)
            logger.warning("not measured", extra={"error": type(fault).__name__})

    return tried


@dataclass(slots=True)
class _Turn:
    reply_id: str
    span: Span
    ends: int
    heard: bool = False
    used: bool = False


class WatchedCall:
    """One call's trace."""

    def __init__(
        self,
        call: Particulars,
        came_from: SpanContext | None,
        tracer: Tracer,
        instruments: Instruments,
        now: Callable[[], int],
    ) -> None:
        self._call = call
        self._tracer = tracer
        self._measured = instruments
        self._now = now
        self._began = now()
        self._model: _Attributes = {
            names.PROVIDER: PROVIDERS.get(call.service, names.OTHER),
            names.MODEL: call.model,
        }
        self._channel: _Attributes = {names.CHANNEL: call.channel}
        self._agent: _Attributes = {**self._channel, names.AGENT: call.agent}
        self._span = tracer.start_span(
            f"invoke_agent {call.agent}",
            Context(),
            SpanKind.INTERNAL,
            {
                names.OPERATION: "invoke_agent",
                **self._model,
                **self._agent,
                names.CONVERSATION: call.call_id,
                names.OUTPUT: "speech",
                names.DIRECTION: call.direction,
            },
            [Link(came_from)] if came_from else None,
            self._began,
        )
        self.context = trace.set_span_in_context(self._span, Context())
        self.when_over: Callable[[], object] = lambda: None
        self._turn: _Turn | None = None
        self._tools: dict[str, Span] = {}
        self._tools_over: set[str] = set()
        self._counts = {names.TURNS: 0, names.INTERRUPTED: 0}
        self._spent = {names.TOKENS_IN: 0, names.TOKENS_OUT: 0}
        self._cost_usd: float | None = None
        self._sessions_open = 0
        self._sessions = 0
        started = {**self._agent, names.DIRECTION: call.direction}
        self._measured.active.add(1, self._channel, self.context)
        self._measured.started.add(1, started, self.context)

    @_harmless
    def noted(self, note: Note) -> None:
        match note:
            case (
                NoteLine() | NoteFloor() | NoteRecording() | NoteWish()
            ):  # words, and what the others tell already
                pass
            case NoteLatency():
                self._answered(note)
            case NoteTool():
                self._tool(note)
            case NoteUsage():
                self._used(note)
            case NoteInterruption():
                self._counts[names.INTERRUPTED] += 1
                self._measured.interruptions.add(1, self._agent, self.context)
            case NoteNotice(code=code):
                self._measured.notices.add(1, {**self._agent, names.NOTICE: _code(code)})

    @_harmless
    def ended(self, reason: str) -> None:
        self.when_over()
        self._measured.active.add(-1, self._channel, self.context)
        reason = _code(reason)
        now = self._now()
        self._end_turn()
        for span in self._tools.values():
            span.set_attribute(names.TOOL_STATE, ToolState.ABANDONED.value)
            span.end(now)
        ended = {**self._agent, names.END_REASON: reason}
        self._measured.ended.add(1, ended, self.context)
        self._measured.lasted.record((now - self._began) / 1e9, self._agent, self.context)
        self._span.set_attributes({names.END_REASON: reason, **self._counts, **self._spent})
        if self._cost_usd is not None:
            self._span.set_attribute(names.COST_USD, round(self._cost_usd, 6))
        if reason in FAULTS:
            self._fail(self._span, reason)
        self._span.end(now)

    # -- turns ------------------------------------------------------------------------------

    def _answered(self, note: NoteLatency) -> None:
        if self._turn is None or self._turn.reply_id != note.reply_id:
            self._end_turn()
            self._turn = self._begin_turn(note)
        if note.first_heard_ms is not None and not self._turn.heard:
            self._turn.heard = True
            heard_s = max(note.first_heard_ms, 0.0) / 1_000
            self._turn.span.set_attribute(names.FIRST_HEARD_MS, round(note.first_heard_ms))
            self._measured.first_heard.record(heard_s, self._agent | self._model, self.context)
            self._end_turn_if_known()

    def _begin_turn(self, note: NoteLatency) -> _Turn:
        """Its first audio has just been sent, `first_audio_ms` after the caller's speech."""
        now = self._now()
        self._counts[names.TURNS] += 1
        self._measured.first_audio.record(
            note.first_audio_ms / 1_000, self._agent | self._model, self.context
        )
        span = self._child(
            f"chat {self._call.model}",
            SpanKind.CLIENT,
            {names.OPERATION: "chat", names.REPLY: note.reply_id, names.OUTPUT: "speech"},
            now - round(note.first_audio_ms * _NS),
        )
        return _Turn(note.reply_id, span, now)

    def _end_turn_if_known(self) -> None:
        if self._turn and self._turn.heard and self._turn.used:
            self._end_turn()

    def _end_turn(self) -> None:
        """It ended with its first audio; what became known of it since is in."""
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.span.end(turn.ends)

    def _used(self, note: NoteUsage) -> None:
        usage = note.usage
        self._tokens("input", text=usage.input_text, audio=usage.input_audio)
        self._tokens("output", text=usage.output_text, audio=usage.output_audio)
        for modality, tokens in (("text", usage.cached_text), ("audio", usage.cached_audio)):
            if tokens:
                self._measured.cached.add(
                    tokens, self._model | {names.MODALITY: modality}, self.context
                )
        if note.cost_usd is not None:
            self._cost_usd = (self._cost_usd or 0.0) + note.cost_usd
            self._measured.cost.add(max(note.cost_usd, 0.0), self._agent | self._model)
        spent = {
            names.TOKENS_IN: usage.input_text + usage.input_audio,
            names.TOKENS_OUT: usage.output_text + usage.output_audio,
        }
        for name, tokens in spent.items():
            self._spent[name] += tokens
        if self._turn and self._turn.reply_id == note.reply_id:
            self._turn.span.set_attributes(spent)
            self._turn.used = True
            self._end_turn_if_known()

    def _tokens(self, kind: str, **by_modality: int) -> None:
        for modality, tokens in by_modality.items():
            if tokens:
                about = {names.TOKEN_TYPE: kind, names.MODALITY: modality, names.OPERATION: "chat"}
                self._measured.tokens.record(tokens, self._model | about, self.context)

    # -- tools ------------------------------------------------------------------------------

    def _tool(self, note: NoteTool) -> None:
        name = note.name if note.name in self._call.tools else names.OTHER
        if note.state is ToolState.RUNNING:
            if note.call_id not in self._tools:
                self._tools[note.call_id] = self._tool_span(note.call_id, name, self._now())
        elif note.state is not ToolState.ASKING and note.call_id not in self._tools_over:
            self._tools_over.add(note.call_id)
            self._tool_over(note, name)

    def _tool_span(self, call_id: str, name: str, at: int) -> Span:
        about: _Attributes = {
            names.OPERATION: "execute_tool",
            names.TOOL: name,
            names.TOOL_CALL: call_id[:128],
            names.TOOL_TYPE: "function",
        }
        return self._child(f"execute_tool {name}", SpanKind.INTERNAL, about, at)

    def _tool_over(self, note: NoteTool, name: str) -> None:
        now = self._now()
        span = self._tools.pop(note.call_id, None)
        about: _Attributes = {
            names.OPERATION: "execute_tool",
            names.PROVIDER: self._model[names.PROVIDER],
            names.TOOL: name,
        }
        if note.state is not ToolState.DONE:
            about[names.ERROR] = note.state.value
        if note.duration_ms is not None or span is None:
            self._measured.operation.record((note.duration_ms or 0) / 1_000, about, self.context)
        span = span or self._tool_span(note.call_id, name, now)
        span.set_attribute(names.TOOL_STATE, note.state.value)
        if note.state is ToolState.FAILED:
            self._fail(span, note.state.value)
        span.end(now)

    # -- dials ------------------------------------------------------------------------------

    def watched(self, dial: Dial) -> Dial:
        @asynccontextmanager
        async def dialled(spec: SessionSpec, /) -> AsyncGenerator[ModelLeg]:
            began = self._now()
            async with AsyncExitStack() as held:
                try:
                    leg = await held.enter_async_context(dial(spec))
                except ModelUnavailable as refusal:
                    self._dialled(spec, began, refusal)
                    raise
                self._dialled(spec, began, None)
                self._sessions_open += 1
                try:
                    yield leg
                finally:
                    self._sessions_open -= 1

        return dialled

    @_harmless
    def _dialled(self, spec: SessionSpec, began: int, refusal: ModelUnavailable | None) -> None:
        kind = "renewal" if self._sessions_open else "recovery" if self._sessions else "first"
        now = self._now()
        about: _Attributes = {names.SERVICE: spec.service.value, names.SESSION: kind}
        span = self._child(f"dial {spec.service.value}", SpanKind.CLIENT, about, began)
        measured: _Attributes = {names.SERVICE: spec.service.value, names.MODEL: spec.model}
        if refusal is None:
            self._sessions += 1
            self._measured.sessions.add(1, measured | {names.SESSION: kind}, self.context)
        else:
            why = "unavailable" if refusal.status is None else str(refusal.status)
            measured[names.ERROR] = why
            self._fail(span, why)
        self._measured.dialled.record((now - began) / 1e9, measured, self.context)
        span.end(now)

    # -- spans ------------------------------------------------------------------------------

    def _child(self, name: str, kind: SpanKind, about: _Attributes, at: int) -> Span:
        more: dict[str, Any] = {**self._model, names.AGENT: self._call.agent, **about}
        more[names.CONVERSATION] = self._call.call_id
        return self._tracer.start_span(name, self.context, kind, more, None, at)

    def _fail(self, span: Span, why: str) -> None:
        span.set_attribute(names.ERROR, why)
        span.set_status(StatusCode.ERROR)


def _code(text: str) -> str:
    """`model_lost:1006` is `model_lost`; what is no code of ours is none."""
    code = text.partition(":")[0]
    return code if _CODE.fullmatch(code) else names.OTHER
