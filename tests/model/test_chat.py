"""A chat model over real HTTP: what it is asked, and what its refusals mean."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from switchboard.conversation.events import Usage
from switchboard.errors import ConfigurationError, ModelUnavailable
from switchboard.model.aside import Question
from switchboard.model.chat import ChatModel
from switchboard.model.config import ModelConfig

GOOD: dict[str, Any] = {
    "id": "c1",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "{}"}, "finish_reason": "stop"}
    ],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 64},
    },
}


class Token:
    async def token(self, wait_s: float) -> str:
        return "the-token"


@dataclass
class Deployment:
    """Answers as it is told to."""

    endpoint: str
    model: ChatModel
    status: int = 200
    answer: Any = field(default_factory=lambda: GOOD)
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[str] = field(default_factory=list[str])
    paths: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def deployment() -> AsyncGenerator[Deployment]:
    here: list[Deployment] = []

    async def complete(request: web.Request) -> web.Response:
        [it] = here
        it.asked.append(await request.json())
        it.headers.append(request.headers["Authorization"])
        it.paths.append(request.path)
        if isinstance(it.answer, str):
            return web.Response(text=it.answer, status=it.status)
        return web.json_response(it.answer, status=it.status)

    app = web.Application()
    app.router.add_post("/{rest:.*}", complete)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
        here.append(Deployment(endpoint, ChatModel(ModelConfig(endpoint), Token(), "gpt-mini")))
        yield here[0]
    finally:
        await runner.cleanup()


QUESTION = Question("Read this.", "the record", 512)


async def test_it_is_asked_in_json_and_says_what_that_took() -> None:
    async with deployment() as here:
        answer = await here.model.ask(QUESTION)
    assert (answer.text, answer.whole) == ("{}", True)
    assert answer.usage == Usage(input_text=100, cached_text=64, output_text=7)
    assert here.paths == ["/openai/v1/chat/completions"]
    assert here.headers == ["Bearer the-token"]
    [asked] = here.asked
    assert (asked["model"], asked["max_completion_tokens"]) == ("gpt-mini", 512)
    assert [each["role"] for each in asked["messages"]] == ["system", "user"]
    assert asked["messages"][1]["content"] == "the record"


async def test_an_answer_that_broke_off_is_not_whole() -> None:
    cut = {"choices": [{"message": {"content": '{"a'}, "finish_reason": "length"}]}
    async with deployment() as here:
        here.answer = cut
        assert not (await here.model.ask(QUESTION)).whole


@pytest.mark.parametrize(
    ("status", "answer", "retryable"),
    [
        (429, {}, True),
        (503, {}, True),
        (401, {}, True),
        (400, {}, False),
        (404, {}, False),
        (200, "no json", True),
        (200, {"choices": []}, True),
        (200, "x" * 1_100_000, True),
    ],
)
async def test_what_is_no_answer_says_whether_to_ask_again(
    status: int, answer: object, retryable: bool
) -> None:
    async with deployment() as here:
        here.status, here.answer = status, answer
        with pytest.raises(ModelUnavailable) as refusal:
            await here.model.ask(QUESTION)
    assert refusal.value.retryable is retryable


async def test_a_model_that_nobody_serves_cannot_be_reached() -> None:
    async with deployment() as here:
        pass
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await here.model.ask(QUESTION)


def test_a_token_goes_nowhere_in_the_clear() -> None:
    with pytest.raises(ConfigurationError, match="https"):
        ChatModel(ModelConfig("http://example.com"), Token(), "gpt-mini")
