"""Tells webhooks what calls came to: at least once, for hours, and again with the same id."""

import logging
import random
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import anyio
import httpx
import msgspec

from switchboard.after.guard import Allowed, Barred, Destination, target_of
from switchboard.after.signing import SETTING, Signer
from switchboard.agents.after import Webhook
from switchboard.records.deliveries import (
    DELIVERED,
    GIVEN_UP,
    STOPPED,
    WAITING,
    Attempt,
    DeliveryTable,
    Due,
)
from switchboard.records.outcomes import outcome_of
from switchboard.records.schema import AfterCall, Call
from switchboard.records.store import Store

logger = logging.getLogger(__name__)

DELAYS_S: Final = (1.0, 5.0, 30.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Between attempts: nine of them, over some seventeen hours."""
LONGEST_S: Final = 15.0
EVERY_S: Final = 1.0
GONE: Final = 410
SCHEMA: Final = "switchboard.after/1"

type WebhookOf = Callable[[str], Webhook | None]
"""Of an agent, as it is configured at this moment."""


class Deliveries:
    """Sends what is due. `run` must run.

    `signer`: `None` where there is no secret: then nothing is sent, and the records say why.
    """

    def __init__(
        self,
        store: Store,
        webhook_of: WebhookOf,
        signer: Signer | None,
        allowed: Allowed,
        *,
        delays_s: Sequence[float] = DELAYS_S,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._table = DeliveryTable(store)
        self._webhook_of = webhook_of
        self._signer = signer
        self._allowed = allowed
        self.delays_s = delays_s
        self._clock = clock
        self._tls = tls

    async def run(self) -> None:
        """Until cancelled. What was being sent then is sent again by whoever runs next."""
        while True:
            try:
                while await self.send_one():
                    pass
            except Exception as reason:  # noqa: BLE001  (a busy store; the next round will do)
                logger.warning("webhook not told", extra={"error": type(reason).__name__})
            await anyio.sleep(EVERY_S)

    async def send_one(self) -> bool:
        """Send a message, if one is due."""
        due = await self._table.take_due(self._clock())
        if due is None:
            return False
        attempt = await self._attempt(due)
        await self._table.settle(due, attempt)
        extra = {"call": due.call_id, "state": attempt.state, "status": attempt.status}
        logger.info(
            "webhook told" if attempt.state == DELIVERED else "webhook not told", extra=extra
        )
        return True

    async def _attempt(self, due: Due) -> Attempt:
        contents = await self._table.contents(due.call_id)
        webhook = self._webhook_of(contents[0].agent) if contents else None
        if contents is None or webhook is None:
            return Attempt(GIVEN_UP, error="The agent has no webhook any more.")
        if self._signer is None:
            return self._later(due, error=f"{SETTING} is not set.")
        try:
            target = await target_of(webhook.url, self._allowed)
        except Barred as why:
            return self._later(due, error=str(why))
        body = body_of(due.event, *contents)
        try:
            with anyio.fail_after(LONGEST_S):
                status = await self._post(target, due.id, body)
        except (httpx.HTTPError, OSError, TimeoutError) as fault:
            why = f"It cannot be reached ({type(fault).__name__})."
            return self._later(due, target.host, error=why)
        return self._answered(due, target.host, status)

    def _answered(self, due: Due, host: str, status: int) -> Attempt:
        if 200 <= status < 300:
            return Attempt(DELIVERED, host, status)
        if status == GONE:
            return Attempt(STOPPED, host, status, "It wants no more of this (410).")
        return self._later(due, host, status, f"It answered HTTP {status}.")

    def _later(
        self, due: Due, host: str | None = None, status: int | None = None, error: str = ""
    ) -> Attempt:
        if due.attempts > len(self.delays_s):
            return Attempt(GIVEN_UP, host, status, error)
        delay_s = self.delays_s[due.attempts - 1] * random.uniform(0.9, 1.1)  # noqa: S311  # jitter
        return Attempt(WAITING, host, status, error, self._clock() + delay_s)

    async def _post(self, target: Destination, message_id: str, body: bytes) -> int:
        assert self._signer is not None
        headers = {
            **self._signer.headers(message_id, int(self._clock()), body),
            "Content-Type": "application/json",
            "Host": target.authority,
            "User-Agent": "switchboard",
        }
        # Only the status counts; what else is answered is not read. No proxy of the environment:
        # it would look the host up again.
        async with (
            httpx.AsyncClient(
                trust_env=False, follow_redirects=False, verify=self._tls or True, timeout=LONGEST_S
            ) as http,
            http.stream(
                "POST",
                target.url,
                content=body,
                headers=headers,
                extensions={"sni_hostname": target.host},
            ) as answer,
        ):
            return answer.status_code


def body_of(event: str, call: Call, after: AfterCall) -> bytes:
    """The message: the same at every attempt, for nothing in it changes any more."""
    finished = after.finished_at or call.ended_at or call.began_at
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "call": {
            "id": call.id,
            "agent": call.agent,
            "channel": call.channel,
            "direction": call.direction,
            "caller": call.principal_id,
            "beganAt": _iso(call.began_at),
            "endedAt": None if call.ended_at is None else _iso(call.ended_at),
            "endReason": call.end_reason,
            "outcome": outcome_of(call.end_reason),
        },
        "summary": after.summary,
        "outcome": after.outcome,
        "goals": _raw(after.goals),
        "fields": _raw(after.fields),
        "error": after.error,
    }
    return msgspec.json.encode({"type": event, "timestamp": _iso(finished), "data": data})


def _raw(text: str | None) -> Any:  # noqa: ANN401  (JSON)
    return None if text is None else msgspec.json.decode(text)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
