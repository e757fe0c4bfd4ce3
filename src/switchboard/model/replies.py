"""The server events that make up a reply.

Parts of an event that must never cost us the whole of it (usage, metadata, foreign kinds of item)
stay raw until looked at: a reply whose end we missed would hold the floor for ever.
"""

from typing import Any, override

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from switchboard.conversation.events import (
    ItemKind,
    ReplyDone,
    ReplyItemStarted,
    ReplyStarted,
    ReplyStatus,
    ReplyWords,
    ToolRequested,
    Usage,
)
from switchboard.conversation.legs import ReplyAudio
from switchboard.model.wire import NOTHING, Fact, Facts, Seen, ServerEvent, lenient

TAG_KEY = "switchboard"
"""The metadata key under which a requested reply carries our tag."""


class AudioDelta(ServerEvent, tag="response.output_audio.delta", frozen=True, gc=False):
    response_id: str
    item_id: str
    delta: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (ReplyAudio(self.response_id, self.item_id, self.delta),)


class TranscriptDelta(
    ServerEvent, tag="response.output_audio_transcript.delta", frozen=True, gc=False
):
    response_id: str
    item_id: str
    delta: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (ReplyWords(self.response_id, self.item_id, self.delta, final=False),)


class TranscriptDone(
    ServerEvent, tag="response.output_audio_transcript.done", frozen=True, gc=False
):
    response_id: str
    item_id: str
    transcript: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (ReplyWords(self.response_id, self.item_id, self.transcript, final=True),)


class TextDelta(ServerEvent, tag="response.output_text.delta", frozen=True, gc=False):
    response_id: str
    item_id: str
    delta: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (ReplyWords(self.response_id, self.item_id, self.delta, final=False, spoken=False),)


class TextDone(ServerEvent, tag="response.output_text.done", frozen=True, gc=False):
    response_id: str
    item_id: str
    text: str

    @override
    def facts(self, seen: Seen) -> Facts:
        return (ReplyWords(self.response_id, self.item_id, self.text, final=True, spoken=False),)


class Item(Struct, frozen=True, gc=False):
    """An output item, as far as a call cares: function calls carry the last four."""

    id: str
    type: str
    status: str | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""

    def request(self, reply_id: str, seen: Seen) -> Facts:
        """A tool call that was generated to its end and not acted on yet. A cut one is none."""
        whole = self.type == "function_call" and self.status in (None, "completed")
        if not (whole and self.call_id and self.name and seen.first_time(self.call_id)):
            return NOTHING
        return (ToolRequested(reply_id, self.id, self.call_id, self.name, self.arguments),)


class ItemHead(Struct, frozen=True, gc=False):
    """An item as it opens: nothing else of it is settled yet."""

    id: str
    type: str = ""


class OutputItemAdded(ServerEvent, tag="response.output_item.added", frozen=True, gc=False):
    response_id: str
    item: ItemHead

    @override
    def facts(self, seen: Seen) -> Facts:
        known = self.item.type in ItemKind
        kind = ItemKind(self.item.type) if known else ItemKind.OTHER
        return (ReplyItemStarted(self.response_id, self.item.id, kind),)


class OutputItemDone(ServerEvent, tag="response.output_item.done", frozen=True, gc=False):
    response_id: str
    item: Raw

    @override
    def facts(self, seen: Seen) -> Facts:
        item = lenient(self.item, _ITEM)
        return item.request(self.response_id, seen) if item else NOTHING


class ArgumentsDone(
    ServerEvent, tag="response.function_call_arguments.done", frozen=True, gc=False
):
    """Also sent for a call that was cut off: then its arguments are no whole JSON object."""

    response_id: str
    item_id: str
    call_id: str
    arguments: str
    name: str = ""

    @override
    def facts(self, seen: Seen) -> Facts:
        if lenient(self.arguments.encode(), _OBJECT) is None:
            return NOTHING
        item = Item(self.item_id, "function_call", None, self.call_id, self.name, self.arguments)
        return item.request(self.response_id, seen)


