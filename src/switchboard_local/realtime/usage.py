"""Tokens, counted by a stated rule, so that budgets and costs can be tried out offline.

Text: one token for every four bytes of UTF-8, rounded up. What the caller says: one for every
100 ms. What the agent says: one for every 50 ms, beside its transcript's text. Cached: the part of
a prompt that the reply before it began with too, in whole blocks of 64.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

CALLER_MS_PER_TOKEN: Final = 100
AGENT_MS_PER_TOKEN: Final = 50
_CACHE_BLOCK: Final = 64


def text_tokens(text: str) -> int:
    return math.ceil(len(text.encode()) / 4)


def caller_tokens(duration_ms: float) -> int:
    return math.ceil(duration_ms / CALLER_MS_PER_TOKEN)


def agent_tokens(duration_ms: float) -> int:
    return math.ceil(duration_ms / AGENT_MS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Tokens:
    text: int = 0
    audio: int = 0

    @property
    def total(self) -> int:
        return self.text + self.audio

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.text + other.text, self.audio + other.audio)


type Prompt = Sequence[tuple[str, Tokens]]
"""The pieces of a prompt in order, each by a name that changes when the piece does."""


class Meter:
    """Counts a session's tokens. Knows the last prompt, for what of the next is cached."""

    def __init__(self) -> None:
        self._last: Prompt = ()

    def usage(self, prompt: Prompt, said: Tokens) -> dict[str, Any]:
        """The `usage` of a response that read `prompt` and made `said`."""
        read = _sum(prompt)
        cached = self._cached(prompt)
        self._last = prompt
        return {
            "total_tokens": read.total + said.total,
            "input_tokens": read.total,
            "output_tokens": said.total,
            "input_token_details": {
                "text_tokens": read.text,
                "audio_tokens": read.audio,
                "image_tokens": 0,
                "cached_tokens": cached.total,
                "cached_tokens_details": {
                    "text_tokens": cached.text,
                    "audio_tokens": cached.audio,
                    "image_tokens": 0,
                },
            },
            "output_token_details": {"text_tokens": said.text, "audio_tokens": said.audio},
        }

    def _cached(self, prompt: Prompt) -> Tokens:
        same = 0
        for before, now in zip(self._last, prompt, strict=False):
            if before != now:
                break
            same += 1
        shared = _sum(prompt[:same])
        blocks = shared.total - shared.total % _CACHE_BLOCK
        audio = min(shared.audio, blocks)
        return Tokens(blocks - audio, audio)


def _sum(prompt: Prompt) -> Tokens:
    return sum((tokens for _, tokens in prompt), Tokens())
