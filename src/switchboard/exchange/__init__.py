"""The exchange carries calls: it joins a caller's leg to a model's, and does what the
conversation says."""

from switchboard.exchange.switchboard import Lines, Switchboard

__all__ = ["Lines", "Switchboard"]