class ResponseHead(Struct, frozen=True, gc=False):
    id: str
    conversation_id: str | UnsetType | None = UNSET
    metadata: Raw = Raw()

    @property
    def tag(self) -> str | None:
        """The one our request carried, if this answers a request of ours."""
        tag = (lenient(self.metadata, _OBJECT) or {}).get(TAG_KEY)
        return tag if isinstance(tag, str) else None


class ResponseCreated(ServerEvent, tag="response.created", frozen=True, gc=False):
    response: ResponseHead

    @override
    def facts(self, seen: Seen) -> Facts:
        return (
            ReplyStarted(
                self.response.id,
                tag=self.response.tag,
                # Absent says nothing; null says that it belongs to no conversation.
                out_of_band=self.response.conversation_id is None,
            ),
        )


class ResponseError(Struct, frozen=True, gc=False):
    code: str | None = None
    type: str | None = None


class StatusDetails(Struct, frozen=True, gc=False):
    reason: str | None = None
    error: ResponseError | None = None

    @property
    def why(self) -> str | None:
        return self.reason or (self.error and (self.error.code or self.error.type)) or None


class CachedDetails(Struct, frozen=True, gc=False):
    text_tokens: int | None = None
    audio_tokens: int | None = None


class TokenDetails(Struct, frozen=True, gc=False):
    text_tokens: int | None = None
    audio_tokens: int | None = None
    cached_tokens: int | None = None
    cached_tokens_details: CachedDetails | None = None

    @property
    def cached(self) -> CachedDetails:
        return self.cached_tokens_details or CachedDetails(self.cached_tokens)


class UsageReport(Struct, frozen=True, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: TokenDetails | None = None
    output_token_details: TokenDetails | None = None

    def usage(self) -> Usage:
        # Without a breakdown the totals still count, as text.
        took = self.input_token_details or TokenDetails(self.input_tokens)
        gave = self.output_token_details or TokenDetails(self.output_tokens)
        return Usage(
            input_text=took.text_tokens or 0,
            input_audio=took.audio_tokens or 0,
            cached_text=took.cached.text_tokens or 0,
            cached_audio=took.cached.audio_tokens or 0,
            output_text=gave.text_tokens or 0,
            output_audio=gave.audio_tokens or 0,
        )


class Response(Struct, frozen=True, gc=False):
    id: str
    status: str | None = None
    status_details: Raw = Raw()
    output: Raw = Raw()
    usage: Raw = Raw()


class ResponseDone(ServerEvent, tag="response.done", frozen=True, gc=False):
    response: Response

    @override
    def facts(self, seen: Seen) -> Facts:
        return (*self._requests(seen), self._ending())

    def _requests(self, seen: Seen) -> list[Fact]:
        items = (lenient(raw, _ITEM) for raw in lenient(self.response.output, _ITEMS) or ())
        return [fact for item in items if item for fact in item.request(self.response.id, seen)]

    def _ending(self) -> ReplyDone:
        details = lenient(self.response.status_details, _DETAILS)
        report = lenient(self.response.usage, _USAGE)
        status, reason = _status(self.response.status), details.why if details else None
        usage = report.usage() if report else None
        return ReplyDone(self.response.id, status, reason, usage)


def _status(word: str | None) -> ReplyStatus:
    """A reply that is done and says nothing of its status is complete; an unknown word is not."""
    if word is None:
        return ReplyStatus.COMPLETED
    return ReplyStatus(word) if word in ReplyStatus else ReplyStatus.FAILED


_OBJECT = msgspec.json.Decoder(dict[str, Any])
_ITEM = msgspec.json.Decoder(Item)
_ITEMS = msgspec.json.Decoder(list[Raw])
_DETAILS = msgspec.json.Decoder(StatusDetails)
_USAGE = msgspec.json.Decoder(UsageReport)
