"""Why access is refused, where the plain `NotAllowed` does not say enough."""

from switchboard.errors import NotAllowed


class NotIdentified(NotAllowed):
    """Nobody vouches for this caller, or the ticket is not good: HTTP 401.

    `challenge` is what the answer's `WWW-Authenticate` says, where people sign in (RFC 6750).
    """

    def __init__(self, message: str, *, challenge: str | None = None) -> None:
        super().__init__(message)
        self.challenge = challenge


class CannotTell(NotAllowed):
    """Nobody can say just now whether a token is good; it may be later: HTTP 503."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooOften(NotAllowed):
    """Asked too often: HTTP 429."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BudgetSpent(TooOften):
    """What may be spent in a day is: HTTP 429. The message is safe to show."""
