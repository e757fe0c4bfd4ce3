"""A question to a model beside any call, answered in text: over a realtime session of its own."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from switchboard.conversation import events as e
from switchboard.conversation.commands import Aside, RequestReply
from switchboard.conversation.legs import Dial, ModelLeg, ReplyAudio
from switchboard.conversation.session import SessionSpec
from switchboard.errors import ModelUnavailable

TAG: Final = "aside"
MAX_ANSWER_CHARS: Final = 64_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    instructions: str = field(repr=False)
    text: str = field(repr=False)
    """What it is asked about: data, never instructions."""
    max_output_tokens: int = 4_096


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and what that took."""

    text: str = field(repr=False)
    usage: e.Usage
    whole: bool = True
    """False where it broke off: too long, filtered, failed."""


class Ask(Protocol):
    """Has a model answer. Raises `ModelUnavailable`."""

    async def __call__(self, question: Question, /) -> Answer: ...


async def ask_by_dialling(dial: Dial, spec: SessionSpec, question: Question) -> Answer:
    """Dial as a call does, with nobody to listen to, ask once, and hang up.

    Raises `ModelUnavailable`.
    """
    if spec.agent is not None:
        raise ModelUnavailable(
            "A Foundry agent goes by its own instructions; set AFTER_MODEL.", retryable=False
        )
    quiet = replace(
        spec, tools=(), turn_detection=None, transcription=None, noise_reduction=None, extra={}
    )
    async with dial(replace(quiet, instructions=question.instructions)) as leg:
        return await _ask(leg, question)


async def _ask(leg: ModelLeg, question: Question) -> Answer:
    reply_id: str | None = None
    texts: dict[str, str] = {}
    async with aclosing(_events(leg)) as events:
        async for event in events:
            match event:
                case e.ModelReady():
                    aside = Aside(question.text, question.max_output_tokens)
                    leg.command(RequestReply(TAG, question.instructions, False, aside))
                case e.ReplyStarted(started, tag) if tag == TAG or reply_id is None:
                    reply_id = started
                case e.ReplyWords() if event.reply_id == reply_id:
                    before = "" if event.final else texts.get(event.item_id, "")
                    texts[event.item_id] = before + event.text
                    if sum(map(len, texts.values())) > MAX_ANSWER_CHARS:
                        raise ModelUnavailable("Its answer does not end.", retryable=True)
                case e.ReplyDone() if event.reply_id == reply_id:
                    return _answer(event, "".join(texts.values()))
                case e.ModelRefused() if reply_id is None:
                    raise ModelUnavailable(
                        f"The question was refused ({event.code[:64]}).", retryable=False
                    )
                case e.ModelLost():
                    raise ModelUnavailable(event.reason, retryable=event.retryable)
                case _:
                    pass
    raise ModelUnavailable("The session ended without an answer.", retryable=True)


async def _events(leg: ModelLeg) -> AsyncGenerator[e.ModelEvent | ReplyAudio]:
    async for event in leg:
        yield event


def _answer(done: e.ReplyDone, text: str) -> Answer:
    if done.status is e.ReplyStatus.FAILED:
        raise ModelUnavailable(f"It failed ({(done.reason or 'unsaid')[:64]}).", retryable=True)
    return Answer(text, done.usage or e.Usage(), done.status is e.ReplyStatus.COMPLETED)
