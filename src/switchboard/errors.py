"""Everything this server raises on purpose.

SwitchboardError
├── ConfigurationError   a setting or file is wrong; the text names it and says what to do
├── ModelUnavailable     the model service refused or dropped us; `retryable` says what to do
├── CarrierUnavailable   the telephone's carrier refused or could not be reached; likewise
├── RecordsUnavailable   the database is away or busy; the same may go well later
├── ReplicaSilent        another server did not say that it did what it was asked
├── OfferRefused         a page's WebRTC offer cannot be used
├── LinesBusy            every line is taken; the caller hears so and may try again
│   └── ServerStopping   this server takes no more calls; another one may
├── NotAllowed           this principal, ticket or origin may not do this
└── ToolFailed           told to the model in words, which may apologise or try again
"""


class SwitchboardError(Exception):
    """The root of the tree; never raised itself."""


class ConfigurationError(SwitchboardError):
    """A setting or a configuration file is wrong. The message says which, and what to do."""


class ModelUnavailable(SwitchboardError):
    """The model service refused the call or dropped it."""

    def __init__(self, message: str, *, retryable: bool, status: int | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.status = status
        """HTTP status of the refused upgrade, or WebSocket close code, where there was one."""


class CarrierUnavailable(SwitchboardError):
    """The carrier refused what was asked of it, or could not be reached."""

    def __init__(self, message: str, *, retryable: bool, status: int | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.status = status
        """HTTP status of its answer, where there was one."""


class RecordsUnavailable(SwitchboardError):
    """The database is away or busy. What was asked of it may go well later."""


class ReplicaSilent(SwitchboardError):
    """Another server, which carries the call, did not say in time that it did what it was asked."""

    def __init__(self, message: str, *, maybe_done: bool) -> None:
        super().__init__(message)
        self.maybe_done = maybe_done
        """It took it, and did not say what came of it; otherwise it never will do it."""


class OfferRefused(SwitchboardError):
    """The service cannot answer a page's SDP offer. The message is safe to show to the page."""


class LinesBusy(SwitchboardError):
    """No line is free. Try again later."""


class ServerStopping(LinesBusy):
    """This server takes no calls, for it stops or has not started. Another one may."""


class NotAllowed(SwitchboardError):
    """This caller may not do this. The message is safe to show to them."""


class ToolFailed(SwitchboardError):
    """A tool could not do what was asked. The message is a sentence for the model to act on."""
