"""A mind that asks a chat model: any OpenAI-compatible `/chat/completions` endpoint, streamed."""

import json
import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from switchboard_local.engine.parts import PartInfo
from switchboard_local.mind.fold import text_of
from switchboard_local.mind.parts import Call, Request, Say, Thought
from switchboard_local.mind.values import JsonObject, as_list, as_object, as_text, parse

logger = logging.getLogger(__name__)

_MOST_BYTES = 1_000_000
"""Of one reply's stream; more is taken for a fault."""
_MOST_CALLS = 16
_LONGEST_ARGUMENTS = 100_000
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
_LONGEST_CLAUSE = 240
UNREACHABLE = "I am sorry, I cannot think just now. Please try again in a moment."


class ChatFailed(Exception):
    """The endpoint refused, broke off, or sent what cannot be read."""


@dataclass
class ChatMind:
    """Makes replies with a chat model."""

    url: str
    """The API's base, such as `http://127.0.0.1:11434/v1`, or the completions address itself."""
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    timeout_s: float = 60.0
    info: PartInfo = field(init=False)

    def __post_init__(self) -> None:
        self.info = PartInfo("mind", f"chat model {self.model}" if self.model else "chat model")

    @property
    def address(self) -> str:
        """Where completions are asked for."""
        base = self.url.rstrip("/")
        return base if base.endswith("/chat/completions") else base + "/chat/completions"

    async def reply(self, request: Request) -> AsyncIterator[Thought]:
        """The model's words sentence by sentence, then its calls."""
        reading = _Reading()
        try:
            async for event in self._events(body_of(request, self.model)):
                for sentence in reading.take(event):
                    yield Say(sentence)
            for thought in reading.rest():
                yield thought
        except (httpx.HTTPError, httpx.InvalidURL, ChatFailed) as fault:
            logger.warning(
                "chat model failed",
                extra={"fault": type(fault).__name__, "reason": str(fault)[:200]},
            )
            yield Say(UNREACHABLE)

    async def _events(self, body: JsonObject) -> AsyncIterator[JsonObject]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        timeout = httpx.Timeout(self.timeout_s, connect=min(10.0, self.timeout_s))
        async with (
            httpx.AsyncClient(timeout=timeout, headers=headers) as client,
            client.stream("POST", self.address, json=body) as response,
        ):
            if not response.is_success:
                raise ChatFailed(f"status {response.status_code}")
            if "text/event-stream" not in response.headers.get("content-type", ""):
                yield _whole(await _bounded(response))
                return
            async for event in _server_sent(response):
                yield event


async def _bounded(response: httpx.Response) -> str:
    read = bytearray()
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) > _MOST_BYTES:
            raise ChatFailed("the reply is too long")
    return read.decode(errors="replace")


def _whole(text: str) -> JsonObject:
    """A reply that was not streamed, as one event."""
    found = as_object(parse(text))
    choice = as_object(next(iter(as_list(found.get("choices"))), None))
    if not choice:
        raise ChatFailed("the reply holds no choice")
    return {"choices": [{"delta": choice.get("message")}]}


async def _server_sent(response: httpx.Response) -> AsyncIterator[JsonObject]:
    pending, size = b"", 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > _MOST_BYTES:
            raise ChatFailed("the reply is too long")
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            data = line.strip().removeprefix(b"data:").strip()
            if data == b"[DONE]":
                return
            if line.startswith(b"data:") and data:
                yield _event(data)


def _event(data: bytes) -> JsonObject:
    found = as_object(parse(data.decode(errors="replace")))
    if not found:
        raise ChatFailed("an event is no JSON object")
    if found.get("error"):
        raise ChatFailed("the endpoint reports an error")
    return found


@dataclass
class _Reading:
    """Puts a stream together again: sentences as they end, calls at the end."""

    _text: str = ""
    _calls: dict[int, list[str]] = field(default_factory=dict[int, list[str]])

    def take(self, event: JsonObject) -> list[str]:
        choice = as_object(next(iter(as_list(event.get("choices"))), None))
        delta = as_object(choice.get("delta"))
        for at, piece in enumerate(as_list(delta.get("tool_calls"))):
            self._call(at, as_object(piece))
        self._text += as_text(delta.get("content"))
        *done, self._text = _SENTENCE.split(self._text)
        if len(self._text) > _LONGEST_CLAUSE and ", " in self._text:
            head, _, self._text = self._text.rpartition(", ")
            done.append(head + ",")
        return [sentence.strip() for sentence in done if sentence.strip()]

    def _call(self, at: int, piece: JsonObject) -> None:
        index = piece.get("index")
        place = index if isinstance(index, int) else at
        function = as_object(piece.get("function"))
        call = self._calls.setdefault(place, ["", ""])
        call[0] += as_text(function.get("name"))
        call[1] += as_text(function.get("arguments"))
        if len(self._calls) > _MOST_CALLS or len(call[1]) > _LONGEST_ARGUMENTS:
            raise ChatFailed("the calls are too many or too long")

    def rest(self) -> Iterator[Thought]:
        """What is left when the stream has ended."""
        if self._text.strip():
            yield Say(self._text.strip())
        for _, (name, arguments) in sorted(self._calls.items()):
            if name:
                yield Call(name, arguments or "{}")


def body_of(request: Request, model: str | None) -> JsonObject:
    """The chat request for a realtime one."""
    body: dict[str, object] = {
        "model": model or "default",
        "stream": True,
        "messages": messages_of(request),
    }
    if request.tools:
        body["tools"] = [_chat_tool(tool) for tool in request.tools]
        body["tool_choice"] = _chat_choice(request.tool_choice)
    return body


def _chat_tool(tool: Mapping[str, object]) -> JsonObject:
    wanted = ("name", "description", "parameters")
    return {"type": "function", "function": {key: tool[key] for key in wanted if key in tool}}


def _chat_choice(choice: str | Mapping[str, object]) -> object:
    if isinstance(choice, str):
        return choice
    return {"type": "function", "function": {"name": as_text(choice.get("name"))}}


def messages_of(request: Request) -> list[JsonObject]:
    """The conversation as chat messages. Calls are paired with their outputs, as chat wants it."""
    outputs = {
        as_text(item.get("call_id")): as_text(item.get("output"))
        for item in request.items
        if item.get("type") == "function_call_output"
    }
    messages: list[JsonObject] = []
    if request.instructions:
        messages.append({"role": "system", "content": request.instructions})
    for item in request.items:
        messages += _messages(item, outputs)
    if request.response_instructions:
        messages.append({"role": "system", "content": request.response_instructions})
    return messages


def _messages(item: Mapping[str, object], outputs: Mapping[str, str]) -> Sequence[JsonObject]:
    if item.get("type", "message") == "message":
        text = text_of(item)
        role = as_text(item.get("role")) or "user"
        return [{"role": role, "content": text}] if text else []
    if item.get("type") != "function_call":
        return []
    called = as_text(item.get("call_id"))
    function = {
        "name": as_text(item.get("name")),
        "arguments": as_text(item.get("arguments")) or "{}",
    }
    call = {"id": called, "type": "function", "function": function}
    pending = json.dumps({"status": "still running"})
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": called, "content": outputs.get(called, pending)},
    ]
