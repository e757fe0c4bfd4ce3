"""A chat model of Azure OpenAI, asked one question at a time over HTTP."""

from typing import Any, Final

import anyio
import httpx
import msgspec

from switchboard.conversation.events import Usage
from switchboard.errors import ModelUnavailable
from switchboard.model.aside import Answer, Question
from switchboard.model.config import ModelConfig
from switchboard.model.connection import Tokens
from switchboard.model.endpoint import Endpoint
from switchboard.model.profiles import AZURE_OPENAI

BELOW: Final = "/chat/completions"
MAX_BYTES: Final = 1024 * 1024
LONGEST_S: Final = 60.0


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Cached(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Cached | None = None


class _Completion(msgspec.Struct, frozen=True):
    choices: list[_Choice]
    usage: _Usage | None = None


class ChatModel:
    """`model` is the deployment's name. Raises `ConfigurationError` for a wrong endpoint."""

    def __init__(self, config: ModelConfig, tokens: Tokens, model: str) -> None:
        self._endpoint = Endpoint(config.endpoint, AZURE_OPENAI)
        base = self._endpoint.http_url("").removesuffix("/realtime")
        self._url = base + BELOW
        self._tokens = tokens
        self._token_wait_s = config.token_wait_s
        self.model = model

    async def ask(self, question: Question, /) -> Answer:
        """Has it answer. Raises `ModelUnavailable`."""
        body = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": question.instructions},
                {"role": "user", "content": question.text},
            ],
            "max_completion_tokens": question.max_output_tokens,
            "response_format": {"type": "json_object"},
        }
        token = await self._tokens.token(self._token_wait_s)
        try:
            with anyio.fail_after(LONGEST_S):
                status, answered = await self._post(body, token)
        except (httpx.HTTPError, OSError, TimeoutError) as fault:
            raise ModelUnavailable(
                f"The chat model cannot be reached ({type(fault).__name__}).", retryable=True
            ) from None
        if status != 200:
            raise ModelUnavailable(
                f"The chat model answered HTTP {status}.",
                retryable=status in (401, 408, 429) or status >= 500,
                status=status,
            )
        return _answer(answered)

    async def _post(self, body: dict[str, Any], token: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(trust_env=not self._endpoint.loopback, timeout=LONGEST_S) as http,
            http.stream("POST", self._url, json=body, headers=headers) as answer,
        ):
            read = b""
            async for part in answer.aiter_bytes():
                read += part
                if len(read) > MAX_BYTES:
                    raise ModelUnavailable("The chat model's answer is too long.", retryable=True)
            return answer.status_code, read


def _answer(body: bytes) -> Answer:
    try:
        completion = msgspec.json.decode(body, type=_Completion)
        choice = completion.choices[0]
    except (msgspec.MsgspecError, ValueError, IndexError, RecursionError):
        raise ModelUnavailable(
            "What the chat model answered is no answer.", retryable=True
        ) from None
    used = completion.usage or _Usage()
    cached = used.prompt_tokens_details
    usage = Usage(
        input_text=used.prompt_tokens,
        cached_text=(cached.cached_tokens if cached else None) or 0,
        output_text=used.completion_tokens,
    )
    whole = choice.finish_reason in (None, "stop")
    return Answer(choice.message.content or "", usage, whole)
