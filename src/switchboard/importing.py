"""Azure's SDKs are imported late, off the event loop, and one at a time."""

from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Final

ONE_AT_A_TIME: Final = Lock()
"""Held while one is imported. Their packages import each other in circles: of two threads in one
circle, one finds half a module."""


def load(module: str) -> ModuleType:
    """Import it. Blocks: for a thread."""
    with ONE_AT_A_TIME:
        return import_module(module)
