"""Event Grid: tells an application of calls that come in and of recordings that are filed, after a
handshake, in either schema."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import uuid4

import anyio
import httpx
import msgspec

from switchboard_local.acs.events import PREFIX
from switchboard_local.acs.flow import Flow
from switchboard_local.acs.frames import stamp
from switchboard_local.loopback import is_loopback

logger = logging.getLogger(__name__)

INCOMING: Final = "IncomingCall"
VALIDATION: Final = "Microsoft.EventGrid.SubscriptionValidationEvent"
ORIGIN: Final = "eventgrid.azure.net"
MAX_NOTED: Final = 1000
_FOR_GOOD: Final = frozenset({400, 401, 403, 404, 413})
"""Not tried again here; the live service does so after minutes, and a caller is gone by then."""

type Schema = Literal["eventgrid", "cloudevents"]


class HandshakeFailed(Exception):
    """The application did not prove that the address is its own. The text says how."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where it is told. A secret is part of the URL's query."""

    url: str = field(repr=False)
    schema: Schema = "cloudevents"
    name: str = "INCOMING-CALLS"
    bearer: Callable[[], str] | None = field(default=None, repr=False)
    """Makes the token of each delivery, where the webhook is protected by Entra."""
    copies: int = 1
    """How often each event comes: at least once is all that is promised."""
    age_s: float = 0.0
    """How old events are when they come."""
    number: str | None = None
    """Calls to this one only, E.164: the advanced filter on `data.to.phoneNumber.value`."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What is told."""

    type: str
    """Without its prefix."""
    subject: str
    data: Mapping[str, object]
    number: str | None = None
    """That was called, where one was."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt. `status` is 0 where there was no answer."""

    id: str
    status: int


@dataclass(slots=True)
class Grid:
    """One topic: the resource's own events."""

    client: httpx.AsyncClient
    resource_id: str
    retries_s: tuple[float, ...]
    flow: Flow = field(default_factory=Flow)
    subscription: Subscription | None = None
    """Of whatever no other one is for."""
    of_number: dict[str, Subscription] = field(default_factory=dict[str, Subscription])
    """Those of one number."""
    noted: deque[Delivered] = field(default_factory=lambda: deque(maxlen=MAX_NOTED))

    async def subscribe(self, subscription: Subscription) -> None:
        """Shake hands; then whatever happens is told there. Raises `HandshakeFailed`."""
        if not is_loopback(subscription.url):
            raise HandshakeFailed("The local cloud calls this machine only.")
        try:
            if subscription.schema == "cloudevents":
                await self._ask_options(subscription)
            else:
                await self._ask_code(subscription)
        except (httpx.HTTPError, httpx.InvalidURL) as broken:
            raise HandshakeFailed(f"No answer: {type(broken).__name__}.") from None
        if subscription.number is None:
            self.subscription = subscription
        else:
            self.of_number[subscription.number] = subscription

    def told(self, number: str | None) -> Subscription | None:
        """Who is told of calls to a number, or of what is no call."""
        return self.of_number.get(number or "", self.subscription)

    async def tell(self, happening: Happening) -> None:
        """Deliver it, as the subscription says."""
        to = self.told(happening.number)
        if to is None:
            return
        event = self.event(to.schema, happening, datetime.now(UTC) - timedelta(seconds=to.age_s))
        async with anyio.create_task_group() as tasks:
            for _ in range(to.copies):
                tasks.start_soon(self.deliver, to, happening.type, event)

    async def deliver(self, to: Subscription, title: str, event: Mapping[str, object]) -> None:
        """One event, until it is taken, refused for good, or tried often enough."""
        status = 0
        body = msgspec.json.encode(event if to.schema == "cloudevents" else [event])
        for wait_s in (0.0, *self.retries_s):
            await anyio.sleep(wait_s)
            began = time.monotonic()
            status = await self._try(to, body)
            took_ms = (time.monotonic() - began) * 1000
            self.flow.note("event", "to_agent", title, status=status, took_ms=took_ms, body=body)
            self.noted.append(Delivered(str(event["id"]), status))
            if 200 <= status < 300 or status in _FOR_GOOD:
                return
        logger.warning("event given up", extra={"status": status})

    def event(self, schema: Schema, happening: Happening, at: datetime) -> Mapping[str, object]:
        """It in either schema."""
        topic = (
            "/subscriptions/10ca1000-0000-4000-8000-000000000001/resourceGroups/local"
            "/providers/Microsoft.Communication/CommunicationServices/local"
        )
        kind = f"{PREFIX}{happening.type}"
        about: dict[str, object] = {
            "id": str(uuid4()),
            "subject": happening.subject,
            "data": dict(happening.data),
        }
        if schema == "cloudevents":
            about |= {"source": topic, "type": kind, "time": stamp(at), "specversion": "1.0"}
        else:
            about |= {"topic": topic, "eventType": kind, "eventTime": stamp(at)}
            about |= {"dataVersion": "1.0", "metadataVersion": "1"}
        return about

    async def _ask_options(self, to: Subscription) -> None:
        """CloudEvents' own handshake (HTTP webhooks 1.0, section 4)."""
        headers = {"webhook-request-origin": ORIGIN, **_auth(to)}
        answer = await self.client.request("OPTIONS", to.url, headers=headers)
        allowed = answer.headers.get("webhook-allowed-origin", "")
        if answer.status_code != 200 or allowed not in ("*", ORIGIN):
            raise HandshakeFailed(f"OPTIONS: {answer.status_code}, without our origin.")

    async def _ask_code(self, to: Subscription) -> None:
        """The handshake of Event Grid's schema: the code comes back, with 200 and nothing else."""
        code = str(uuid4()).upper()
        event = {
            "id": str(uuid4()),
            "topic": "local",
            "subject": "",
            "eventType": VALIDATION,
            "eventTime": stamp(datetime.now(UTC)),
            "dataVersion": "2",
            "metadataVersion": "1",
            "data": {"validationCode": code, "validationUrl": "https://127.0.0.1:553/unused"},
        }
        headers = {"aeg-event-type": "SubscriptionValidation", **_headers(to)}
        answer = await self.client.post(
            to.url, content=msgspec.json.encode([event]), headers=headers
        )
        try:
            said: object = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            said = None
        if answer.status_code != 200 or said != {"validationResponse": code}:
            raise HandshakeFailed(f"Validation: {answer.status_code}, without our code.")

    async def _try(self, to: Subscription, body: bytes) -> int:
        headers = {"aeg-event-type": "Notification", **_headers(to)}
        try:
            answer = await self.client.post(to.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0
        return answer.status_code


def _headers(to: Subscription) -> dict[str, str]:
    cloud = to.schema == "cloudevents"
    kind = "application/cloudevents+json" if cloud else "application/json"
    return {
        "content-type": f"{kind}; charset=utf-8",
        "aeg-subscription-name": to.name,
        "aeg-delivery-count": "0",
        **_auth(to),
    }


def _auth(to: Subscription) -> dict[str, str]:
    return {} if to.bearer is None else {"authorization": f"Bearer {to.bearer()}"}
