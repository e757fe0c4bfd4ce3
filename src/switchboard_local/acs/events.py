"""What the application is told during a call: CloudEvents 1.0, as ACS posts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from switchboard_local.acs.frames import stamp

PREFIX: Final = "Microsoft.Communication."


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its type without the prefix, and its data."""

    type: str
    data: Mapping[str, object]
    to: str | None = None
    """Another address than the call's own (`operationCallbackUri`)."""


def cloud_event(told: Told, at: datetime) -> Mapping[str, object]:
    """The event on its envelope. `source` and `subject` of the live service are unverified."""
    where = f"calling/callConnections/{told.data.get('callConnectionId', '')}"
    return {
        "id": str(uuid4()),
        "source": where,
        "type": f"{PREFIX}{told.type}",
        "subject": where,
        "time": stamp(at),
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "data": dict(told.data),
    }
