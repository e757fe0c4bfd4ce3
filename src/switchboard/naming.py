"""What calls are called."""

import secrets
from collections.abc import Callable

type NewId = Callable[[], str]
"""Gives a new call its id."""


def new_call_id() -> str:
    """An id that nobody guesses, and that fits into a path."""
    return secrets.token_urlsafe(12)
