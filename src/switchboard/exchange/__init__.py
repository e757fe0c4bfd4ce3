"""The exchange carries calls: it joins a caller's leg to a model's, and does what the
conversation says."""

from switchboard.exchange.switchboard import Switchboard
from switchboard.exchange.waiting import Lines

__all__ = ["Lines", "Switchboard"]
