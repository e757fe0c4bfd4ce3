"""Why a request to the local ACS was refused."""


class AcsRefused(Exception):
    """Answered with `status` and `{"error": {"code", "message"}}`, as azure-core reads it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def bad(message: str) -> AcsRefused:
    """The request's own fault. 400; the service's own code for it is not known to us."""
    return AcsRefused(400, "BadRequest", message)


def gone(what: str) -> AcsRefused:
    """Nothing, or nothing any more, goes by that name."""
    return AcsRefused(404, "NotFound", f"{what} was not found.")


def wrong_state(message: str) -> AcsRefused:
    """Not now. The service's own status for it is not known to us."""
    return AcsRefused(400, "InvalidState", message)
