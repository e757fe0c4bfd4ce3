"""Whether this machine can do WebRTC at all."""

from switchboard_local.engine.parts import PartInfo
from switchboard_local.realtime.webrtc.parts import Answer


def load_webrtc() -> tuple[Answer | None, PartInfo]:
    """How offers are answered, and what start-up says of it; `None` where they cannot be."""
    try:
        from switchboard_local.realtime.webrtc import peer
    except ImportError as missing:
        reason = f"aiortc cannot be loaded: {missing.name or missing}"
        return None, PartInfo("webrtc", "none", fallback=True, reason=reason)
    return peer.answer, PartInfo("webrtc", "aiortc")
