"""A scripted week of calls, the same each time: for history, overview and pictures."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from sqlalchemy import insert

from switchboard.records.schema import (
    AfterCall,
    Base,
    Call,
    Interruption,
    Item,
    OperatorAction,
    RecordingRow,
    Reply,
    ToolCall,
    WebhookDelivery,
)
from switchboard.records.store import Store

NOW = datetime(2026, 3, 4, 15, 4, 20, tzinfo=UTC).timestamp()
DAY_S = 86_400
STORY = "call-story"
"""The call that is looked at closely."""
HEARD = "call-heard"
"""The call whose sound was recorded."""
HEARD_FROM_S = 1.5
"""Where in it the recording begins."""

ENDS = (
    ("goodbye", 46),
    ("agent_ended", 22),
    ("transferred", 9),
    ("caller_lost", 3),
    ("silence", 2),
    ("model_lost:1006", 2),
    ("max_duration", 2),
    ("operator", 2),
)
TOOLS = {
    "banking": ("get_balance", "list_transactions", "block_card", "transfer_money"),
    "telecom": ("get_bill", "check_outage", "change_plan", "get_data_usage"),
    "government": ("list_fines", "find_appointments", "book_appointment"),
}
TALK = {
    "banking": (
        ("caller", "Hello, what is my balance, please?"),
        ("agent", "You have 1,240 euros and 50 cents on your current account."),
        ("caller", "And what was the last payment?"),
        ("agent", "38 euros and 20 cents at the grocer's, on Tuesday."),
        ("caller", "Thank you, that is all."),
        ("agent", "You are welcome. Goodbye."),
    ),
    "telecom": (
        ("caller", "Is there an outage in my street? The internet has been gone since nine."),
        ("agent", "Yes. A cable was cut, and it should work again by six this evening."),
        ("caller", "Will I get something back for the day?"),
        ("agent", "A day's fee comes off your next bill by itself."),
    ),
    "government": (
        ("caller", "When is the next free appointment for a passport?"),
        ("agent", "On Friday at ten past nine, at the town hall. Shall I book it?"),
        ("caller", "Yes, please."),
        ("agent", "It is booked. Bring your old passport and a photograph."),
    ),
}


async def fill(store: Store, now: float = NOW, days: int = 7) -> None:
    """Write the week that ends at `now`, and the story a little before it."""
    random = Random(4)
    rows: list[tuple[type[Base], dict[str, Any]]] = []
    for day in range(days):
        for number in range(_busy(day, random)):
            rows += _call(random, f"call-{day}-{number}", now, day)
    rows += _readings(rows)
    rows += _story(now - 1_500)
    rows += _heard(now - 4_000)
    rows += _story_read(now - 1_440)
    async with store.writing() as connection:
        for table in _IN_ORDER:
            values = [value for kind, value in rows if kind is table]
            for alike in _alike(values):
                await connection.execute(insert(table), alike)


_IN_ORDER = (
    *(Call, Item, ToolCall, Interruption, Reply, OperatorAction),
    *(RecordingRow, AfterCall, WebhookDelivery),
)


def _busy(day: int, random: Random) -> int:
    return 10 if day == 0 else random.randint(14, 24)


def _alike(values: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for names in {frozenset(value) for value in values}:
        yield [value for value in values if frozenset(value) == names]


type Rows = Iterator[tuple[type[Base], dict[str, Any]]]


def _call(random: Random, call_id: str, now: float, day: int) -> Rows:
    agent = random.choices(("banking", "telecom", "government"), (5, 4, 3))[0]
    channel = random.choices(("browser", "phone", "webrtc"), (5, 6, 2))[0]
    reason = random.choices([name for name, _ in ENDS], [often for _, often in ENDS])[0]
    began = now - day * DAY_S - random.uniform(1_800, 6 * 3_600)
    at_ms = 400.0
    for number, (speaker, text) in enumerate(TALK[agent]):
        cut = speaker == "agent" and random.random() < 0.12
        took_ms = len(text) * 62.0
        yield Item, _line(call_id, f"i{number}", speaker, text, at_ms, cut=cut)
        if cut:
            yield Interruption, _cut(call_id, f"i{number}", at_ms + took_ms * 0.6, took_ms * 0.6)
        if speaker == "agent":
            wait = random.lognormvariate(math.log(640), 0.32)
            yield Reply, _reply(call_id, f"r{number}", began + at_ms / 1_000, wait)
        at_ms += took_ms + random.uniform(700, 1_900)
    for name in random.sample(TOOLS[agent], random.randint(1, 2)):
        state = "failed" if random.random() < 0.06 else "done"
        took = random.uniform(120, 900)
        yield ToolCall, _tool(call_id, name, random.uniform(3_000, at_ms), took, state)
    ended = began + at_ms / 1_000 * random.uniform(1, 6)
    caller = f"telephone:{random.getrandbits(64):016x}" if channel == "phone" else "local"
    yield Call, _facts(call_id, agent, channel, caller, began, ended, reason)


def _story(began: float) -> Rows:
    """A lost card: an answer cut off, a failed tool, a block that an operator approved."""
    talk = (
        ("agent", "Welcome to Contoso Bank. How may I help?", 300),
        ("caller", "Hello. I think I have lost my card. Can you block it?", 3_600),
        (
            "agent",
            "I am sorry to hear that. You have a debit card that ends in 4417 and a credit "
            "card that ends in 8802, which of the two is it that you are missing?",
            8_100,
        ),
        ("caller", "The debit card.", 14_300),
        ("agent", "Shall I block the card that ends in 4417? Nobody can pay with it then.", 17_400),
        ("caller", "Yes, please do. And can I have a new one sent to my office?", 22_600),
        (
            "agent",
            "The card is blocked. I cannot send a new one to another address from here, but "
            "a colleague can.",
            28_900,
        ),
        ("agent", "A colleague will ring you back within the hour.", 36_200),
        ("caller", "Good. Thank you very much.", 40_100),
        ("agent", "You are welcome. Goodbye.", 42_600),
    )
    for number, (speaker, text, at_ms) in enumerate(talk):
        yield Item, _line(STORY, f"s{number}", speaker, text, float(at_ms), cut=number == 2)
        if speaker == "agent" and number:
            wait = {2: 720.0, 4: 640.0, 6: 1_640.0, 7: 560.0, 9: 810.0}[number]
            yield Reply, _reply(STORY, f"s{number}", began + at_ms / 1_000, wait)
    yield Interruption, _cut(STORY, "s2", 13_900, 5_800)
    card = '{"card": "4417"}'
    yield ToolCall, _tool(STORY, "list_cards", 6_900, 410, "done", tool_id="t1")
    yield ToolCall, _tool(STORY, "block_card", 21_300, 380, "done", card, "t2")
    yield ToolCall, _tool(STORY, "replace_card", 26_700, 1_450, "failed", card, "t3")
    for at_s, kind, text, tool in (
        (20.5, "approve", None, "t2"),
        (31.0, "whisper", "Tell them that a colleague rings back today.", None),
        (34.5, "say", "A colleague will ring you back within the hour.", None),
    ):
        yield (
            OperatorAction,
            {
                "id": f"deed-{kind}",
                "call_id": STORY,
                "principal_id": "oid-rita",
                "principal_name": "Rita",
                "kind": kind,
                "text": text,
                "tool_call_id": tool,
                "at": began + at_s,
                "outcome": "taken",
            },
        )
    caller = "telephone:9f3a61c2d7e40b58"
    yield Call, _facts(STORY, "banking", "phone", caller, began, began + 46, "agent_ended")


def _heard(began: float) -> Rows:
    """A short one from the page, whose caller let it be recorded."""
    talk = (
        ("agent", "Contoso Bank. May we record this call?", 300),
        ("caller", "Yes, that is fine. Until when are you open today?", 3_200),
        ("agent", "Until six this evening.", 6_400),
    )
    for number, (speaker, text, at_ms) in enumerate(talk):
        yield Item, _line(HEARD, f"h{number}", speaker, text, float(at_ms), cut=False)
    yield Call, _facts(HEARD, "banking", "browser", "local", began, began + 9, "goodbye")
    yield (
        RecordingRow,
        {
            "call_id": HEARD,
            "state": "stopped",
            "kept": "here",
            "began_at": began + HEARD_FROM_S,
            "ended_at": began + 9,
            "duration_ms": 7_500.0,
        },
    )


FAILED_READING = "call-1-1"
WAITING_READING = "call-1-2"
"""Calls whose reading failed, and has not come yet."""


def _readings(rows: list[tuple[type[Base], dict[str, Any]]]) -> list[Any]:
    """What most of them came to."""
    random = Random(9)
    read: list[Any] = []
    for kind, call in rows:
        if kind is not Call:
            continue
        outcomes = ("achieved", "partly", "not_achieved", "unknown")
        outcome = random.choices(outcomes, (12, 3, 3, 2))[0]
        goals = [{"id": "answered", "outcome": outcome, "reason": "The record says so."}]
        values = _after(call["id"], call["ended_at"], outcome, goals)
        if call["id"] == FAILED_READING:
            why = "The model's answer was refused twice: at `$.fields.date`: 'soon' is no date"
            values = _after(call["id"], call["ended_at"], None, None) | {"error": why}
            values |= {"state": "failed", "summary": None}
        if call["id"] == WAITING_READING:
            values = _after(call["id"], call["ended_at"], None, None) | {"state": "working"}
            values |= {"summary": None, "finished_at": None}
        read.append((AfterCall, values))
    return read


def _story_read(at: float) -> Rows:
    """The lost card: blocked, no new one yet, and a webhook that does not answer."""
    goals = [
        {
            "id": "card_blocked",
            "outcome": "achieved",
            "reason": "The card that ends in 4417 was blocked after an operator approved it.",
        },
        {
            "id": "card_replaced",
            "outcome": "not_achieved",
            "reason": "A new card cannot be sent to another address; a colleague will ring back.",
        },
        {"id": "balance_told", "outcome": "unknown", "reason": "The call was not about it."},
    ]
    summary = (
        "The caller had lost a debit card, which was blocked. A new card could not be sent to the "
        "caller's office, so a colleague is to ring back within the hour."
    )
    fields = '{"card": "4417", "call_back": true, "payee": null, "amount_eur": null}'
    values = _after(STORY, at, "partly", goals)
    yield AfterCall, values | {"summary": summary, "fields": fields}
    yield (
        WebhookDelivery,
        {
            "id": "msg_story",
            "call_id": STORY,
            "event": "after.done",
            "state": "given_up",
            "due_at": at,
            "created_at": at,
            "attempts": 9,
            "host": "tickets.contoso.example",
            "status": 503,
            "error": "It answered HTTP 503.",
            "last_at": at,
        },
    )


def _after(
    call_id: str, at: float, outcome: str | None, goals: list[dict[str, str]] | None
) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "state": "done",
        "due_at": at,
        "attempts": 1,
        "summary": "The caller asked, and was answered. Nothing is left open.",
        "outcome": outcome,
        "goals": None if goals is None else json.dumps(goals),
        "finished_at": at,
        "model": "gpt-realtime-2.1",
        "input_text": 2_140,
        "cached_text": 0,
        "output_text": 186,
        "cost_usd": 0.0131,
    }


def _facts(
    call_id: str, agent: str, channel: str, caller: str, began: float, ended: float, reason: str
) -> dict[str, Any]:
    return {
        "id": call_id,
        "principal_id": caller,
        "agent": agent,
        "model": "gpt-realtime-2.1",
        "voice": "marin",
        "channel": channel,
        "direction": "in",
        "began_at": began,
        "ended_at": ended,
        "end_reason": reason,
    }


def _line(
    call_id: str, item: str, speaker: str, text: str, at_ms: float, *, cut: bool
) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "item_id": item,
        "speaker": speaker,
        "text": text,
        "state": "cut" if cut else "final",
        "began_ms": at_ms,
        "heard_chars": text.rfind(" ", 0, int(len(text) * 0.62)) if cut else None,
        "typed": False,
    }


def _cut(call_id: str, item: str, at_ms: float, heard_ms: float) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "item_id": item,
        "heard_ms": heard_ms,
        "received_ms": heard_ms * 1.7,
        "at_ms": at_ms,
    }


def _reply(call_id: str, reply: str, answered_at: float, wait_ms: float) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "reply_id": reply,
        "first_audio_ms": wait_ms,
        "first_heard_ms": wait_ms + 40,
        "input_text": 820,
        "input_audio": 340,
        "cached_text": 640,
        "cached_audio": 128,
        "output_text": 46,
        "output_audio": 190,
        "cost_usd": 0.0183,
        "answered_at": answered_at,
    }


def _tool(
    call_id: str,
    name: str,
    at_ms: float,
    took_ms: float,
    state: str,
    arguments: str = "{}",
    tool_id: str | None = None,
) -> dict[str, Any]:
    failed = '{"error": "This cannot be done for another address."}'
    return {
        "call_id": call_id,
        "tool_call_id": tool_id or f"t-{name}",
        "name": name,
        "arguments": arguments,
        "state": state,
        "began_ms": at_ms,
        "result": failed if state == "failed" else '{"status": "ok"}',
        "duration_ms": took_ms,
    }
