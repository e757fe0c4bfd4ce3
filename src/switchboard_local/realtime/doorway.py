"""How a realtime session is asked for, and what others are told before the upgrade.

Who may ask is `keeper.py`'s business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

PREVIEW_QUERY: Final = ("api-version", "deployment")
MAX_MODEL_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A refusal over HTTP, in the shape Azure gives it."""

    status: int
    code: str
    message: str
    retry_after_s: int | None = None

    def headers(self) -> Mapping[str, str]:
        """What is said beside the body."""
        return {} if self.retry_after_s is None else {"retry-after": str(self.retry_after_s)}

    def body(self) -> Mapping[str, Mapping[str, str]]:
        return {"error": {"code": self.code, "message": self.message}}


def judge(headers: Mapping[str, str], query: Mapping[str, str]) -> TurnedAway | None:
    """What is wrong with the form of any request to the realtime service, if anything."""
    for name in PREVIEW_QUERY:
        if name in query:
            return TurnedAway(
                400,
                "BadRequest",
                f"'{name}' belongs to the preview API: GA is /openai/v1/realtime?model=….",
            )
    if "openai-beta" in headers:
        return TurnedAway(400, "BadRequest", "The GA API takes no OpenAI-Beta header.")
    return None


def judge_upgrade(
    headers: Mapping[str, str], query: Mapping[str, str], offered: Sequence[str]
) -> TurnedAway | None:
    """What is wrong with the form of an upgrade request, if anything.

    `offered` are its WebSocket subprotocols: the preview dialect can also be asked for there.
    """
    refusal = judge(headers, query)
    if refusal is not None:
        return refusal
    if any("beta" in each.lower() for each in offered):
        return TurnedAway(400, "BadRequest", "The GA API takes no OpenAI-Beta header.")
    if "call_id" not in query and not 0 < len(query.get("model", "")) <= MAX_MODEL_CHARS:
        return TurnedAway(400, "missing_required_parameter", "Say which deployment: ?model=….")
    return None


def full(limit: int) -> TurnedAway:
    """There are as many sessions as there may be."""
    return TurnedAway(429, "429", f"At most {limit} realtime sessions at once; try again soon.")


def unknown_call() -> TurnedAway:
    """No call of that id, or no more."""
    return TurnedAway(404, "call_id_not_found", "There is no call with this id.")


def bearer(authorization: str) -> str:
    """The token in an Authorization header; empty if there is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
