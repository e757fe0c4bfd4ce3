"""The local cloud as a user starts it is the same one here."""

from tests.local.realtime.conftest import embedded_port, speech

__all__ = ["embedded_port", "speech"]
