"""What a client is told when it asked for something wrong."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """One client event cannot be carried out; the session goes on.

    `code` and `param` are the dialect's own: `unknown_parameter` with `session.x`, and so on.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param

    def wire(self, event_id: str | None) -> Mapping[str, Any]:
        """The `error` of an error event; `event_id` is the client event it answers."""
        return {
            "type": "invalid_request_error",
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": event_id,
        }


def already_speaking(response_id: str) -> Refused:
    """A second reply was asked for while one is being made."""
    return Refused(
        "conversation_already_has_active_response",
        f"Conversation already has an active response in progress: {response_id}."
        " Wait until the response is finished before creating a new one.",
    )
