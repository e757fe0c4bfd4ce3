"""A stand-in chat model for the engine measurement: at once, and never the same words twice.

A reply the voice has spoken before comes from its memory. New words every time make it work.

Usage: python -m bench.chat PORT
"""

import sys
from itertools import count
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

_THINGS: Final = ("blue folders", "garden chairs", "winter coats", "paper lamps", "silver spoons")
_PLACES: Final = ("the harbour", "the old mill", "the north gate", "the library", "the corner shop")
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def create_app() -> FastAPI:
    """Answers `/v1/chat/completions` with two sentences of ordinary length."""
    app = FastAPI()
    numbers = count(21)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/chat/completions")
    async def complete() -> dict[str, Any]:
        message = {"role": "assistant", "content": _sentences(next(numbers))}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    return app


def _sentences(number: int) -> str:
    things, place = _THINGS[number % 5], _PLACES[number // 5 % 5]
    return (
        f"I have found {number} {things} at {place}. "
        f"They can be with you on {_DAYS[number % 7]}, if you like."
    )


if __name__ == "__main__":
    uvicorn.run(create_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
