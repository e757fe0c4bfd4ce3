"""The other sides of what happens after a call: a webhook's receiver, and a scripted model."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from aiohttp import web

from switchboard.after.reading import Job
from switchboard.agents.after import AfterEntry
from switchboard.conversation.commands import LineState, NoteLine, NoteTool, Speaker, ToolState
from switchboard.conversation.events import Usage
from switchboard.conversation.rules import Price
from switchboard.model.aside import Answer, Question
from switchboard.records.after import Ended
from switchboard.records.opening import Opening
from switchboard.records.recorder import Recorder
from switchboard.records.redaction.kinds import FULL
from switchboard.records.store import Store

WAIT_S = 30.0
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
PRICE = Price(1, 1, 1, 1, 1, 1)
AFTER = AfterEntry.model_validate_json(
    json.dumps(
        {
            "goals": [
                {"id": "booked", "description": "An appointment was booked"},
                {"id": "paid", "description": "A fine was paid"},
            ],
            "fields": {
                "type": "object",
                "properties": {
                    "day": {"type": "string", "format": "date"},
                    "people": {"type": "integer", "minimum": 1},
                },
            },
            "webhook": {"url": "http://127.0.0.1:1/told"},
        }
    )
)
GOOD: dict[str, Any] = {
    "summary": "The caller booked a table. It was for two.",
    "goals": {
        "booked": {"outcome": "achieved", "reason": "The tool said so."},
        "paid": {"outcome": "unknown", "reason": "It was not about that."},
    },
    "fields": {"day": "2026-03-06", "people": 2},
}


def changed(**parts: object) -> str:
    return json.dumps({**GOOD, **parts})


def verified(secret: str, headers: Any, body: bytes) -> bool:  # noqa: ANN401  (any headers)
    """As Standard Webhooks has it, written by its text and not by ours."""
    content = headers["webhook-id"] + "." + headers["webhook-timestamp"] + "." + body.decode()
    key = base64.b64decode(secret.split("_", 1)[1])
    wanted = base64.b64encode(hmac.new(key, content.encode(), hashlib.sha256).digest()).decode()
    return any(
        version == "v1" and hmac.compare_digest(signature, wanted)
        for version, _, signature in (
            each.partition(",") for each in headers["webhook-signature"].split(" ")
        )
    )


@dataclass
class Told:
    """One request to the receiver."""

    id: str
    good: bool
    """Its signature is right."""
    body: dict[str, Any]
    path: str


@dataclass
class Receiver:
    """Somebody's webhook: a real HTTP server."""

    url: str = ""
    answers: list[int] = field(default_factory=list[int])
    """Taken one by one; then 204."""
    told: list[Told] = field(default_factory=list[Told])
    location: str = "/elsewhere"

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        good = verified(SECRET, request.headers, body)
        told = Told(request.headers["webhook-id"], good, json.loads(body), request.path)
        self.told.append(told)
        status = self.answers.pop(0) if self.answers else 204
        headers = {"Location": self.location} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)

    async def until(self, times: int) -> None:
        with anyio.fail_after(WAIT_S):
            while len(self.told) < times:  # noqa: ASYNC110  (a plain list)
                await anyio.sleep(0.02)


@asynccontextmanager
async def receiver(*answers: int) -> AsyncGenerator[Receiver]:
    here = Receiver(answers=list(answers))
    app = web.Application()
    app.router.add_post("/{rest:.*}", here.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        here.url = f"http://127.0.0.1:{runner.addresses[0][1]}/told"
        yield here
    finally:
        await runner.cleanup()


@dataclass
class ScriptedModel:
    """Answers with its script, and remembers what it was asked."""

    script: Sequence[str | Exception | None]
    """Taken one by one, the last stays; `None` never answers."""
    asked: list[Question] = field(default_factory=list[Question])
    price: Price | None = PRICE
    after: AfterEntry | None = AFTER
    agents: tuple[str, ...] = ("bank",)
    began: anyio.Event = field(default_factory=anyio.Event)
    """Set once it is asked anything."""

    async def ask(self, question: Question, /) -> Answer:
        said = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(question)
        self.began.set()
        if said is None:
            await anyio.sleep_forever()
        if isinstance(said, Exception):
            raise said
        return Answer(said or "", Usage(input_text=100, cached_text=10, output_text=20))

    def wanted(self) -> dict[str, AfterEntry]:
        return dict.fromkeys(self.agents, self.after) if self.after else {}

    def job(self, ended: Ended) -> Job | None:
        return Job(self.after, "en", FULL, "chat", self.ask, self.price) if self.after else None


async def ended_call(
    store: Store,
    call_id: str = "c1",
    *,
    now: float,
    said: str = "A table for two on Friday, please",
    agent: str = "bank",
    reason: str = "goodbye",
    tool: str = "book",
) -> None:
    """A short call that was over ten seconds before `now`, as the recorder writes it."""
    recorder = Recorder(store)
    opening = Opening(
        call_id,
        principal_id="somebody",
        agent=agent,
        model="gpt-realtime",
        voice="marin",
        channel="browser",
        began_at=now - 60,
    )
    recorder.open_call(opening)
    lines = [("a1", Speaker.AGENT, "Good day."), ("c1", Speaker.CALLER, said)]
    for at, (item, speaker, text) in enumerate(lines):
        note = NoteLine(item, speaker, text, LineState.FINAL, at * 1_000.0)
        if text:
            recorder.note(call_id, note, now - 50)
    done = NoteTool("t1", tool, '{"people": 2}', ToolState.DONE, 2_000, '{"ok": true}', 10)
    recorder.note(call_id, done, now - 40)
    recorder.close_call(call_id, reason, now - 10)
    await recorder.flush()
