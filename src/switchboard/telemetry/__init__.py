"""What this server tells of itself: logs always; traces and measurements where somebody collects
them. Never what was said.

`logs` stands by itself; `pipeline` is what the house builds.
"""

from switchboard.telemetry.logs import configure_logging, redact

__all__ = ["configure_logging", "redact"]
